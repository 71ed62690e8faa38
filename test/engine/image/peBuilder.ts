/** Builds small x64 images as the loader would map them: one header page, then what the test puts where. */

export interface FunctionSpec {
  readonly name: string;
  readonly rva: number;
  readonly code: readonly number[];
  /** UNWIND_INFO; left out for a leaf function. */
  readonly unwind?: readonly number[];
  /** False: in the function table only. */
  readonly exported?: boolean;
}

export interface ImageSpec {
  readonly imageName: string;
  readonly size: number;
  readonly timestamp: number;
  readonly functions: readonly FunctionSpec[];
  /** Other exported addresses. */
  readonly data?: Readonly<Record<string, number>>;
}

const EXPORTS = 0x400;
const PDATA = 0xa00;
const XDATA = 0xc00;
const DEBUG = 0xf00;

/** The mapped image. Tables lie in the first page, after the headers; functions from 0x1000 on. */
export function buildImage(spec: ImageSpec): Uint8Array {
  const bytes = new Uint8Array(spec.size);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  const text = (at: number, value: string) => bytes.set(Buffer.from(`${value}\0`, 'latin1'), at);

  u16(0, 0x5a4d);
  u32(0x3c, 0x80);
  u32(0x80, 0x4550);
  u16(0x84, 0x8664);
  u16(0x86, 1);
  u32(0x88, spec.timestamp);
  u16(0x94, 240);
  const optional = 0x98;
  u16(optional, 0x20b);
  u32(optional + 16, 0x1000);
  view.setBigUint64(optional + 24, 0xfffff80000000000n, true);
  u32(optional + 56, spec.size);
  u32(optional + 60, 0x1000);
  u32(optional + 64, 0x1234);
  u32(optional + 108, 16);
  const directory = (index: number, rva: number, size: number) => {
    u32(optional + 112 + 8 * index, rva);
    u32(optional + 116 + 8 * index, size);
  };
  text(optional + 240, '.text');
  u32(optional + 240 + 8, spec.size - 0x1000);
  u32(optional + 240 + 12, 0x1000);

  for (const { rva, code } of spec.functions) bytes.set(code, rva);
  writeFunctionTable();
  writeExports();
  writeDebug();
  return bytes;

  function writeFunctionTable(): void {
    const framed = spec.functions.filter(({ unwind }) => unwind).sort((a, b) => a.rva - b.rva);
    let info = XDATA;
    for (const [i, { rva, code, unwind }] of framed.entries()) {
      u32(PDATA + 12 * i, rva);
      u32(PDATA + 12 * i + 4, rva + code.length);
      u32(PDATA + 12 * i + 8, info);
      bytes.set(unwind ?? [], info);
      info += ((unwind?.length ?? 0) + 3) & ~3;
    }
    directory(3, PDATA, 12 * framed.length);
  }

  function writeExports(): void {
    const symbols = [
      ...spec.functions
        .filter(({ exported }) => exported !== false)
        .map(({ name, rva }) => [name, rva] as const),
      ...Object.entries(spec.data ?? {}),
    ].sort(([a], [b]) => (a < b ? -1 : 1));
    const count = symbols.length;
    const functions = EXPORTS + 40;
    const names = functions + 4 * count;
    const ordinals = names + 4 * count;
    let strings = ordinals + 2 * count;
    u32(EXPORTS + 12, strings);
    text(strings, spec.imageName);
    strings += spec.imageName.length + 1;
    u32(EXPORTS + 16, 1);
    u32(EXPORTS + 20, count);
    u32(EXPORTS + 24, count);
    u32(EXPORTS + 28, functions);
    u32(EXPORTS + 32, names);
    u32(EXPORTS + 36, ordinals);
    for (const [i, [name, rva]] of symbols.entries()) {
      u32(functions + 4 * i, rva);
      u32(names + 4 * i, strings);
      u16(ordinals + 2 * i, i);
      text(strings, name);
      strings += name.length + 1;
    }
    directory(0, EXPORTS, strings - EXPORTS);
  }

  function writeDebug(): void {
    const path = spec.imageName.replace(/\..*$/, '.pdb');
    u32(DEBUG + 12, 2);
    u32(DEBUG + 16, 24 + path.length + 1);
    u32(DEBUG + 20, DEBUG + 28);
    u32(DEBUG + 28, 0x53445352);
    bytes.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], DEBUG + 32);
    u32(DEBUG + 48, 1);
    text(DEBUG + 52, path);
    directory(6, DEBUG, 28);
  }
}

/** Version 1 UNWIND_INFO of a function that begins with `sub rsp,size` (size a multiple of 8, at most 128). */
export function allocatesSmall(size: number): number[] {
  return [1, 4, 1, 0, 4, 2 | ((size / 8 - 1) << 4), 0, 0];
}
