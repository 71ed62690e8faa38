import type { DebugProtocol } from '@vscode/debugprotocol';
import type { RegisterValue } from '../../engine/session/protocol';
import type { Body, Handler } from '../handler';
import { registersOf, registersReference } from '../references';
import { registerGroups, shownValue } from '../registerGroups';

/** The register groups of a processor, or the registers of one group. */
export const variables: Handler<Body<DebugProtocol.VariablesResponse>> = {
  needsStop: true,
  async run({ live }, args, { signal }) {
    const { processor, slot } = registersOf(args.integer('variablesReference', { min: 1 }));
    const group = registerGroups[slot - 1];
    if (processor >= live.threadCount || (slot !== 0 && !group)) {
      args.fail('variablesReference', 'is not one this adapter has given out');
    }
    const { registers } = await live.session.request('registers', { processor }, signal);
    if (group) return { variables: page(registers.filter(group.holds).map(registerVariable), args) };
    const groups = registerGroups.map(({ name, holds }, index) => ({
      name,
      value: '',
      variablesReference: registersReference({ processor, slot: index + 1 }),
      namedVariables: registers.filter(holds).length,
      presentationHint: { attributes: ['readOnly'] },
    }));
    // A group the target has no registers of is not shown.
    return {
      variables: page(
        groups.filter((each) => each.namedVariables > 0),
        args,
      ),
    };
  },
};

function registerVariable(register: RegisterValue): DebugProtocol.Variable {
  const value = shownValue(register);
  return {
    name: register.name,
    value,
    type: `${register.bits} bit${register.bits === 1 ? '' : 's'}`,
    evaluateName: `@${register.name}`,
    variablesReference: 0,
    // Anything as wide as a pointer may be one.
    ...(register.bits === 64 ? { memoryReference: value } : {}),
  };
}

/** `start` and `count` as DAP means them: no count, or 0, is all. */
function page<T>(
  items: T[],
  args: { optionalInteger(name: string, range: { min: number }): number | undefined },
): T[] {
  const start = args.optionalInteger('start', { min: 0 }) ?? 0;
  const count = args.optionalInteger('count', { min: 0 }) || items.length;
  return items.slice(start, start + count);
}
