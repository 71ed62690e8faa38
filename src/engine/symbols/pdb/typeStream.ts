/**
 * The TPI and IPI streams: records by index, and classes by name through the hash stream. Records are read in the
 * pieces that the index gives; layouts as in LLVM's "The PDB TPI and IPI Streams".
 */
import { Cursor } from './cursor';
import type { Msf, MsfStream } from './msf';
import { nameHash } from './nameHash';
import type { Member, TypeIndex, TypeRecord, UdtRecord } from './typeRecords';
import { isUdtLeaf, leaves, readMembers, readTypeRecord } from './typeRecords';

const HEADER = 56;
const NO_STREAM = 0xffff;
/** Of all records. */
const MAX_BYTES = 0x7fff_ffff;
/** Types in one bucket that are looked at; real files have a few. */
const MAX_BUCKET = 256;

interface Piece {
  readonly first: TypeIndex;
  readonly bytes: Uint8Array;
  readonly offsets: readonly number[];
}

export class TypeStream {
  readonly begin: TypeIndex;
  readonly end: TypeIndex;
  private readonly headerSize: number;
  private readonly recordBytes: number;
  private readonly hashStream: MsfStream | undefined;
  private readonly buckets: number;
  private readonly hashes: readonly [offset: number, size: number];
  private readonly index: readonly [offset: number, size: number];
  /** Pairs of first type index and offset among the records. */
  private pieceStarts: readonly (readonly [TypeIndex, number])[] | undefined;
  private readonly pieces = new Map<number, Piece>();
  /** Types by hash bucket. */
  private bucketLists: ReadonlyMap<number, readonly TypeIndex[]> | undefined;
  private scopedNames: Map<string, TypeIndex> | undefined;

  constructor(
    private readonly msf: Msf,
    private readonly stream: MsfStream,
  ) {
    const header = stream.cursor(0, HEADER, 'header');
    header.skip(4);
    this.headerSize = header.u32();
    this.begin = header.u32();
    this.end = header.u32();
    this.recordBytes = header.u32();
    const hash = header.u16();
    header.skip(6);
    this.buckets = header.u32();
    this.hashes = [header.u32(), header.u32()];
    this.index = [header.u32(), header.u32()];
    this.hashStream = hash === NO_STREAM ? undefined : msf.stream(hash, `${stream.name} hash`);
    if (
      this.headerSize < HEADER ||
      this.recordBytes > MAX_BYTES ||
      this.headerSize + this.recordBytes > stream.size
    ) {
      header.fail(`${this.recordBytes} bytes of records do not fit`);
    }
    if (this.begin < 0x1000 || this.end < this.begin || (this.end - this.begin) * 4 > this.recordBytes) {
      header.fail(`the types 0x${this.begin.toString(16)} to 0x${this.end.toString(16)} do not fit`);
    }
  }

  has(index: TypeIndex): boolean {
    return index >= this.begin && index < this.end;
  }

  /** Throws PdbError when there is no such record or it is broken. */
  record(index: TypeIndex): TypeRecord {
    const [leaf, cursor] = this.open(index);
    return readTypeRecord(leaf, cursor);
  }

  /** The kind of a record without reading it. */
  leaf(index: TypeIndex): number {
    return this.open(index)[0];
  }

  /** The members of a field list with all its continuations. */
  *members(fieldList: TypeIndex): Generator<Member> {
    const seen = new Set<TypeIndex>();
    for (let next: TypeIndex | undefined = fieldList; next !== undefined && next !== 0;) {
      if (seen.has(next)) this.fail(next, 'its field list goes in a circle');
      seen.add(next);
      const [leaf, cursor] = this.open(next);
      if (leaf !== leaves.fieldList) this.fail(next, 'is no field list');
      next = undefined;
      for (const member of readMembers(cursor)) {
        if (member.kind === 'continued') next = member.type;
        else yield member;
      }
    }
  }

  /** The definition of a class, struct, union or enum of that name, or with that unique name. */
  find(name: string): { index: TypeIndex; record: UdtRecord } | undefined {
    const buckets = this.loadBuckets();
    for (const index of buckets?.get(nameHash(name) % this.buckets)?.slice(0, MAX_BUCKET) ?? []) {
      const record = this.definition(index);
      if (record && (record.name === name || record.uniqueName === name)) return { index, record };
    }
    // Types within functions are hashed by their unique names, and some files have no hashes.
    this.scopedNames ??= this.collectNames(buckets === undefined);
    const index = this.scopedNames.get(name);
    const record = index === undefined ? undefined : this.definition(index);
    return index === undefined || !record ? undefined : { index, record };
  }

  /** The class, struct, union or enum that is defined at `index`; undefined for anything else. */
  definition(index: TypeIndex): UdtRecord | undefined {
    const [leaf, cursor] = this.open(index);
    if (!isUdtLeaf(leaf)) return undefined;
    const record = readTypeRecord(leaf, cursor) as UdtRecord;
    return record.forward ? undefined : record;
  }

  /** Names a record in an error. */
  fail(index: TypeIndex, problem: string): never {
    this.msf.fail(`${this.stream.record}, type 0x${index.toString(16)}`, problem);
  }

  private collectNames(all: boolean): Map<string, TypeIndex> {
    const names = new Map<string, TypeIndex>();
    for (let index = this.begin; index < this.end; index++) {
      const record = this.definition(index);
      if (!record || !(all || record.scoped)) continue;
      for (const name of [record.name, record.uniqueName]) if (!names.has(name)) names.set(name, index);
    }
    return names;
  }

  private loadBuckets(): ReadonlyMap<number, readonly TypeIndex[]> | undefined {
    const [offset, size] = this.hashes;
    const count = this.end - this.begin;
    if (!this.hashStream || size !== count * 4 || this.buckets === 0) return undefined;
    if (!this.bucketLists) {
      const cursor = this.hashStream.cursor(offset, size, 'hash values');
      const lists = new Map<number, TypeIndex[]>();
      for (let index = this.begin; index < this.end; index++) {
        const bucket = cursor.u32();
        const list = lists.get(bucket);
        if (list) list.push(index);
        else lists.set(bucket, [index]);
      }
      this.bucketLists = lists;
    }
    return this.bucketLists;
  }

  private open(index: TypeIndex): [leaf: number, content: Cursor] {
    if (!this.has(index)) this.fail(index, 'there is no such type');
    const piece = this.piece(index);
    const at = piece.offsets[index - piece.first];
    if (at === undefined) this.fail(index, 'the index of the types does not lead to it');
    const view = new DataView(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.byteLength);
    const end = at + 2 + view.getUint16(at, true);
    const where = { file: this.stream.file, record: `${this.stream.record}, type 0x${index.toString(16)}` };
    return [view.getUint16(at + 2, true), new Cursor(piece.bytes, where, at + 4, end)];
  }

  private piece(index: TypeIndex): Piece {
    this.pieceStarts ??= this.loadIndex();
    const starts = this.pieceStarts;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle]?.[0] ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    const number = low - 1;
    let piece = this.pieces.get(number);
    if (!piece) {
      const [first, from] = starts[number] ?? [this.begin, 0];
      piece = this.readPiece(first, from, starts[number + 1]?.[1] ?? this.recordBytes);
      this.pieces.set(number, piece);
    }
    return piece;
  }

  private readPiece(first: TypeIndex, from: number, to: number): Piece {
    const cursor = this.stream.cursor(
      this.headerSize + from,
      to - from,
      `types from 0x${first.toString(16)}`,
    );
    const bytes = this.stream.read(this.headerSize + from, to - from);
    const offsets: number[] = [];
    while (cursor.remaining >= 4) {
      offsets.push(cursor.at);
      const length = cursor.u16();
      if (length < 2) cursor.fail(`a record of ${length} bytes is impossible`);
      cursor.skip(length);
    }
    return { first, bytes, offsets };
  }

  private loadIndex(): (readonly [TypeIndex, number])[] {
    const [offset, size] = this.index;
    const starts: [TypeIndex, number][] = [];
    const cursor =
      this.hashStream && size >= 8 ? this.hashStream.cursor(offset, size, 'type index') : undefined;
    while (cursor && cursor.remaining >= 8) {
      const [type, at] = [cursor.u32(), cursor.u32()];
      const [lastType, lastAt] = starts.at(-1) ?? [this.begin - 1, -1];
      if (type <= lastType || at <= lastAt || at >= this.recordBytes) cursor.fail('is not in order');
      starts.push([type, at]);
    }
    return starts[0]?.[0] === this.begin && starts[0][1] === 0 ? starts : [[this.begin, 0]];
  }
}

/** Stream 2 (TPI) or 4 (IPI); undefined when it is not there. */
export function openTypes(msf: Msf, number: 2 | 4): TypeStream | undefined {
  const stream = msf.stream(number, number === 2 ? 'TPI' : 'IPI');
  return stream && stream.size > 0 ? new TypeStream(msf, stream) : undefined;
}
