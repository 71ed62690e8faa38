import type { Handler } from '../handler';

/** From now on the client hears of stops; first of the one the target may be in. */
export const configurationDone: Handler<undefined> = {
  capabilities: { supportsConfigurationDoneRequest: true },
  run(adapter, _args, call) {
    const { live } = adapter;
    call.afterResponse(() => live.run.start());
    return undefined;
  },
};
