/** Finds the command a text begins with. The table registers itself here, so that commands can run others. */
import type { CommandRow } from './rows';

let byLength: readonly CommandRow[] = [];

/** Called once, with the whole table. */
export function setRows(rows: readonly CommandRow[]): void {
  byLength = [...rows].sort((a, b) => b.name.length - a.name.length);
}

/** The longest name that fits; `args` is the text after it. */
export function findRow(text: string): { readonly row: CommandRow; readonly args: string } | undefined {
  const trimmed = text.trim();
  for (const row of byLength) {
    const { name } = row;
    const head = trimmed.slice(0, name.length);
    if (row.caseSensitive ? head !== name : head.toLowerCase() !== name.toLowerCase()) continue;
    const args = trimmed.slice(name.length);
    const separate = args === '' || /^[^A-Za-z_]/.test(args);
    if (row.open || separate || row.suffix?.test(args)) return { row, args };
  }
  return undefined;
}
