/** g gh gn t p gu */
import { UserError } from '../../base/errors';
import { Arguments, noArguments } from '../arguments';
import type { Command, CommandContext } from '../command';
import type { Engine } from '../engine';

const family = 'Execution';
const MAX_STEPS = 0x10_0000n;

/** `= START`: moves the instruction pointer before going on. */
async function takeStart(args: Arguments): Promise<bigint | undefined> {
  if (!args.take(/=/y)) return undefined;
  const address = await args.expression();
  args.separator();
  return address;
}

async function setStart({ engine }: CommandContext, address: bigint | undefined): Promise<void> {
  const name = engine.target.architecture?.instructionPointer;
  if (address !== undefined && name !== undefined) await engine.setRegister(name, address);
}

function go(name: string, kind: 'go' | 'goHandled' | 'goNotHandled', summary: string): Command {
  return {
    name,
    syntax: kind === 'goNotHandled' ? name : `${name} [= START] [BREAK]`,
    summary,
    tier: kind === 'go' ? 1 : 2,
    family,
    whileRunning: 'wait',
    async run(context, text) {
      const args = new Arguments(context.engine, text);
      if (kind === 'goNotHandled') noArguments(name, text);
      const start = await takeStart(args);
      const until = args.atEnd ? undefined : await args.expression();
      args.end();
      if (until !== undefined) await requireReadable(context.engine, until, text);
      await setStart(context, start);
      await context.engine.resume(kind, until);
    },
  };
}

export async function requireReadable(engine: Engine, address: bigint, text: string): Promise<void> {
  if ((await engine.target.readVirtual(address, 1)).length === 1) return;
  throw new UserError(`Memory access error at '${text.trim() || '.'}': no breakpoint can be set there.`);
}

function step(name: string, kind: 'stepInto' | 'stepOver', summary: string): Command {
  return {
    name,
    syntax: `${name}[r] [= START] [COUNT]`,
    summary,
    tier: 1,
    family,
    whileRunning: 'wait',
    repeat: true,
    async run(context, text) {
      const { engine, signal } = context;
      const args = new Arguments(engine, text);
      args.take(/r(?![A-Za-z0-9_])/y);
      const start = await takeStart(args);
      const count = args.atEnd ? 1n : await args.expression();
      args.end();
      if (count < 1n || count > MAX_STEPS)
        throw new UserError(`Range error at '${text.trim()}': 1 to 0x100000 steps.`);
      await setStart(context, start);
      for (let done = 0n; done < count; done++) {
        signal.throwIfAborted();
        await engine.resume(kind);
        await context.untilStopped();
        // A breakpoint, an exception or another processor: that is where the user wants to be now.
        if (engine.stop?.reason !== 'step') return;
      }
    },
  };
}

export const executionCommands: readonly Command[] = [
  go('g', 'go', 'Runs the target, until BREAK if given.'),
  go('gh', 'goHandled', 'Runs the target; the exception counts as handled.'),
  go('gn', 'goNotHandled', "Runs the target; the exception goes to the target's own handlers."),
  step('t', 'stepInto', 'Executes one instruction, or COUNT, into calls.'),
  step('p', 'stepOver', 'Executes one instruction, or COUNT, over calls.'),
  {
    name: 'gu',
    syntax: 'gu',
    summary: 'Runs until the current function returns.',
    tier: 1,
    family,
    whileRunning: 'wait',
    async run(context, text) {
      noArguments('gu', text);
      await context.engine.resume('stepOut');
      await context.untilStopped();
    },
  },
];
