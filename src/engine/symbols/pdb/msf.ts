/**
 * MSF 7.00, the container of a PDB: numbered streams whose blocks are spread over the file. Layout as in LLVM's "The
 * MSF File Format". The directory is read when the file is opened, everything else when it is needed.
 */
import { Cursor } from './cursor';
import { PdbError } from './pdbError';

/** A file that is read here and there. */
export interface RandomAccessFile {
  /** For messages. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Fewer bytes than asked only at the end of the file. */
  read(offset: number, length: number): Uint8Array;
}

const MAGIC = 'Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0';
const SUPERBLOCK = 56;
const MIN_BLOCK = 512;
const MAX_BLOCK = 65_536;
const NIL = 0xffff_ffff;
/** Reads of up to this many bytes go through the cache. */
const SMALL_READ = 8192;
const CACHE_BYTES = 4 * 1024 * 1024;

export class Msf {
  readonly blockSize: number;
  /** Bytes read from the file so far. */
  bytesRead = 0;
  private readonly blockCount: number;
  private readonly directory: DataView;
  private readonly sizes: readonly number[];
  /** Of each stream: where its block list begins in the directory. */
  private readonly lists: readonly number[];
  private readonly cache = new Map<number, Uint8Array>();

  /** Throws PdbError when it is no MSF 7.00 file or its directory is broken. */
  constructor(readonly file: RandomAccessFile) {
    const head = this.readFile(0, SUPERBLOCK, 'superblock');
    if (!startsWith(head, MAGIC)) this.fail('superblock', 'this is no PDB file (MSF 7.00)');
    const cursor = new Cursor(head, { file: file.name, record: 'superblock' }, 32);
    this.blockSize = cursor.u32();
    cursor.skip(4);
    this.blockCount = cursor.u32();
    const directoryBytes = cursor.u32();
    cursor.skip(4);
    const mapBlock = cursor.u32();
    const { blockSize } = this;
    if (blockSize < MIN_BLOCK || blockSize > MAX_BLOCK || (blockSize & (blockSize - 1)) !== 0) {
      this.fail('superblock', `block size ${blockSize} is no power of two from ${MIN_BLOCK} to ${MAX_BLOCK}`);
    }
    if (directoryBytes < 4 || directoryBytes > file.size) {
      this.fail('superblock', `a stream directory of ${directoryBytes} bytes is impossible in this file`);
    }
    this.directory = this.readDirectory(directoryBytes, mapBlock);
    [this.sizes, this.lists] = this.readStreamSizes();
  }

  get streamCount(): number {
    return this.sizes.length;
  }

  /** Stream `index`; undefined when there is none of that number or it is nil. `name` is for messages. */
  stream(index: number, name: string): MsfStream | undefined {
    const size = this.sizes[index];
    return size === undefined || size === NIL ? undefined : new MsfStream(this, index, name, size);
  }

  /** Bytes of a stream; the range has been checked by the caller. */
  readStream(index: number, name: string, offset: number, length: number): Uint8Array {
    const { blockSize } = this;
    const record = `stream ${index} (${name})`;
    const within = offset % blockSize;
    let block = Math.floor(offset / blockSize);
    if (within + length <= blockSize && length <= SMALL_READ) {
      return this.cachedBlock(this.blockNumber(index, block, record), record).subarray(
        within,
        within + length,
      );
    }
    const result = new Uint8Array(length);
    let done = 0;
    let skip = within;
    while (done < length) {
      const number = this.blockNumber(index, block++, record);
      if (length <= SMALL_READ) {
        const part = this.cachedBlock(number, record).subarray(skip, skip + length - done);
        result.set(part, done);
        done += part.length;
      } else {
        // Blocks that follow each other in the file are read at once.
        let run = 1;
        while (
          run * blockSize - skip < length - done &&
          this.blockNumber(index, block, record) === number + run
        ) {
          run++;
          block++;
        }
        const wanted = Math.min(run * blockSize - skip, length - done);
        result.set(this.readFile(number * blockSize + skip, wanted, record), done);
        done += wanted;
      }
      skip = 0;
    }
    return result;
  }

  fail(record: string, problem: string): never {
    throw new PdbError(this.file.name, record, problem);
  }

  private readDirectory(bytes: number, mapBlock: number): DataView {
    const record = 'stream directory';
    const count = Math.ceil(bytes / this.blockSize);
    if (mapBlock >= this.blockCount)
      this.fail(record, `its block map is block ${mapBlock} of ${this.blockCount}`);
    const map = new Cursor(this.readFile(mapBlock * this.blockSize, count * 4, record), {
      file: this.file.name,
      record,
    });
    const directory = new Uint8Array(bytes);
    for (let done = 0; done < bytes; done += this.blockSize) {
      const block = this.checked(map.u32(), record);
      const length = Math.min(this.blockSize, bytes - done);
      directory.set(this.readFile(block * this.blockSize, length, record), done);
    }
    return new DataView(directory.buffer);
  }

  private readStreamSizes(): [number[], number[]] {
    const { directory, blockSize, file } = this;
    const record = 'stream directory';
    const count = directory.getUint32(0, true);
    if (4 + 4 * count > directory.byteLength) this.fail(record, `${count} streams do not fit into it`);
    const sizes: number[] = [];
    const lists: number[] = [];
    let at = 4 + 4 * count;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const size = directory.getUint32(4 + 4 * i, true);
      sizes.push(size);
      lists.push(at);
      if (size === NIL) continue;
      at += 4 * Math.ceil(size / blockSize);
      if (i > 0) total += size;
      if (at > directory.byteLength)
        this.fail(record, `the block list of stream ${i} (${size} bytes) is cut off`);
      // Streams that share blocks could make a small file endless.
      if (total > file.size) this.fail(record, `its streams hold more than the file's ${file.size} bytes`);
    }
    return [sizes, lists];
  }

  private blockNumber(stream: number, index: number, record: string): number {
    const at = (this.lists[stream] ?? 0) + 4 * index;
    return this.checked(this.directory.getUint32(at, true), record);
  }

  private checked(block: number, record: string): number {
    if (block >= this.blockCount || block === 0) {
      this.fail(record, `refers to block ${block} of ${this.blockCount}`);
    }
    return block;
  }

  private cachedBlock(number: number, record: string): Uint8Array {
    const { cache, blockSize } = this;
    let block = cache.get(number);
    if (block) return block;
    const offset = number * blockSize;
    block = this.readFile(offset, blockSize, record);
    if (cache.size * blockSize >= CACHE_BYTES) {
      const [oldest] = cache.keys();
      if (oldest !== undefined) cache.delete(oldest);
    }
    cache.set(number, block);
    return block;
  }

  private readFile(offset: number, length: number, record: string): Uint8Array {
    if (offset + length > this.file.size) {
      this.fail(record, `the file is cut off: it has ${this.file.size} bytes, not ${offset + length}`);
    }
    const bytes = this.file.read(offset, length);
    this.bytesRead += bytes.length;
    if (bytes.length !== length) this.fail(record, `only ${bytes.length} of ${length} bytes could be read`);
    return bytes;
  }
}

/** One stream. */
export class MsfStream {
  constructor(
    private readonly msf: Msf,
    readonly index: number,
    readonly name: string,
    /** In bytes. */
    readonly size: number,
  ) {}

  /** For messages: `stream 3 (DBI)`. */
  get record(): string {
    return `stream ${this.index} (${this.name})`;
  }

  get file(): string {
    return this.msf.file.name;
  }

  /** Exactly `length` bytes, not to be changed. Throws PdbError when the stream is shorter. */
  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      this.msf.fail(this.record, `has ${this.size} bytes, but ${length} are needed at offset ${offset}`);
    }
    return length === 0 ? new Uint8Array() : this.msf.readStream(this.index, this.name, offset, length);
  }

  /** A cursor over a part, by default all; `part` names it in errors. */
  cursor(offset = 0, length = this.size - offset, part = ''): Cursor {
    const record = part === '' ? this.record : `${this.record}, ${part}`;
    return new Cursor(this.read(offset, length), { file: this.file, record });
  }

  fail(problem: string): never {
    this.msf.fail(this.record, problem);
  }
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}
