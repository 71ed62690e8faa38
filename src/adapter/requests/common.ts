/** Arguments that several requests have in common. */
import { UserError } from '../../engine/base/errors';
import type { Arguments } from '../arguments';
import type { Call, Handler } from '../handler';
import type { LiveSession } from '../live';
import type { ResumeKind } from '../../engine/session/protocol';
import { offsetAddress, parseAddress, processorOf, threadId } from '../references';

/** `threadId`: the id of a processor that exists. */
export function threadArgument(live: LiveSession, args: Arguments): number {
  const id = args.integer('threadId');
  if (id < 1 || id > live.threadCount) {
    args.fail('threadId', `must be from ${threadId(0)} to ${live.threadCount}`);
  }
  return id;
}

/**
 * `memoryReference` and `offset`. Besides the addresses this adapter hands out, a reference may be anything the
 * debugger can evaluate: clients let the user type one.
 */
export async function memoryArgument(
  live: LiveSession,
  args: Arguments,
  name: string,
  signal: AbortSignal,
): Promise<{ reference: string; base: bigint; address: bigint }> {
  const reference = args.string(name);
  const base = parseAddress(reference) ?? (await evaluateAddress(live, reference, signal));
  return { reference, base, address: offsetAddress(base, args.optionalInteger('offset') ?? 0) };
}

async function evaluateAddress(live: LiveSession, text: string, signal: AbortSignal): Promise<bigint> {
  const { value } = await live.session.request('evaluate', { expression: text }, signal);
  const address = parseAddress(value);
  if (address === undefined) throw new UserError(`'${text}' is not an address.`);
  return address;
}

/** Not advertised, so never sent by a client that keeps to the rules; ignoring one would stop at every hit. */
export function refuseConditions(breakpoint: Arguments): void {
  for (const name of ['condition', 'hitCondition', 'logMessage']) {
    if (breakpoint.optionalString(name)) breakpoint.fail(name, 'is not supported');
  }
}

/** A step request: at this stage every step is by instruction, whatever granularity is asked for. */
export function stepHandler(kind: ResumeKind): Handler<undefined> {
  return {
    capabilities: { supportsSteppingGranularity: true },
    showErrors: true,
    needsStop: true,
    async run({ live }, args, call) {
      await resume(live, kind, processorOf(threadArgument(live, args)), call);
      return undefined;
    },
  };
}

export async function resume(
  live: LiveSession,
  kind: ResumeKind,
  processor: number | undefined,
  call: Call,
): Promise<void> {
  await live.run.resume(kind, processor, call.signal, (action) => call.afterResponse(action));
}
