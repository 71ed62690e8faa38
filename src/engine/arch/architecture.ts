/**
 * An architecture is a plain value: tables and functions, filled in once per CPU (x64.ts). The engine never asks
 * for the host's own architecture.
 */

/** Which of a processor's two saved blocks a register lives in: the CONTEXT record or KSPECIAL_REGISTERS. */
export type RegisterArea = 'context' | 'special';

export type RegisterGroup = 'integer' | 'control' | 'segment' | 'debug' | 'float' | 'vector' | 'special';

/** One row of a register table. `eax` is a row of its own: 4 bytes at the offset of `rax`. */
export interface RegisterInfo {
  readonly name: string;
  readonly area: RegisterArea;
  /** Byte offset in its area. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: 1 | 2 | 4 | 8 | 10 | 16;
  readonly group: RegisterGroup;
  /** Set for a part of a larger register (`eax` of `rax`) and for flags (`zf` of `efl`). */
  readonly partOf?: string;
  /** For a flag: its bit and width within the register at `offset`. */
  readonly bit?: number;
  readonly bits?: number;
}

/** One decoded instruction, ready to show. */
export interface Instruction {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** Lower case, e.g. `mov`; `???` where the bytes are no instruction. */
  readonly mnemonic: string;
  /** WinDbg's MASM-like form with symbols resolved, e.g. `rax,qword ptr [rsp+8]`. */
  readonly operands: string;
  readonly flow: 'next' | 'call' | 'return' | 'jump' | 'conditional' | 'interrupt' | 'invalid';
  /** Target of a direct call or jump. */
  readonly branchTarget?: bigint;
}

/** Gives `module!name+0x12` for an address, or undefined when nothing is near. */
export type SymbolNamer = (address: bigint) => string | undefined;

export interface Architecture {
  readonly name: 'amd64' | 'x86' | 'arm64';
  /** IMAGE_FILE_MACHINE_*, e.g. 0x8664. */
  readonly machineType: number;
  readonly pointerSize: 4 | 8;
  readonly pageSize: number;
  /** Size in bytes of CONTEXT and of KSPECIAL_REGISTERS. */
  readonly contextSize: number;
  readonly specialSize: number;
  readonly registers: readonly RegisterInfo[];
  readonly instructionPointer: string;
  readonly stackPointer: string;
  readonly framePointer: string;
  readonly flagsRegister: string;
  /** The bytes of a software breakpoint. */
  readonly breakpoint: Uint8Array;
  readonly maxInstructionLength: number;
  /** Decodes up to `count` instructions; stops where `code` ends. A cut-off last instruction is left out. */
  disassemble(code: Uint8Array, address: bigint, count: number, namer?: SymbolNamer): Instruction[];
}
