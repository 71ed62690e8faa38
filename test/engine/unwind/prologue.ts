/** Executes the prologue of a function as far as it moves the stack pointer and saves registers. */
import { x64 } from '../../../src/engine/arch/x64';
import type { SparseMemory } from './sparseMemory';

export const names = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
];
export const nonvolatile = [3, 5, 6, 7, 12, 13, 14, 15];

export interface CpuState {
  /** Bytes from the function's start. */
  readonly offset: number;
  readonly registers: readonly bigint[];
}

/** The states before each instruction of the prologue and right after it; undefined when it has one not known here. */
export function runPrologue(
  code: Uint8Array,
  size: number,
  initial: readonly bigint[],
  memory: SparseMemory,
): CpuState[] | undefined {
  const registers = [...initial];
  const states: CpuState[] = [];
  let offset = 0;
  for (const row of x64.disassemble(code.subarray(0, size + 16), 0n, 100)) {
    states.push({ offset, registers: [...registers] });
    if (offset >= size) return states;
    if (!execute(row.mnemonic, row.operands, registers, memory)) return undefined;
    offset += row.bytes.length;
  }
  return undefined;
}

const index = (name: string) => names.indexOf(name);
const number = (text: string) => BigInt(text.endsWith('h') ? `0x${text.slice(0, -1)}` : text);

function execute(mnemonic: string, operands: string, registers: bigint[], memory: SparseMemory): boolean {
  const [to = '', from = ''] = operands.split(',');
  const value = (name: string) => registers[index(name)] ?? 0n;
  const address = (text: string): bigint | undefined => {
    const match = /\[(\w+)(?:([+-])([0-9A-F]+h?))?\]$/.exec(text);
    if (!match || index(match[1] ?? '') < 0) return undefined;
    const distance = match[3] === undefined ? 0n : number(match[3]);
    return value(match[1] ?? '') + (match[2] === '-' ? -distance : distance);
  };
  if (mnemonic === 'push') {
    registers[4] = value('rsp') - 8n;
    memory.write(value('rsp'), value(to));
    return index(to) >= 0;
  }
  if (mnemonic === 'sub' && to === 'rsp') {
    registers[4] = value('rsp') - (index(from) >= 0 ? value(from) : number(from));
    return true;
  }
  if (mnemonic === 'lea' && index(to) >= 0) {
    registers[index(to)] = address(from) ?? 0n;
    return true;
  }
  if (mnemonic === 'mov' && index(to) >= 0) {
    registers[index(to)] = index(from) >= 0 ? value(from) : 0n;
    return true;
  }
  if (mnemonic === 'mov' && to === 'eax') {
    registers[0] = /^[0-9]/.test(from) ? number(from) : 0n;
    return true;
  }
  const place = mnemonic === 'mov' ? address(to) : undefined;
  if (place !== undefined && index(from) >= 0) memory.write(place, value(from));
  // What else compilers put there (stack probes, saves of xmm registers, moves of arguments) changes nothing of this.
  return true;
}
