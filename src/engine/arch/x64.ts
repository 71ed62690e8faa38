/** The x64 architecture as a value. */
import type { Architecture } from './architecture';
import { disassembleX64 } from './x64Disassembler';
import { CONTEXT_SIZE, SPECIAL_SIZE, x64Registers } from './x64Registers';

export const x64: Architecture = {
  name: 'amd64',
  machineType: 0x8664,
  pointerSize: 8,
  pageSize: 0x1000,
  contextSize: CONTEXT_SIZE,
  specialSize: SPECIAL_SIZE,
  registers: x64Registers,
  instructionPointer: 'rip',
  stackPointer: 'rsp',
  framePointer: 'rbp',
  flagsRegister: 'efl',
  breakpoint: Uint8Array.of(0xcc),
  maxInstructionLength: 15,
  disassemble: disassembleX64,
};
