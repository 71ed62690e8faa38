/**
 * Reads little-endian values one after the other from bytes of a PDB. Reading past the end is a PdbError that names
 * file and record, never a value made up.
 */
import { PdbError } from './pdbError';

/** Which bytes these are, for errors. */
export interface Where {
  readonly file: string;
  readonly record: string;
}

const decoder = new TextDecoder();

/** Numeric leaves (CodeView): the number of bytes behind the u16, and whether it is signed. */
const numericLeaves: Readonly<Record<number, readonly [bytes: 1 | 2 | 4 | 8, signed: boolean]>> = {
  0x8000: [1, true],
  0x8001: [2, true],
  0x8002: [2, false],
  0x8003: [4, true],
  0x8004: [4, false],
  0x8009: [8, true],
  0x800a: [8, false],
};

export class Cursor {
  private readonly view: DataView;

  constructor(
    private readonly data: Uint8Array,
    private readonly where: Where,
    public at = 0,
    private readonly end = data.length,
  ) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (end > data.length || at > end || at < 0) this.fail(`ends after ${data.length} bytes`);
  }

  get remaining(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  /** The bytes themselves, not a copy. */
  bytes(length: number): Uint8Array {
    const at = this.take(length);
    return this.data.subarray(at, at + length);
  }

  skip(length: number): void {
    this.take(length);
  }

  /** UTF-8 up to a NUL, which must be there. */
  text(): string {
    const zero = this.data.indexOf(0, this.at);
    if (zero < 0 || zero >= this.end) this.fail(`the text at offset ${this.at} has no end`);
    const text = decodeText(this.data, this.at, zero);
    this.at = zero + 1;
    return text;
  }

  /** A numeric leaf. */
  numeric(): bigint {
    const leaf = this.u16();
    if (leaf < 0x8000) return BigInt(leaf);
    const [size, signed] = numericLeaves[leaf] ?? this.fail(`unknown numeric leaf 0x${leaf.toString(16)}`);
    let value = 0n;
    for (let i = 0; i < size; i++) value |= BigInt(this.u8()) << BigInt(8 * i);
    return signed ? BigInt.asIntN(8 * size, value) : value;
  }

  /** A numeric leaf that is a size or an offset. */
  count(): number {
    const value = this.numeric();
    if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`impossible size ${value}`);
    return Number(value);
  }

  align(to: number): void {
    this.skip(Math.min((to - (this.at % to)) % to, this.remaining));
  }

  fail(problem: string): never {
    throw new PdbError(this.where.file, this.where.record, problem);
  }

  private take(length: number): number {
    const at = this.at;
    if (length < 0 || length > this.end - at) {
      this.fail(`ends after ${this.end} bytes, but ${length} more are needed at offset ${at}`);
    }
    this.at = at + length;
    return at;
  }
}

/** UTF-8 text; the short way for plain ASCII, which nearly all names are. */
function decodeText(data: Uint8Array, from: number, to: number): string {
  if (to - from > 64) return decoder.decode(data.subarray(from, to));
  let text = '';
  for (let i = from; i < to; i++) {
    const byte = data[i] ?? 0;
    if (byte >= 0x80) return decoder.decode(data.subarray(from, to));
    text += String.fromCharCode(byte);
  }
  return text;
}
