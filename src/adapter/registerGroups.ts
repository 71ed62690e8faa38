/** How registers are grouped under the scope *Registers*, and how their values are written. */
import type { RegisterValue } from '../engine/session/protocol';

export interface RegisterGroupView {
  readonly name: string;
  holds(register: RegisterValue): boolean;
}

/** Parts of registers (`eax`) repeat what the whole shows; of those only the flags are worth a row. */
const whole = (group: RegisterValue['group']) => (register: RegisterValue) =>
  register.group === group && register.partOf === undefined;

/** In the order they are shown; the position is part of the DAP reference. */
export const registerGroups: readonly RegisterGroupView[] = [
  { name: 'Integer', holds: whole('integer') },
  { name: 'Control', holds: whole('control') },
  { name: 'Flags', holds: ({ partOf, bits }) => partOf !== undefined && bits <= 2 },
  { name: 'Segments', holds: whole('segment') },
  { name: 'System', holds: whole('special') },
  { name: 'Debug', holds: whole('debug') },
  { name: 'Floating Point', holds: whole('float') },
  { name: 'Vector', holds: whole('vector') },
];

/** Hexadecimal, padded to the width of the register; flags as they are. */
export function shownValue({ value, bits }: RegisterValue): string {
  if (bits <= 2) return String(Number(value));
  return `0x${value.replace(/^0x/, '').padStart(Math.ceil(bits / 4), '0')}`;
}
