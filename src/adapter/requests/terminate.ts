import { TerminatedEvent } from '@vscode/debugadapter';
import type { Handler } from '../handler';

/** Ends the session for everybody (`qq`); the kernel stays as it is, halted if it was. */
export const terminate: Handler<undefined> = {
  capabilities: { supportsTerminateRequest: true },
  showErrors: true,
  async run(adapter) {
    if (adapter.current) {
      await adapter.current.end();
    } else {
      // Still opening, or over already.
      await adapter.leave(false);
      adapter.send(new TerminatedEvent());
    }
    return undefined;
  },
};
