/**
 * The hashed tables of the globals and publics streams over the symbol record stream. A name is found by reading its
 * hash bucket and the records it points to. Layouts as in gsi.h of microsoft-pdb.
 */
import type { Msf, MsfStream } from './msf';
import { nameHash } from './nameHash';
import { readSymbol, type SymbolRecord } from './symbolRecords';

const BUCKETS = 4096;
const HEADER = 16;
const RECORD = 8;
/** One bit per bucket, and one more, in whole words. */
const BITMAP = 4 * Math.ceil((BUCKETS + 1) / 32);
/** What a hash record took in memory when the format was made; bucket offsets count in it. */
const STRIDE = 12;
const PUBLICS_HEADER = 28;
const SIGNATURE = 0xffff_ffff;
const VERSION = 0xeffe_0000 + 19_990_810;

export class SymbolTable {
  private readonly recordBytes: number;
  private readonly bucketBytes: number;

  constructor(
    private readonly stream: MsfStream,
    private readonly records: MsfStream,
    private readonly start: number,
  ) {
    if (stream.size < start + HEADER) {
      this.recordBytes = 0;
      this.bucketBytes = 0;
      return;
    }
    const header = stream.cursor(start, HEADER, 'hash header');
    if (header.u32() !== SIGNATURE || header.u32() !== VERSION) header.fail('is of an unknown version');
    this.recordBytes = header.u32();
    this.bucketBytes = header.u32();
    if (start + HEADER + this.recordBytes + this.bucketBytes > stream.size) {
      header.fail(`${this.recordBytes} + ${this.bucketBytes} bytes do not fit`);
    }
  }

  /** All symbols of that name, exactly or, with `ignoreCase`, but for the case of ASCII letters. */
  find(name: string, ignoreCase = false): SymbolRecord[] {
    const wanted = ignoreCase ? name.toLowerCase() : name;
    const found: SymbolRecord[] = [];
    const count = this.budget();
    for (const offset of this.bucket(nameHash(name) % BUCKETS)) {
      const symbol = this.symbolAt(offset);
      count(symbol.name.length);
      if ((ignoreCase ? symbol.name.toLowerCase() : symbol.name) === wanted) found.push(symbol);
    }
    return found;
  }

  /** Every symbol, in the order of the table. */
  *all(): Generator<SymbolRecord> {
    const cursor = this.records.cursor();
    const count = this.budget();
    for (const offset of this.offsets(0, this.recordBytes)) {
      if (offset < 0 || offset >= this.records.size)
        this.stream.fail(`refers to a record at offset ${offset}`);
      cursor.at = offset;
      const symbol = readSymbol(cursor);
      count(cursor.at - offset);
      yield symbol;
    }
  }

  symbolAt(offset: number): SymbolRecord {
    const length = this.records.cursor(offset, 2, `record ${offset}`).u16();
    return readSymbol(this.records.cursor(offset, length + 2, `record ${offset}`), offset);
  }

  /** Each record has one entry; many entries for one long record could make a small file endless. */
  private budget(): (bytes: number) => void {
    let left = 2 * this.records.size;
    return (bytes) => {
      left -= bytes;
      if (left < 0) this.stream.fail('its entries share their records');
    };
  }

  private bucket(index: number): number[] {
    if (this.bucketBytes < BITMAP) return [];
    const bitmapAt = this.start + HEADER + this.recordBytes;
    const bitmap = this.stream.cursor(bitmapAt, BITMAP, 'bucket bitmap');
    let before = 0;
    for (let word = 0; word < index >> 5; word++) before += ones(bitmap.u32());
    const word = bitmap.u32();
    const bit = index & 31;
    if (((word >>> bit) & 1) === 0) return [];
    before += ones(bit === 0 ? 0 : word & (0xffff_ffff >>> (32 - bit)));
    const count = (this.bucketBytes - BITMAP) >> 2;
    if (before >= count) this.stream.fail(`bucket ${index} is missing`);
    const heads = this.stream.cursor(
      bitmapAt + BITMAP + 4 * before,
      before + 1 < count ? 8 : 4,
      `bucket ${index}`,
    );
    const from = (heads.u32() / STRIDE) * RECORD;
    const to = before + 1 < count ? (heads.u32() / STRIDE) * RECORD : this.recordBytes;
    if (from % RECORD !== 0 || from > to || to > this.recordBytes)
      heads.fail(`impossible range ${from} to ${to}`);
    return this.offsets(from, to);
  }

  private offsets(from: number, to: number): number[] {
    const cursor = this.stream.cursor(this.start + HEADER + from, to - from, 'hash records');
    const offsets: number[] = [];
    while (cursor.remaining >= RECORD) {
      offsets.push(cursor.i32() - 1);
      cursor.skip(4);
    }
    return offsets;
  }
}

export interface PublicTable {
  readonly table: SymbolTable;
  /** Offsets of records, sorted by section and offset. */
  readonly byAddress: () => Uint32Array;
}

export function openGlobals(msf: Msf, stream: number | undefined, records: number | undefined) {
  const opened = open(msf, stream, 'globals', records);
  return opened && new SymbolTable(opened.stream, opened.records, 0);
}

export function openPublics(msf: Msf, number: number | undefined, records: number | undefined) {
  const opened = open(msf, number, 'publics', records);
  if (!opened || opened.stream.size < PUBLICS_HEADER) return undefined;
  const { stream } = opened;
  const header = stream.cursor(0, 8, 'header');
  const hashBytes = header.u32();
  const mapBytes = header.u32();
  if (PUBLICS_HEADER + hashBytes + mapBytes > stream.size) {
    header.fail(`${hashBytes} + ${mapBytes} bytes do not fit`);
  }
  const byAddress = () => {
    const cursor = stream.cursor(PUBLICS_HEADER + hashBytes, mapBytes, 'address map');
    return Uint32Array.from({ length: mapBytes >> 2 }, () => cursor.u32());
  };
  return { table: new SymbolTable(stream, opened.records, PUBLICS_HEADER), byAddress };
}

function open(msf: Msf, stream: number | undefined, name: string, records: number | undefined) {
  const table = stream === undefined ? undefined : msf.stream(stream, name);
  const symbols = records === undefined ? undefined : msf.stream(records, 'symbol records');
  return table && symbols && { stream: table, records: symbols };
}

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
