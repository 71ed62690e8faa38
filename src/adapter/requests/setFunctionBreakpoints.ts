import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';
import { refuseConditions } from './common';

/** Replaces this client's function breakpoints. A name is anything `bp` takes: `demo!Dispatch`, `nt!KeBugCheckEx+5`. */
export const setFunctionBreakpoints: Handler<Body<DebugProtocol.SetFunctionBreakpointsResponse>> = {
  capabilities: { supportsFunctionBreakpoints: true },
  async run({ live }, args, { signal }) {
    const wanted = args.objects('breakpoints');
    wanted.forEach(refuseConditions);
    const names = wanted.map((each) => each.string('name'));
    return { breakpoints: await live.breakpoints.set('function', names, signal) };
  },
};
