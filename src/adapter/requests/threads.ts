import { Thread } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';
import { threadId } from '../references';

/** The target's processors. There is one even before the first contact: without a thread clients cannot pause. */
export const threads: Handler<Body<DebugProtocol.ThreadsResponse>> = {
  run({ live }) {
    const processors = Array.from({ length: live.threadCount }, (_, processor) => processor);
    return {
      threads: processors.map((processor) => new Thread(threadId(processor), `Processor ${processor}`)),
    };
  },
};
