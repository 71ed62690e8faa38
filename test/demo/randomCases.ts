/**
 * Random instructions for the comparison with QEMU: cases for machine-asm/random.S, made from a seed. A case is what
 * the registers are before, a few bytes of code, and which flags the manuals leave undefined after it.
 */

/** A small generator of its own, so that a seed means the same everywhere (xorshift32). */
export class Random {
  constructor(private state: number) {}
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (this.state = x >>> 0);
  }
  below(limit: number): number {
    return this.next() % limit;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  bits64(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next());
  }
}

export const caseBytes = 256;
export const resultBytes = 176;
export const casesOffset = 0x10000;

/** Addresses of the playground that random.S maps. */
const codePage = 0x40000000;
const window = 0x40004f00;
const kernelCode = 0x10;
const kernelData = 0x18;
const userData = 0x23;
const userCode = 0x2b;

const trapFlag = 0x100;

export interface Case {
  registers: bigint[];
  flags: number;
  rip: number;
  user: boolean;
  code: number[];
  seed: bigint;
}

export function encodeCases(cases: readonly Case[]): Buffer {
  const bytes = Buffer.alloc(8 + cases.length * caseBytes);
  bytes.writeBigUInt64LE(BigInt(cases.length), 0);
  cases.forEach((c, index) => {
    const at = 8 + index * caseBytes;
    c.registers.forEach((value, i) => bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at + 8 * i));
    bytes.writeBigUInt64LE(BigInt(c.flags), at + 128);
    bytes.writeBigUInt64LE(BigInt(c.rip), at + 136);
    bytes.writeBigUInt64LE(BigInt(c.user ? userCode : kernelCode), at + 144);
    bytes.writeBigUInt64LE(BigInt(c.user ? userData : kernelData), at + 152);
    bytes.fill(0xcc, at + 160, at + 192);
    Buffer.from(c.code).copy(bytes, at + 160);
    bytes.writeBigUInt64LE(c.seed, at + 192);
  });
  return bytes;
}

const interesting = [0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n];
const wide = [
  0xffffffffn,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
  0xffffffff80000000n,
];

function randomRegister(random: Random): bigint {
  const kind = random.below(10);
  if (kind < 4) return BigInt(window + 128 + random.below(256));
  if (kind < 5) return BigInt(random.below(70));
  if (kind < 6) return BigInt(codePage + (2 + random.below(14)) * 0x1000 + random.pick([0, 8, 0x800, 0xffc]));
  if (kind < 8) return random.pick(interesting) ^ (random.chance(20) ? random.pick(wide) : 0n);
  if (kind < 9) return random.pick(wide) - BigInt(random.below(3));
  return random.bits64();
}

/** ALU flags at random; the direction flag now and then. */
function randomFlags(random: Random): number {
  return 2 | (random.next() & 0x8d5) | (random.chance(20) ? 0x400 : 0);
}

export function randomCase(random: Random, code: number[], user: boolean, step: boolean): Case {
  const registers = Array.from({ length: 16 }, () => randomRegister(random));
  registers[4] = BigInt(window + 256 + random.below(8) * 8);
  if (random.chance(3)) registers[4] = randomRegister(random);
  if (random.chance(50)) registers[1] = BigInt(random.below(70));
  // Now and then the instruction crosses into the second code page, or runs into the hole behind it.
  const edge = random.below(20);
  const offset = edge === 0 ? 0x1000 - 1 - random.below(14) : 0x100 + random.below(64);
  const rip = codePage + (edge === 1 ? 0x1fe0 : offset);
  const flags = randomFlags(random) | (step ? trapFlag : 0);
  return { registers, flags, rip, user, code, seed: random.bits64() };
}

type Form = '' | 'm' | 'mb' | 'b' | 'z' | 'v' | 'w' | 'mz' | 'wb' | 'o' | 'g3' | 'g3b';
// Opcode, what follows (m: ModRM, b w z v: immediates, o: absolute address, g3: group 3), allowed values of ModRM.reg.
type Template = [opcode: number[], form: Form, reg?: number[]];

const below8 = [0, 1, 2, 3, 4, 5, 6, 7];
const templates: Template[] = [];
for (let op = 0; op < 0x40; op += 8) {
  for (let i = 0; i < 4; i++) templates.push([[op + i], 'm']);
  templates.push([[op + 4], 'b'], [[op + 5], 'z']);
}
for (let i = 0; i < 8; i++) {
  templates.push([[0x50 + i], ''], [[0x58 + i], ''], [[0x90 + i], ''], [[0xb0 + i], 'b'], [[0xb8 + i], 'v']);
  templates.push([[0x0f, 0xc8 + i], '']);
}
for (let i = 0; i < 16; i++) {
  templates.push([[0x70 + i], 'b'], [[0x0f, 0x40 + i], 'm'], [[0x0f, 0x90 + i], 'm']);
}
templates.push(
  ...([
    [[0x63], 'm'],
    [[0x68], 'z'],
    [[0x69], 'mz'],
    [[0x6a], 'b'],
    [[0x6b], 'mb'],
    [[0x80], 'mb', below8],
    [[0x81], 'mz', below8],
    [[0x83], 'mb', below8],
    [[0x84], 'm'],
    [[0x85], 'm'],
    [[0x86], 'm'],
    [[0x87], 'm'],
    [[0x88], 'm'],
    [[0x89], 'm'],
    [[0x8a], 'm'],
    [[0x8b], 'm'],
    [[0x8c], 'm', [0, 2, 3, 4, 5]],
    [[0x8d], 'm'],
    [[0x8f], 'm', [0]],
    [[0x98], ''],
    [[0x99], ''],
    [[0x9c], ''],
    [[0x9e], ''],
    [[0x9f], ''],
    [[0xa0], 'o'],
    [[0xa1], 'o'],
    [[0xa2], 'o'],
    [[0xa3], 'o'],
    [[0xa4], ''],
    [[0xa5], ''],
    [[0xa6], ''],
    [[0xa7], ''],
    [[0xa8], 'b'],
    [[0xa9], 'z'],
    [[0xaa], ''],
    [[0xab], ''],
    [[0xac], ''],
    [[0xad], ''],
    [[0xae], ''],
    [[0xaf], ''],
    [[0xc0], 'mb', below8],
    [[0xc1], 'mb', below8],
    [[0xc6], 'mb', [0]],
    [[0xc7], 'mz', [0]],
    [[0xc8], 'wb'],
    [[0xc9], ''],
    [[0xd0], 'm', below8],
    [[0xd1], 'm', below8],
    [[0xd2], 'm', below8],
    [[0xd3], 'm', below8],
    [[0xd7], ''],
    [[0xe3], 'b'],
    [[0xe0], 'b'],
    [[0xe1], 'b'],
    [[0xe2], 'b'],
    [[0xf5], ''],
    [[0xf8], ''],
    [[0xf9], ''],
    [[0xfc], ''],
    [[0xfd], ''],
    [[0xf6], 'g3b', [0, 2, 3, 4, 5, 6, 7]],
    [[0xf7], 'g3', [0, 2, 3, 4, 5, 6, 7]],
    [[0xfe], 'm', [0, 1]],
    [[0xff], 'm', [0, 1, 6]],
    [[0x0f, 0xa3], 'm'],
    [[0x0f, 0xab], 'm'],
    [[0x0f, 0xb3], 'm'],
    [[0x0f, 0xbb], 'm'],
    [[0x0f, 0xba], 'mb', [4, 5, 6, 7]],
    [[0x0f, 0xa4], 'mb'],
    [[0x0f, 0xa5], 'm'],
    [[0x0f, 0xac], 'mb'],
    [[0x0f, 0xad], 'm'],
    [[0x0f, 0xaf], 'm'],
    [[0x0f, 0xb0], 'm'],
    [[0x0f, 0xb1], 'm'],
    [[0x0f, 0xb6], 'm'],
    [[0x0f, 0xb7], 'm'],
    [[0x0f, 0xbe], 'm'],
    [[0x0f, 0xbf], 'm'],
    [[0x0f, 0xbc], 'm'],
    [[0x0f, 0xbd], 'm'],
    [[0x0f, 0xc0], 'm'],
    [[0x0f, 0xc1], 'm'],
    [[0x0f, 0xc3], 'm'],
    [[0x0f, 0xc7], 'm', [1]],
    [[0x0f, 0x1f], 'm'],
    [[0x0f, 0x0b], ''],
    [[0xcc], ''],
    [[0xc3], ''],
    [[0xc2], 'w'],
    [[0xe8], 'z'],
    [[0xe9], 'z'],
    [[0xeb], 'b'],
    [[0xff], 'm', [2, 4]],
  ] satisfies Template[]),
);
/** Not in sequences, which must come to their end. */
const branches = new Set([0xe0, 0xe1, 0xe2, 0xe3, 0xe8, 0xe9, 0xeb, 0xc2, 0xc3]);

function bytes(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.below(256));
}

/** ModRM with SIB and displacement. Most memory operands are plain, so that they hit the data window. */
function modrm(random: Random, reg: number): number[] {
  const mod = random.pick([0, 0, 1, 1, 1, 2, 3, 3, 3]);
  const rm = random.below(8);
  const out = [(mod << 6) | (reg << 3) | rm];
  if (mod === 3) return out;
  let base = rm;
  if (rm === 4) {
    base = random.below(8);
    out.push((random.pick([0, 0, 1, 3]) << 6) | (random.chance(50) ? 4 << 3 : random.below(8) << 3) | base);
  }
  if (mod === 1) out.push(random.below(256));
  else if (mod === 2 || (mod === 0 && base === 5)) {
    // Near, but not over the code itself: QEMU starts an instruction again that changes its own bytes.
    const near = random.chance(60) ? random.below(64) + 32 : random.next() | 0;
    out.push(near & 255, (near >> 8) & 255, (near >> 16) & 255, (near >> 24) & 255);
  }
  return out;
}

/** One instruction; `alone`: it may go elsewhere, or leave flags undefined that the next one could look at. */
export function randomInstruction(random: Random, alone: boolean): number[] {
  let template = random.pick(templates);
  while (!alone && (isBranch(template) || isLoose(template))) template = random.pick(templates);
  const [opcode, form, regs] = template;
  const branch = isBranch(template);
  const out: number[] = [];
  const data16 = !branch && random.chance(20);
  if (data16) out.push(0x66);
  if (random.chance(5)) out.push(0x67);
  const string =
    opcode.length === 1 && opcode[0]! >= 0xa4 && opcode[0]! <= 0xaf && (opcode[0]! & 0xfe) !== 0xa8;
  if (string && random.chance(50)) out.push(random.pick([0xf2, 0xf3]));
  const rex = random.chance(50) ? 0x40 | random.below(16) : 0;
  if (rex) out.push(rex);
  out.push(...opcode);
  const wideOperand = (rex & 8) !== 0;
  const reg = regs ? random.pick(regs) : random.below(8);
  const z = data16 && !wideOperand ? 2 : 4;
  if (form.startsWith('m') || form.startsWith('g3')) {
    let operand = modrm(random, reg);
    // SHLD and SHRD with an immediate: QEMU 7 miscalculates a RIP-relative address.
    if (opcode[1] === 0xa4 || opcode[1] === 0xac)
      while ((operand[0]! & 0xc7) === 5) operand = modrm(random, reg);
    out.push(...operand);
  }
  if (form === 'b' || form === 'mb' || (form === 'g3b' && reg < 2)) out.push(random.below(256));
  if (form === 'z' || form === 'mz' || (form === 'g3' && reg < 2)) out.push(...bytes(random, z));
  if (form === 'w') out.push(random.below(64), 0);
  if (form === 'wb') out.push(random.below(64), 0, random.chance(70) ? 0 : random.below(4));
  if (form === 'v') out.push(...bytes(random, wideOperand ? 8 : z));
  if (form === 'o') {
    const address = window + 128 + random.below(256);
    const tail = out.includes(0x67) ? [] : [0, 0, 0, 0];
    out.push(address & 255, (address >> 8) & 255, (address >> 16) & 255, address >>> 24, ...tail);
  }
  return out;
}

function isBranch([opcode, , regs]: Template): boolean {
  if (opcode.length > 1) return false;
  return (
    branches.has(opcode[0]!) ||
    opcode[0]! >> 4 === 7 ||
    opcode[0] === 0xcc ||
    (opcode[0] === 0xff && regs?.includes(2) === true)
  );
}

/** BT, BTS, BTR, BTC define CF only; after CMPXCHG8B, QEMU 7 has its other flags wrong. */
function isLoose([opcode]: Template): boolean {
  return [0xa3, 0xab, 0xb3, 0xbb, 0xba, 0xc7].includes(opcode[1] ?? 0);
}

/** Any bytes at all; only for user mode, where they can do no harm. */
export function randomBytes(random: Random): number[] {
  const out: number[] = [];
  while (random.chance(30))
    out.push(random.pick([0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x64, 0x40 | random.below(16)]));
  if (random.chance(40)) out.push(0x0f);
  return [...out, ...bytes(random, 12)];
}
