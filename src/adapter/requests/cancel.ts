import type { Handler } from '../handler';

/**
 * Ends a request under way, which then answers `cancelled`. Cancelling the wait for the target ends an owned session
 * and leaves a joined one.
 */
export const cancel: Handler<undefined> = {
  capabilities: { supportsCancelRequest: true },
  async run(adapter, args) {
    const request = args.optionalInteger('requestId');
    const progress = args.optionalString('progressId');
    // A request that has been answered meanwhile is no error.
    if (request !== undefined) adapter.cancelRequest(request);
    if (progress !== undefined && adapter.current?.isConnecting(progress)) await adapter.current.giveUp();
    return undefined;
  },
};
