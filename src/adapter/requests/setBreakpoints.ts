import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';

const why =
  'Breakpoints in source files need line information, which is not read yet; use a function breakpoint.';

/** Source breakpoints: every one is answered, none is verified. */
export const setBreakpoints: Handler<Body<DebugProtocol.SetBreakpointsResponse>> = {
  run(_adapter, args) {
    const count = args.has('breakpoints') ? args.objects('breakpoints').length : args.numbers('lines').length;
    const answer: DebugProtocol.Breakpoint = { verified: false, reason: 'failed', message: why };
    return { breakpoints: Array.from({ length: count }, () => ({ ...answer })) };
  },
};
