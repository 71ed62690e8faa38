import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';
import { resume, threadArgument } from './common';

/** Sets the whole machine running (`g`). */
export const continueRequest: Handler<Body<DebugProtocol.ContinueResponse>> = {
  showErrors: true,
  needsStop: true,
  async run({ live }, args, call) {
    threadArgument(live, args);
    await resume(live, 'go', undefined, call);
    return { allThreadsContinued: true };
  },
};
