import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { imageInFile, readPeHeaders, type PeHeaders } from '../../../src/engine/image/pe';
import type { ImageReader } from '../../../src/engine/image/reader';
import { FunctionTable, type RuntimeFunction } from '../../../src/engine/unwind/functionTable';
import { parseUnwindInfo } from '../../../src/engine/unwind/unwindInfo';
import { unwindX64, walkX64, type UnwindSource, type X64Frame } from '../../../src/engine/unwind/x64';
import { nonvolatile, runPrologue } from './prologue';
import { SparseMemory } from './sparseMemory';

/** A real image that comes with the serial port package; its table has 629 entries. */
const file = readFileSync(
  'node_modules/@serialport/bindings-cpp/prebuilds/win32-x64/@serialport+bindings-cpp.node',
);
const FUNCTIONS = 629;
const BASE = 0xfffff80000000000n;
const STACK = 0xfffff80030004000n;
const RETURN = BASE + 0x1010n;

let read: ImageReader;
let headers: PeHeaders;
let all: RuntimeFunction[];

beforeAll(async () => {
  read = await imageInFile(file);
  const found = await readPeHeaders(read);
  if (!found) throw new Error('no headers');
  headers = found;
  const table = await read(headers.exceptions.rva, headers.exceptions.size);
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  all = Array.from({ length: Math.floor(table.length / 12) }, (_, i) => ({
    begin: view.getUint32(12 * i, true),
    end: view.getUint32(12 * i + 4, true),
    unwind: view.getUint32(12 * i + 8, true),
  }));
});

describe('function table', () => {
  it('finds each function by its first and last byte, and nothing between functions', async () => {
    const table = new FunctionTable(
      read,
      headers.exceptions.rva,
      headers.exceptions.size,
      headers.sizeOfImage,
    );
    expect(all).toHaveLength(FUNCTIONS);
    for (const [i, entry] of all.entries()) {
      expect(await table.find(entry.begin)).toEqual(entry);
      expect(await table.find(entry.end - 1)).toEqual(entry);
      const next = all[i + 1];
      if (next && next.begin > entry.end) expect(await table.find(entry.end)).toBeUndefined();
    }
    expect(await table.find(0)).toBeUndefined();
    expect(await table.find(0x7fffffff)).toBeUndefined();
  });

  it('reads few blocks for one look-up', async () => {
    let reads = 0;
    const counting: ImageReader = (rva, length) => {
      reads++;
      return read(rva, length);
    };
    for (const entry of all.filter((_, i) => i % 50 === 0)) {
      const table = new FunctionTable(
        counting,
        headers.exceptions.rva,
        headers.exceptions.size,
        headers.sizeOfImage,
      );
      await table.find(entry.begin);
    }
    expect(reads / Math.ceil(all.length / 50)).toBeLessThan(3.5);
  });
});

function sourceOver(memory: SparseMemory, table: FunctionTable, size: number): UnwindSource {
  return {
    read: memory.read,
    async functionAt(address) {
      if (address < BASE || address >= BASE + BigInt(size)) return undefined;
      return { imageBase: BASE, entry: await table.find(Number(address - BASE)) };
    },
  };
}

/** The image of the file as mapped. */
async function mapped(): Promise<Uint8Array> {
  const bytes = new Uint8Array(headers.sizeOfImage);
  bytes.set(await read(0, headers.sizeOfHeaders));
  for (const { virtualAddress, virtualSize } of headers.sections) {
    bytes.set(await read(virtualAddress, virtualSize), virtualAddress);
  }
  return bytes;
}

describe('unwinding real prologues', () => {
  it('finds the caller from every instruction of every prologue', async () => {
    const image = await mapped();
    const table = new FunctionTable(
      read,
      headers.exceptions.rva,
      headers.exceptions.size,
      headers.sizeOfImage,
    );
    let checked = 0;
    for (const entry of all) {
      const info = parseUnwindInfo(image.subarray(entry.unwind));
      expect(info).toBeDefined();
      if (!info || info.chained) continue;
      const memory = new SparseMemory();
      memory.map(BASE, image);
      const initial = Array.from({ length: 16 }, (_, i) => 0x1111_0000n + BigInt(i));
      initial[4] = STACK;
      memory.write(STACK, RETURN);
      const states = runPrologue(image.subarray(entry.begin, entry.end), info.prologSize, initial, memory);
      for (const { offset, registers } of states ?? []) {
        const frame: X64Frame = { pc: BASE + BigInt(entry.begin + offset), registers, interrupted: true };
        const caller = await unwindX64(frame, sourceOver(memory, table, image.length));
        const place = `${entry.begin.toString(16)}+${offset.toString(16)}`;
        expect([place, caller?.pc, caller?.registers[4]]).toEqual([place, RETURN, STACK + 8n]);
        for (const i of nonvolatile) expect([place, caller?.registers[i]]).toEqual([place, initial[i]]);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(2000);
  });
});

/** A function at 0x1000 with the given code and unwind data, called from 0x2000. */
function craft(
  code: readonly number[],
  unwind: readonly number[],
  words: Readonly<Record<string, bigint>> = {},
) {
  const image = new Uint8Array(0x4000);
  image.set(code, 0x1000);
  image.set(unwind, 0x3000);
  new DataView(image.buffer).setUint32(0x3800, 0x1000, true);
  new DataView(image.buffer).setUint32(0x3804, 0x1000 + code.length, true);
  new DataView(image.buffer).setUint32(0x3808, 0x3000, true);
  const memory = new SparseMemory();
  memory.map(BASE, image);
  for (const [offset, value] of Object.entries(words)) memory.write(STACK + BigInt(offset), value);
  const table = new FunctionTable(
    (rva, length) => memory.read(BASE + BigInt(rva), length),
    0x3800,
    12,
    0x4000,
  );
  const source = sourceOver(memory, table, image.length);
  return (offset: number, registers: Readonly<Record<number, bigint>> = {}) => {
    const all16 = Array.from({ length: 16 }, (_, i) => registers[i] ?? (i === 4 ? STACK : BigInt(i)));
    return unwindX64({ pc: BASE + 0x1000n + BigInt(offset), registers: all16, interrupted: true }, source);
  };
}

const CALLER = BASE + 0x2000n;

describe('unwinding crafted functions', () => {
  // push rbp; sub rsp,20h; lea rbp,[rsp+10h]; nop; lea rsp,[rbp+10h]; pop rbp; ret
  const framed = [
    0x55, 0x48, 0x83, 0xec, 0x20, 0x48, 0x8d, 0x6c, 0x24, 0x10, 0x90, 0x48, 0x8d, 0x65, 0x10, 0x5d, 0xc3,
  ];
  const framedUnwind = [1, 10, 3, 0x15, 10, 3, 5, 0x32, 1, 0x50, 0, 0];

  it('uses the frame register once it is set, wherever the stack pointer is', async () => {
    const unwind = craft(framed, framedUnwind, { 0x120: 0xbbn, 0x128: CALLER });
    const caller = await unwind(10, { 4: STACK - 0x500n, 5: STACK + 0x110n });
    expect([caller?.pc, caller?.registers[4], caller?.registers[5]]).toEqual([CALLER, STACK + 0x130n, 0xbbn]);
  });

  it('does what is left of an epilogue', async () => {
    const before = craft(framed, framedUnwind, { 0x120: 0xbbn, 0x128: CALLER });
    expect((await before(11, { 5: STACK + 0x110n }))?.pc).toBe(CALLER);
    const atPop = craft(framed, framedUnwind, { 0: 0xbbn, 8: CALLER });
    const caller = await atPop(15);
    expect([caller?.pc, caller?.registers[4], caller?.registers[5]]).toEqual([CALLER, STACK + 16n, 0xbbn]);
    const atReturn = craft(framed, framedUnwind, { 0: CALLER });
    expect((await atReturn(16))?.registers[4]).toBe(STACK + 8n);
  });

  it('takes a jump out of the function as its end, a jump within as ordinary code', async () => {
    // sub rsp,28h; add rsp,28h; jmp to 0x1100 (a tail call)
    const tail = [0x48, 0x83, 0xec, 0x28, 0x48, 0x83, 0xc4, 0x28, 0xe9, 0xf3, 0, 0, 0];
    const unwindTail = craft(tail, [1, 4, 1, 0, 4, 0x42, 0, 0], { 0: CALLER, 0x28: BASE + 0x2222n });
    expect((await unwindTail(8))?.pc).toBe(CALLER);
    const loop = [0x48, 0x83, 0xec, 0x28, 0xeb, 0xfe, 0x90];
    const unwindLoop = craft(loop, [1, 4, 1, 0, 4, 0x42, 0, 0], { 0: BASE + 0x2222n, 0x28: CALLER });
    expect((await unwindLoop(4))?.pc).toBe(CALLER);
  });

  it('knows the epilogues that version 2 lists, and no others', async () => {
    // push rbx; sub rsp,20h; pop rbx (in the body); ret (in the body); add rsp,20h; pop rbx; ret
    const code = [0x53, 0x48, 0x83, 0xec, 0x20, 0x5b, 0xc3, 0x90, 0x48, 0x83, 0xc4, 0x20, 0x5b, 0xc3];
    const info = [2, 5, 4, 0, 2, 0x16, 0, 6, 5, 0x32, 1, 0x30];
    const inBody = craft(code, info, { 0x20: 0xbbn, 0x28: CALLER, 0: 1n, 8: BASE + 0x2222n });
    expect((await inBody(5))?.pc).toBe(CALLER);
    const inEpilogue = craft(code, info, { 0: 0xbbn, 8: CALLER });
    expect((await inEpilogue(12))?.pc).toBe(CALLER);
  });

  it('goes through a machine frame to the interrupted code and its stack', async () => {
    // A trap with an error code: rsp+8 has rip, then cs, eflags, rsp, ss.
    const unwind = craft([0x90, 0x90], [1, 0, 1, 0, 0, 0x1a, 0, 0], {
      8: CALLER,
      0x10: 0x10n,
      0x18: 0x246n,
      0x20: STACK - 0x800n,
      0x28: 0x18n,
    });
    const caller = await unwind(1);
    expect(caller).toMatchObject({ pc: CALLER, interrupted: true });
    expect(caller?.registers[4]).toBe(STACK - 0x800n);
  });

  it('finds the interrupted code from the last instruction of a trap handler', async () => {
    // sub rsp,28h; add rsp,28h; iretq
    const code = [0x48, 0x83, 0xec, 0x28, 0x48, 0x83, 0xc4, 0x28, 0x48, 0xcf];
    const info = [1, 4, 2, 0, 4, 0x42, 0, 0x0a];
    const words = { 0: CALLER, 0x18: STACK - 0x800n };
    expect(await craft(code, info, words)(8)).toMatchObject({ pc: CALLER, interrupted: true });
    const before = craft(code, info, { 0x28: CALLER, 0x40: STACK - 0x800n });
    expect((await before(4))?.pc).toBe(CALLER);
    expect((await craft(code, info, words)(0))?.pc).toBe(CALLER);
  });

  it('applies the unwind data of the function that a chained entry continues', async () => {
    const image = new Uint8Array(0x4000);
    const view = new DataView(image.buffer);
    // The parent pushes rbx and allocates 20h; the continuation saves rsi at [rsp+10h].
    image.set([1, 5, 2, 0, 5, 0x32, 1, 0x30], 0x3000);
    image.set([0x21, 0, 2, 0, 0, 0x64, 2, 0], 0x3010);
    for (const [i, value] of [0x1000, 0x1010, 0x3000].entries()) view.setUint32(0x3018 + 4 * i, value, true);
    for (const [i, value] of [0x1000, 0x1010, 0x3000, 0x1100, 0x1110, 0x3010].entries()) {
      view.setUint32(0x3800 + 4 * i, value, true);
    }
    image.fill(0x90, 0x1000, 0x1200);
    const memory = new SparseMemory();
    memory.map(BASE, image);
    for (const [at, value] of [
      [0x10n, 0x66n],
      [0x20n, 0xbbn],
      [0x28n, CALLER],
    ] as const)
      memory.write(STACK + at, value);
    const table = new FunctionTable(
      (rva, length) => memory.read(BASE + BigInt(rva), length),
      0x3800,
      24,
      0x4000,
    );
    const registers = Array.from({ length: 16 }, (_, i) => (i === 4 ? STACK : BigInt(i)));
    const frame = { pc: BASE + 0x1108n, registers, interrupted: true };
    const caller = await unwindX64(frame, sourceOver(memory, table, image.length));
    expect([caller?.pc, caller?.registers[3], caller?.registers[6]]).toEqual([CALLER, 0xbbn, 0x66n]);
  });

  it('ends where the stack cannot be read, at pc 0 and at addresses that are none', async () => {
    const leaf = (value?: bigint) => craft([0x90], [1, 0, 0, 0], value === undefined ? {} : { 0: value })(0);
    expect(await leaf()).toBeUndefined();
    expect(await leaf(0n)).toBeUndefined();
    expect(await leaf(0x0123456789abcdefn)).toBeUndefined();
    expect((await leaf(CALLER))?.pc).toBe(CALLER);
  });

  it('ends walks that go in circles and obeys the limit', async () => {
    const memory = new SparseMemory();
    const image = new Uint8Array(0x2000).fill(0x90);
    memory.map(BASE, image);
    for (let i = 0n; i < 2000n; i++) memory.write(STACK + 8n * i, BASE + 0x1000n);
    const source: UnwindSource = {
      read: memory.read,
      functionAt: async () => ({ imageBase: BASE, entry: undefined }),
    };
    const registers = Array.from({ length: 16 }, (_, i) => (i === 4 ? STACK : 0n));
    const first = { pc: BASE + 0x1000n, registers, interrupted: true };
    expect(await walkX64(first, source, 50)).toHaveLength(50);
    // A machine frame may lead back to where it was.
    const trap = craft([0x90], [1, 0, 1, 0, 0, 0x0a, 0, 0], { 0: BASE + 0x1000n, 0x18: STACK });
    const again = await trap(0);
    expect(again?.pc).toBe(BASE + 0x1000n);
  });

  it('survives any unwind data and any stack', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 0, maxLength: 80 }),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { maxLength: 20 }),
        fc.nat(39),
        async (unwind, code, stack, offset) => {
          const words = Object.fromEntries(stack.map((value, i) => [String(8 * i), value]));
          await craft([...code], [...unwind], words)(offset);
          parseUnwindInfo(unwind);
        },
      ),
      { numRuns: 500 },
    );
  });
});
