import { Scope } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';
import { frameOf, registersReference } from '../references';

/** What a frame shows: the registers of its processor. */
export const scopes: Handler<Body<DebugProtocol.ScopesResponse>> = {
  run({ live }, args) {
    const { processor } = frameOf(args.integer('frameId', { min: 1 }));
    if (processor >= live.threadCount) args.fail('frameId', 'is not the id of a frame');
    const scope: DebugProtocol.Scope = new Scope(
      'Registers',
      registersReference({ processor, slot: 0 }),
      false,
    );
    return { scopes: [{ ...scope, presentationHint: 'registers' }] };
  },
};
