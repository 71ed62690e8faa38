import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';

/** There are no filters to choose from: the kernel hands the debugger what it does not handle itself. */
export const setExceptionBreakpoints: Handler<Body<DebugProtocol.SetExceptionBreakpointsResponse>> = {
  capabilities: { exceptionBreakpointFilters: [] },
  run(_adapter, args) {
    const filters = args.strings('filters') ?? [];
    return {
      breakpoints: filters.map((name) => ({ verified: false, message: `There is no filter '${name}'.` })),
    };
  },
};
