/**
 * The register table of x64: where each register lives in the AMD64 CONTEXT record (winnt.h) and in
 * KSPECIAL_REGISTERS, under the names the debugger's users know. Tables only.
 */
import type { RegisterArea, RegisterGroup, RegisterInfo } from './architecture';

export const CONTEXT_SIZE = 0x4d0;
export const SPECIAL_SIZE = 0xe0;

type Row = readonly [name: string, offset: number, size: RegisterInfo['size']];

const context: Readonly<Partial<Record<RegisterGroup, readonly Row[]>>> = {
  integer: [
    ['rax', 0x78, 8],
    ['rbx', 0x90, 8],
    ['rcx', 0x80, 8],
    ['rdx', 0x88, 8],
    ['rsi', 0xa8, 8],
    ['rdi', 0xb0, 8],
    ['r8', 0xb8, 8],
    ['r9', 0xc0, 8],
    ['r10', 0xc8, 8],
    ['r11', 0xd0, 8],
    ['r12', 0xd8, 8],
    ['r13', 0xe0, 8],
    ['r14', 0xe8, 8],
    ['r15', 0xf0, 8],
  ],
  control: [
    ['rip', 0xf8, 8],
    ['rsp', 0x98, 8],
    ['rbp', 0xa0, 8],
    ['efl', 0x44, 4],
  ],
  segment: [
    ['cs', 0x38, 2],
    ['ds', 0x3a, 2],
    ['es', 0x3c, 2],
    ['fs', 0x3e, 2],
    ['gs', 0x40, 2],
    ['ss', 0x42, 2],
  ],
  debug: [
    ['exfrom', 0x4c8, 8],
    ['exto', 0x4c0, 8],
    ['brfrom', 0x4b8, 8],
    ['brto', 0x4b0, 8],
  ],
  float: [
    ['fpcw', 0x100, 2],
    ['fpsw', 0x102, 2],
    ['fptw', 0x104, 1],
    ['mxcsr', 0x34, 4],
  ],
};

/**
 * dr0..dr7 are the ones in force in the kernel (KernelDr0..); the ones in CONTEXT are what the interrupted
 * thread has for user mode.
 */
const special: Readonly<Partial<Record<RegisterGroup, readonly Row[]>>> = {
  debug: [
    ['dr0', 0x20, 8],
    ['dr1', 0x28, 8],
    ['dr2', 0x30, 8],
    ['dr3', 0x38, 8],
    ['dr6', 0x40, 8],
    ['dr7', 0x48, 8],
  ],
  special: [
    ['cr0', 0x00, 8],
    ['cr2', 0x08, 8],
    ['cr3', 0x10, 8],
    ['cr4', 0x18, 8],
    ['cr8', 0xa0, 8],
    ['gdtr', 0x58, 8],
    ['gdtl', 0x56, 2],
    ['idtr', 0x68, 8],
    ['idtl', 0x66, 2],
    ['tr', 0x70, 2],
    ['ldtr', 0x72, 2],
    ['kmxcsr', 0x74, 4],
    ['debugctl', 0x78, 8],
    ['gsbase', 0xa8, 8],
    ['gsswap', 0xb0, 8],
    ['star', 0xb8, 8],
    ['lstar', 0xc0, 8],
    ['cstar', 0xc8, 8],
    ['sfmask', 0xd0, 8],
    ['xcr0', 0xd8, 8],
  ],
};

/** The smaller parts of rax..rdx (with high bytes), of the registers with a low byte only, and of rip. */
const legacyParts: readonly (readonly [
  whole: string,
  dword: string,
  word: string,
  low: string,
  high?: string,
])[] = [
  ['rax', 'eax', 'ax', 'al', 'ah'],
  ['rbx', 'ebx', 'bx', 'bl', 'bh'],
  ['rcx', 'ecx', 'cx', 'cl', 'ch'],
  ['rdx', 'edx', 'dx', 'dl', 'dh'],
  ['rsi', 'esi', 'si', 'sil'],
  ['rdi', 'edi', 'di', 'dil'],
  ['rbp', 'ebp', 'bp', 'bpl'],
  ['rsp', 'esp', 'sp', 'spl'],
  ...[8, 9, 10, 11, 12, 13, 14, 15].map((n) => [`r${n}`, `r${n}d`, `r${n}w`, `r${n}b`] as const),
];

/** Flags by name: lowest bit and width in EFLAGS. */
const flags: readonly (readonly [name: string, bit: number, bits: number])[] = [
  ['iopl', 12, 2],
  ['of', 11, 1],
  ['df', 10, 1],
  ['if', 9, 1],
  ['tf', 8, 1],
  ['sf', 7, 1],
  ['zf', 6, 1],
  ['af', 4, 1],
  ['pf', 2, 1],
  ['cf', 0, 1],
  ['vip', 20, 1],
  ['vif', 19, 1],
];

const ST_BASE = 0x120;
const XMM_BASE = 0x1a0;
const FLAGS_OFFSET = 0x44;
const RIP_OFFSET = 0xf8;

export const x64Registers: readonly RegisterInfo[] = build();

function build(): RegisterInfo[] {
  const rows: RegisterInfo[] = [];
  const area = (name: RegisterArea, table: Readonly<Partial<Record<RegisterGroup, readonly Row[]>>>) => {
    for (const [group, list] of Object.entries(table) as [RegisterGroup, readonly Row[]][]) {
      for (const [register, offset, size] of list)
        rows.push({ name: register, area: name, offset, size, group });
    }
  };
  area('context', context);
  area('special', special);
  for (let i = 0; i < 8; i++) {
    rows.push({ name: `st${i}`, area: 'context', offset: ST_BASE + 16 * i, size: 10, group: 'float' });
  }
  for (let i = 0; i < 16; i++) {
    rows.push({ name: `xmm${i}`, area: 'context', offset: XMM_BASE + 16 * i, size: 16, group: 'vector' });
  }
  const part = (
    name: string,
    whole: string,
    offset: number,
    size: RegisterInfo['size'],
    group: RegisterGroup,
  ) => rows.push({ name, area: 'context', offset, size, group, partOf: whole });
  for (let i = 0; i < 8; i++) part(`mm${i}`, `st${i}`, ST_BASE + 16 * i, 8, 'float');
  for (const [whole, dword, word, low, high] of legacyParts) {
    const row = rows.find((candidate) => candidate.name === whole);
    if (!row) continue;
    part(dword, whole, row.offset, 4, row.group);
    part(word, whole, row.offset, 2, row.group);
    part(low, whole, row.offset, 1, row.group);
    if (high !== undefined) part(high, whole, row.offset + 1, 1, row.group);
  }
  part('eip', 'rip', RIP_OFFSET, 4, 'control');
  part('ip', 'rip', RIP_OFFSET, 2, 'control');
  part('fl', 'efl', FLAGS_OFFSET, 2, 'control');
  for (const [name, bit, bits] of flags) {
    rows.push({
      name,
      area: 'context',
      offset: FLAGS_OFFSET,
      size: 4,
      group: 'control',
      partOf: 'efl',
      bit,
      bits,
    });
  }
  return rows;
}
