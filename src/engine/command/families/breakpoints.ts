/** bp bl bc bd be */
import { formatAddress } from '../../arch/format';
import { UserError } from '../../base/errors';
import { Arguments } from '../arguments';
import type { Command, CommandContext } from '../command';
import type { Breakpoint, Engine } from '../engine';
import { requireReadable } from './execution';

const family = 'Breakpoints';

async function set({ engine, write }: CommandContext, text: string): Promise<void> {
  const args = new Arguments(engine, text);
  // The id is written without a space, or it would be the address.
  const idText = /^[0-9]+(?=\s|$)/.exec(text)?.[0];
  if (idText !== undefined) args.take(/[0-9]+/y);
  if (args.rest.startsWith('/')) throw new UserError(`Breakpoint options are not supported: '${args.rest}'.`);
  const expression = args.rest === '' ? '.' : args.rest;
  const address = args.atEnd ? (await engine.registers()).pc : await args.expression();
  if (!args.atEnd) {
    throw new UserError(
      `Extra character error at '${args.rest}': pass counts and commands are not supported here.`,
    );
  }
  await requireReadable(engine, address, expression);
  const { breakpoints } = engine;
  const id = idText === undefined ? undefined : Number(idText);
  const same = breakpoints.list().find((b) => b.owner === 'command' && b.address === address);
  if (same && (id === undefined || id === same.id)) {
    breakpoints.enable(same.id, true);
    write(`breakpoint ${same.id} redefined\n`);
    return;
  }
  if (id !== undefined && breakpoints.list().some((b) => b.id === id)) {
    breakpoints.remove(id);
    write(`breakpoint ${id} redefined\n`);
  }
  breakpoints.add(address, expression, { owner: 'command', ...(id === undefined ? {} : { id }) });
}

async function line(engine: Engine, breakpoint: Breakpoint): Promise<string> {
  const { id, enabled, address, expression } = breakpoint;
  const state = enabled ? 'e' : 'd';
  const head = id.toString().padStart(2);
  if (address === undefined) return `${head} ${state}u                        0001 (0001) (${expression})\n`;
  const symbol = (await engine.symbolFor(address).catch(() => undefined)) ?? '';
  return `${`${head} ${state} ${formatAddress(address)}     0001 (0001) ${symbol}`.trimEnd()}\n`;
}

/** `1 3-5`, `*`: the breakpoints meant. Throws when one of them does not exist. */
function select(engine: Engine, text: string, name: string): readonly Breakpoint[] {
  const all = engine.breakpoints.list();
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0)
    throw new UserError(`Which breakpoints? Give numbers, ranges as 1-3, or * for all: ${name} IDS.`);
  const chosen = new Set<Breakpoint>();
  for (const word of words) {
    if (word === '*') {
      for (const breakpoint of all) chosen.add(breakpoint);
      continue;
    }
    const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(word);
    if (!match)
      throw new UserError(`Syntax error at '${word}': breakpoints are numbers, ranges as 1-3, or *.`);
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    const inRange = all.filter(({ id }) => id >= first && id <= last);
    if (inRange.length === 0) throw new UserError(`Breakpoint ${word} does not exist.`);
    for (const breakpoint of inRange) chosen.add(breakpoint);
  }
  return [...chosen];
}

function change(name: string, summary: string, apply: (engine: Engine, id: number) => void): Command {
  return {
    name,
    syntax: `${name} IDS`,
    summary,
    tier: 1,
    family,
    whileRunning: 'run',
    async run({ engine }, text) {
      for (const { id } of select(engine, text, name)) apply(engine, id);
    },
  };
}

export const breakpointCommands: readonly Command[] = [
  {
    name: 'bp',
    syntax: 'bp[ID] [ADDR]',
    summary: 'Sets a breakpoint, at the instruction pointer if no address is given.',
    tier: 1,
    family,
    whileRunning: 'wait',
    run: set,
  },
  {
    name: 'bl',
    syntax: 'bl [IDS]',
    summary: 'Lists the breakpoints.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    async run({ engine, write }, text) {
      const chosen = text.trim() === '' ? engine.breakpoints.list() : select(engine, text, 'bl');
      for (const breakpoint of chosen) write(await line(engine, breakpoint));
    },
  },
  change('bc', 'Clears breakpoints.', (engine, id) => engine.breakpoints.remove(id)),
  change('bd', 'Disables breakpoints.', (engine, id) => engine.breakpoints.enable(id, false)),
  change('be', 'Enables breakpoints.', (engine, id) => engine.breakpoints.enable(id, true)),
];
