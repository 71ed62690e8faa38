import type { Handler } from '../handler';

/**
 * The client leaves. A joined session goes on; an owned one ends, and the target runs on without breakpoints unless
 * `suspendDebuggee` asks to leave it halted. `terminateDebuggee` ends the session for everybody, like `terminate`.
 */
export const disconnect: Handler<undefined> = {
  capabilities: { supportTerminateDebuggee: true, supportSuspendDebuggee: true },
  async run(adapter, args, call) {
    const terminate = args.boolean('terminateDebuggee') ?? false;
    const suspend = args.boolean('suspendDebuggee') ?? false;
    call.afterResponse(() => adapter.finish());
    if (terminate) await adapter.current?.end();
    await adapter.leave(suspend);
    return undefined;
  },
};
