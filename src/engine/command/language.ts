/**
 * The command language: the table of all commands, which command a text is, where one command ends and the next
 * begins, and completion. Parser, help, completion and permission checks read the same table.
 */
import type { Command } from './command';
import { breakpointCommands } from './families/breakpoints';
import { evaluationCommands } from './families/evaluation';
import { executionCommands } from './families/execution';
import { helpCommands, helpText } from './families/help';
import { memoryDisplayCommands } from './families/memoryDisplay';
import { memoryEditCommands } from './families/memoryEdit';
import { moduleCommands } from './families/modules';
import { registerCommands } from './families/registers';
import { sessionCommands } from './families/session';
import { pathCommands } from './families/sessionPaths';
import { peopleCommands } from './families/sessionPeople';
import { shellCommands } from './families/sessionShell';
import { stackAndCodeCommands } from './families/stackAndCode';
import { systemCommands } from './families/system';
import { findRow, setRows } from './lookup';
import type { CommandRow } from './rows';

const rows: readonly CommandRow[] = [
  ...executionCommands,
  ...breakpointCommands,
  ...registerCommands,
  ...memoryDisplayCommands,
  ...memoryEditCommands,
  ...evaluationCommands.map(withHelp),
  ...moduleCommands,
  ...stackAndCodeCommands,
  ...systemCommands,
  ...helpCommands(() => rows),
  ...sessionCommands,
  ...peopleCommands,
  ...pathCommands,
  ...shellCommands,
];
setRows(rows);

export const commandTable: readonly Command[] = rows;

/** `?` alone is the list of commands. */
function withHelp(row: CommandRow): CommandRow {
  if (row.name !== '?') return row;
  return {
    ...row,
    run: async (context, args) => {
      if (args.trim() === '') context.write(helpText(rows));
      else await row.run(context, args);
    },
  };
}

/** The command a text begins with, `args` being the rest; undefined when there is none. */
export function findCommand(text: string): { readonly command: Command; readonly args: string } | undefined {
  const found = findRow(text);
  if (found) return { command: found.row, args: found.args };
  // A processor number before the command: 1r, 0 k.
  const prefixed = /^\s*([0-9]{1,4})\s*([A-Za-z].*)$/s.exec(text);
  const inner = prefixed && findRow(prefixed[2] ?? '');
  if (!prefixed || !inner?.row.runOn) return undefined;
  const tilde = findRow(`~${text.trim()}`);
  return tilde && { command: { ...inner.row, run: tilde.row.run }, args: tilde.args };
}

/**
 * Cuts a line into commands at semicolons outside of quotes and braces. `*` takes the rest of the line, and so does
 * a command whose row says so; `$$` ends at the next semicolon.
 */
export function splitCommands(line: string): string[] {
  const commands: string[] = [];
  let rest = line;
  while (rest.trim() !== '') {
    const whole = findRow(rest)?.row.takesWholeLine ?? false;
    const end = whole ? rest.length : endOfCommand(rest);
    const command = rest.slice(0, end).trim();
    if (command !== '') commands.push(command);
    rest = rest.slice(end + 1);
  }
  return commands;
}

function endOfCommand(text: string): number {
  const comment = text.trimStart().startsWith('$$');
  let quote = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === ';' && quote === '' && depth <= 0) return i;
    if (comment) continue;
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || (character === "'" && opensCharacters(text, i))) {
      quote = character;
    } else if (character === '{') {
      depth++;
    } else if (character === '}') {
      depth--;
    }
  }
  return text.length;
}

/** An apostrophe inside a word (`don't`) quotes nothing, nor does one that is never closed. */
function opensCharacters(text: string, at: number): boolean {
  return !/[A-Za-z0-9_]/.test(text.charAt(at - 1)) && text.includes("'", at + 1);
}

/** Commands whose names begin with the last word of a text in which no argument has begun. */
export function completeCommand(prefix: string): { readonly label: string; readonly detail: string }[] {
  const start = Math.max(prefix.lastIndexOf(';') + 1, 0);
  const word = prefix.slice(start).trimStart();
  if (/\s/.test(word)) return [];
  return rows
    .filter(({ name }) => /^[.A-Za-z]/.test(name) && name.toLowerCase().startsWith(word.toLowerCase()))
    .map(({ name, summary }) => ({ label: name, detail: summary }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
}

/** All of it as one value, in the shape a session takes. */
export const commandLanguage = { split: splitCommands, find: findCommand, complete: completeCommand };
