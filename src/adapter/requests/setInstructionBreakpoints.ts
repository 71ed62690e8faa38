import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';
import { formatAddress } from '../references';
import { memoryArgument, refuseConditions } from './common';

/** Replaces this client's instruction breakpoints. */
export const setInstructionBreakpoints: Handler<Body<DebugProtocol.SetInstructionBreakpointsResponse>> = {
  capabilities: { supportsInstructionBreakpoints: true },
  async run({ live }, args, { signal }) {
    const wanted = args.objects('breakpoints');
    wanted.forEach(refuseConditions);
    const addresses: string[] = [];
    for (const each of wanted) {
      const { address } = await memoryArgument(live, each, 'instructionReference', signal);
      addresses.push(formatAddress(address));
    }
    return { breakpoints: await live.breakpoints.set('instruction', addresses, signal) };
  },
};
