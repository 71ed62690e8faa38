/** The PDB info stream (stream 1) and the string table `/names`. Layouts as in LLVM's "The PDB Info Stream". */
import { Cursor } from './cursor';
import type { Msf, MsfStream } from './msf';

export interface PdbInfo {
  /** 32 upper-case hex digits, as in the keys of symbol servers. */
  readonly guid: string;
  /** Of this stream; the age that an image asks for is the DBI stream's. */
  readonly age: number;
  /** Seconds since 1970, or a hash. */
  readonly signature: number;
  /** Stream numbers by name, e.g. `/names`, `srcsrv`. */
  readonly namedStreams: ReadonlyMap<string, number>;
}

const INFO_STREAM = 1;
/** Of a string in the table; bytes. Paths and frame programs are far shorter. */
const MAX_STRING = 8192;
const NAMES_SIGNATURE = 0xeffe_effe;

export function readInfo(msf: Msf): PdbInfo {
  const stream = msf.stream(INFO_STREAM, 'PDB info') ?? msf.fail('stream 1 (PDB info)', 'is missing');
  const cursor = stream.cursor();
  const version = cursor.u32();
  if (version < 20_000_404) cursor.fail(`version ${version} is older than Visual C++ 7.0 and not supported`);
  const signature = cursor.u32();
  const age = cursor.u32();
  const guid = guidText(cursor.bytes(16));
  return { guid, age, signature, namedStreams: readNamedStreams(cursor) };
}

function guidText(bytes: Uint8Array): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return order
    .map((i) => (bytes[i] ?? 0).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}

/** A serialised hash table: names in one buffer, then pairs of name offset and stream number. */
function readNamedStreams(cursor: Cursor): Map<string, number> {
  const named = new Map<string, number>();
  const names = cursor.bytes(cursor.u32());
  const where = { file: '', record: '' };
  const size = cursor.u32();
  cursor.skip(4);
  for (let bitmap = 0; bitmap < 2; bitmap++) cursor.skip(4 * cursor.u32());
  let textLeft = 2 * names.length;
  if (size > cursor.remaining / 8) cursor.fail(`has room for fewer than ${size} named streams`);
  for (let i = 0; i < size; i++) {
    const at = cursor.u32();
    const stream = cursor.u32();
    if (at >= names.length || names.indexOf(0, at) < 0) cursor.fail(`the name at offset ${at} is broken`);
    const name = new Cursor(names, where, at).text();
    textLeft -= name.length;
    if (textLeft < 0) cursor.fail('its named streams share their names');
    named.set(name, stream);
  }
  return named;
}

/** Strings by offset: file names of line tables, frame programs. */
export class StringTable {
  private readonly length: number;

  constructor(private readonly stream: MsfStream) {
    const cursor = stream.cursor(0, 12, 'header');
    if (cursor.u32() !== NAMES_SIGNATURE) cursor.fail('is no string table');
    cursor.skip(4);
    this.length = cursor.u32();
    if (this.length > stream.size - 12) stream.fail(`its ${this.length} bytes of text are cut off`);
  }

  /** Throws PdbError when there is no string at `offset`. */
  at(offset: number): string {
    if (offset >= this.length) this.stream.fail(`has no string at offset ${offset}`);
    for (let size = 256; ; size = MAX_STRING) {
      const part = this.stream.read(12 + offset, Math.min(size, this.length - offset));
      if (part.includes(0) || part.length < size || size === MAX_STRING) {
        return new Cursor(part, {
          file: this.stream.file,
          record: `${this.stream.record}, string ${offset}`,
        }).text();
      }
    }
  }
}
