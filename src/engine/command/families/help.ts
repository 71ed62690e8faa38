/** .help .hh */
import { UserError } from '../../base/errors';
import type { CommandRow } from '../rows';
import { findRow } from '../lookup';

const family = 'System';

/** The list of all commands, one per line, by family. */
export function helpText(rows: readonly CommandRow[]): string {
  const families = new Map<string, CommandRow[]>();
  for (const row of rows) families.set(row.family, [...(families.get(row.family) ?? []), row]);
  let text = '';
  for (const [name, members] of families) {
    text += `${name}\n`;
    for (const { syntax, summary } of members) text += `  ${syntax.padEnd(34)} ${summary}\n`;
  }
  return text;
}

/** `rows` is the whole table, which these commands are part of. */
export function helpCommands(rows: () => readonly CommandRow[]): readonly CommandRow[] {
  const one = (text: string): string => {
    const found = findRow(text);
    if (!found || found.args.trim() !== '')
      throw new UserError(`No help for '${text.trim()}': there is no such command.`);
    const { syntax, summary, family: group, whileRunning } = found.row;
    const waits = whileRunning === 'wait' ? '\n  Needs the target stopped.' : '';
    return `${syntax}\n  ${summary}${waits}\n  Family: ${group}.\n`;
  };
  const row = (name: string, summary: string): CommandRow => ({
    name,
    syntax: `${name} [COMMAND]`,
    summary,
    tier: 2,
    family,
    whileRunning: 'run',
    observer: true,
    async run({ write }, text) {
      write(text.trim() === '' ? helpText(rows()) : one(text));
    },
  });
  return [row('.help', 'Lists the commands, or explains one.'), row('.hh', 'Explains a command.')];
}
