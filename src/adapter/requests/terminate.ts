import type { Handler } from '../handler';

/** Ends the session for everybody (`qq`); the kernel stays as it is, halted if it was. */
export const terminate: Handler<undefined> = {
  capabilities: { supportsTerminateRequest: true },
  showErrors: true,
  async run(adapter) {
    await adapter.live.end();
    return undefined;
  },
};
