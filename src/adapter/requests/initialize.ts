import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';

/** Notes what the client can do and tells what the adapter can. */
export const initialize: Handler<Body<DebugProtocol.InitializeResponse>> = {
  run(adapter, args) {
    adapter.client = {
      clientID: args.optionalString('clientID'),
      columnsStartAt1: args.boolean('columnsStartAt1') ?? true,
      supportsANSIStyling: args.boolean('supportsANSIStyling') ?? false,
      supportsProgressReporting: args.boolean('supportsProgressReporting') ?? false,
      supportsInvalidatedEvent: args.boolean('supportsInvalidatedEvent') ?? false,
      supportsMemoryEvent: args.boolean('supportsMemoryEvent') ?? false,
    };
    return adapter.capabilities;
  },
};
