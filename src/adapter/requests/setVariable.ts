import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';
import { registersOf } from '../references';
import { registerGroups, shownValue } from '../registerGroups';

/** Sets a register. The value is an expression as in the debugger: `@rsp+8`, `1f` (hexadecimal), `0n31`. */
export const setVariable: Handler<Body<DebugProtocol.SetVariableResponse>> = {
  capabilities: { supportsSetVariable: true },
  showErrors: true,
  needsStop: true,
  async run({ live }, args, { signal }) {
    const { processor, slot } = registersOf(args.integer('variablesReference', { min: 1 }));
    const group = registerGroups[slot - 1];
    if (processor >= live.threadCount || !group)
      return args.fail('variablesReference', 'holds nothing that can be set');
    const name = args.string('name');
    const { registers } = await live.session.request('registers', { processor }, signal);
    const register = registers.find((each) => each.name === name && group.holds(each));
    if (!register) return args.fail('name', `is no register of the group ${group.name}`);
    const params = { processor, name, value: args.string('value').trim() };
    const result = await live.session.request('setRegister', params, signal);
    return { value: shownValue({ ...register, value: result.value }) };
  },
};
