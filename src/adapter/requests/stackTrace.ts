import type { DebugProtocol } from '@vscode/debugprotocol';
import type { FrameInfo } from '../../engine/session/protocol';
import type { Body, Handler } from '../handler';
import type { LiveSession } from '../live';
import { frameId, maxFrames, parseAddress, processorOf } from '../references';
import { threadArgument } from './common';

/** Answered for frames a client has not asked for yet; it then asks until it gets fewer than it wanted. */
const perhapsMore = 20;

/** The call stack of a processor, in parts as the client wants them. */
export const stackTrace: Handler<Body<DebugProtocol.StackTraceResponse>> = {
  capabilities: { supportsDelayedStackTraceLoading: true },
  needsStop: true,
  async run({ live }, args, { signal }) {
    const processor = processorOf(threadArgument(live, args));
    const start = args.optionalInteger('startFrame', { min: 0 }) ?? 0;
    // No levels, or 0, means all.
    const levels = args.optionalInteger('levels', { min: 0 }) || maxFrames;
    const count = Math.min(levels, maxFrames - start);
    if (count <= 0) return { stackFrames: [], totalFrames: maxFrames };
    const { frames, more } = await live.session.request('stack', { processor, start, count }, signal);
    const stackFrames: DebugProtocol.StackFrame[] = [];
    for (const frame of frames.slice(0, count))
      stackFrames.push(await dapFrame(live, processor, frame, signal));
    const end = start + stackFrames.length;
    return { stackFrames, totalFrames: more && end < maxFrames ? end + perhapsMore : end };
  },
};

async function dapFrame(
  live: LiveSession,
  processor: number,
  frame: FrameInfo,
  signal: AbortSignal,
): Promise<DebugProtocol.StackFrame> {
  const address = parseAddress(frame.instruction);
  if (address !== undefined) live.instructionStarts.add(address);
  const moduleId = frame.module === undefined ? undefined : await live.modules.idOf(frame.module, signal);
  return {
    id: frameId({ processor, index: frame.index }),
    name: frame.name,
    line: 0,
    column: 0,
    instructionPointerReference: frame.instruction,
    ...(moduleId === undefined ? {} : { moduleId }),
    // Code outside every module is hardly what the user looks for.
    presentationHint: frame.module === undefined ? 'subtle' : 'normal',
  };
}
