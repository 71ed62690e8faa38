/**
 * The export table of an image: names and addresses. The whole directory is read in one block, since names follow
 * the tables in practice; what lies outside is read in blocks too, and both are bounded.
 */
import type { PeHeaders } from './pe';
import type { ImageReader } from './reader';
import { dataView, textAt } from './reader';

export interface PeExport {
  readonly name: string;
  readonly rva: number;
  readonly ordinal: number;
}

export interface PeExports {
  /** As the image calls itself, e.g. `ntoskrnl.exe`. */
  readonly imageName: string;
  readonly entries: readonly PeExport[];
}

const DIRECTORY_SIZE = 40;
const MAX_BLOCK = 4 << 20;
const MAX_ENTRIES = 65536;
const MAX_NAME = 4096;
const BLOCK = 0x1000;
/** Names far from the directory are rare; this many blocks is the most that is read for them. */
const MAX_OUTSIDE_BLOCKS = 64;

/** Offsets in IMAGE_EXPORT_DIRECTORY. */
const at = {
  name: 12,
  base: 16,
  functions: 20,
  names: 24,
  addressTable: 28,
  nameTable: 32,
  ordinalTable: 36,
} as const;

/** Named exports that are addresses in this image (forwarders are not). Undefined when there is no export table. */
export async function readExports(read: ImageReader, headers: PeHeaders): Promise<PeExports | undefined> {
  const directory = headers.exports;
  if (directory.rva === 0 || directory.size < DIRECTORY_SIZE) return undefined;
  const block = await read(directory.rva, Math.min(directory.size, MAX_BLOCK));
  if (block.length < DIRECTORY_SIZE) return undefined;
  const bytes = blockReader(read, directory.rva, block);
  const view = dataView(block);
  const functionCount = Math.min(view.getUint32(at.functions, true), MAX_ENTRIES);
  const nameCount = Math.min(view.getUint32(at.names, true), MAX_ENTRIES);
  const addresses = await bytes(view.getUint32(at.addressTable, true), 4 * functionCount);
  const names = await bytes(view.getUint32(at.nameTable, true), 4 * nameCount);
  const ordinals = await bytes(view.getUint32(at.ordinalTable, true), 2 * nameCount);
  const count = Math.min(names.length >> 2, ordinals.length >> 1);
  const entries: PeExport[] = [];
  for (let i = 0; i < count; i++) {
    const index = dataView(ordinals).getUint16(2 * i, true);
    if (4 * index + 4 > addresses.length) continue;
    const rva = dataView(addresses).getUint32(4 * index, true);
    const forwarded = rva >= directory.rva && rva < directory.rva + directory.size;
    if (rva === 0 || forwarded || rva >= headers.sizeOfImage) continue;
    const name = await textFrom(bytes, dataView(names).getUint32(4 * i, true));
    // Names reach the user's terminal; linkers make printable ones only.
    if (/^[\x21-\x7e]+$/.test(name))
      entries.push({ name, rva, ordinal: index + view.getUint32(at.base, true) });
  }
  return { imageName: await textFrom(bytes, view.getUint32(at.name, true)), entries };
}

type BlockReader = (rva: number, length: number) => Promise<Uint8Array>;

/** Answers from the directory's block where it can, else reads whole blocks and remembers them. */
function blockReader(read: ImageReader, start: number, block: Uint8Array): BlockReader {
  const outside = new Map<number, Uint8Array>();
  return async (rva, length) => {
    if (rva >= start && rva + length <= start + block.length) {
      return block.subarray(rva - start, rva - start + length);
    }
    if (length > BLOCK) return read(rva, Math.min(length, MAX_BLOCK));
    const key = Math.floor(rva / BLOCK);
    let bytes = outside.get(key);
    if (!bytes) {
      if (outside.size >= MAX_OUTSIDE_BLOCKS) return new Uint8Array();
      bytes = await read(key * BLOCK, 2 * BLOCK);
      outside.set(key, bytes);
    }
    return bytes.subarray(rva - key * BLOCK, rva - key * BLOCK + length);
  };
}

async function textFrom(bytes: BlockReader, rva: number): Promise<string> {
  if (rva === 0) return '';
  for (let length = 64; ; length = Math.min(length * 8, MAX_NAME)) {
    const text = textAt(await bytes(rva, length), 0, length);
    if (text.length < length || length >= MAX_NAME) return text;
  }
}
