/**
 * The kernel's list of loaded modules (PsLoadedModuleList, a chain of KLDR_DATA_TABLE_ENTRY). Every link, length
 * and count is the target's word and is bounded here.
 */
import type { MemoryReader } from '../image/reader';
import { dataView } from '../image/reader';

export interface LoadedModule {
  /** As commands name it: `nt` for the kernel, else the file name without extension. */
  readonly name: string;
  readonly imageName: string;
  readonly path: string;
  readonly base: bigint;
  readonly size: number;
  /** 0 where this version of the entry does not hold it. */
  readonly timestamp: number;
  readonly checksum: number;
  /** Where in the image its function table (.pdata) is, when the entry says so. */
  readonly exceptionTable?: { readonly rva: number; readonly size: number };
}

export interface LoadedModules {
  readonly modules: readonly LoadedModule[];
  /** False when the chain broke off (unreadable, in circles, or too long) before it was back at its head. */
  readonly complete: boolean;
}

const MAX_MODULES = 4096;
const MAX_NAME_BYTES = 2048;
const ENTRY_SIZE = 0xa0;

/** KLDR_DATA_TABLE_ENTRY on 64-bit machines. */
const entry = {
  flink: 0x00,
  exceptionTable: 0x10,
  exceptionTableSize: 0x18,
  base: 0x30,
  size: 0x40,
  fullName: 0x48,
  baseName: 0x58,
  checksum: 0x78,
  sizeNotRounded: 0x98,
  timestamp: 0x9c,
} as const;

export async function readLoadedModules(
  read: MemoryReader,
  head: bigint,
  kernelBase: bigint,
  signal?: AbortSignal,
): Promise<LoadedModules> {
  const modules: LoadedModule[] = [];
  const seen = new Set<bigint>([head]);
  const names = new Set<string>();
  let link = await readPointer(read, head);
  while (link !== undefined && link !== head) {
    signal?.throwIfAborted();
    if (seen.has(link) || modules.length >= MAX_MODULES) return { modules, complete: false };
    seen.add(link);
    const bytes = await read(link, ENTRY_SIZE);
    if (bytes.length < entry.checksum + 4) return { modules, complete: false };
    const module = await parseEntry(read, bytes, kernelBase, names);
    if (module) modules.push(module);
    link = dataView(bytes).getBigUint64(entry.flink, true);
  }
  return { modules, complete: link === head };
}

async function parseEntry(
  read: MemoryReader,
  bytes: Uint8Array,
  kernelBase: bigint,
  taken: Set<string>,
): Promise<LoadedModule | undefined> {
  const view = dataView(bytes);
  const base = view.getBigUint64(entry.base, true);
  const size = view.getUint32(entry.size, true);
  if (base === 0n || size === 0) return undefined;
  const path = await readUnicodeString(read, bytes, entry.fullName);
  const baseName = await readUnicodeString(read, bytes, entry.baseName);
  const imageName = baseName || fileNameOf(path);
  const hasTimestamp =
    bytes.length >= ENTRY_SIZE && plausible(view.getUint32(entry.sizeNotRounded, true), size);
  let name = base === kernelBase ? 'nt' : moduleName(imageName);
  if (name === '' || taken.has(name.toLowerCase())) name += `_${base.toString(16)}`;
  taken.add(name.toLowerCase());
  const exceptionTable = view.getBigUint64(entry.exceptionTable, true) - base;
  const exceptionSize = view.getUint32(entry.exceptionTableSize, true);
  const hasExceptions = exceptionTable > 0n && exceptionTable + BigInt(exceptionSize) <= BigInt(size);
  return {
    name,
    ...(hasExceptions && exceptionSize > 0
      ? { exceptionTable: { rva: Number(exceptionTable), size: exceptionSize } }
      : {}),
    imageName: imageName || `image${base.toString(16)}`,
    path: path || imageName,
    base,
    size,
    timestamp: hasTimestamp ? view.getUint32(entry.timestamp, true) : 0,
    checksum: view.getUint32(entry.checksum, true),
  };
}

/** Older systems end the entry before these fields; then other data lies there. */
function plausible(sizeNotRounded: number, size: number): boolean {
  return sizeNotRounded > 0 && sizeNotRounded <= size && size - sizeNotRounded < 0x1000;
}

async function readUnicodeString(read: MemoryReader, bytes: Uint8Array, offset: number): Promise<string> {
  const view = dataView(bytes);
  const length = Math.min(view.getUint16(offset, true) & ~1, MAX_NAME_BYTES);
  const buffer = view.getBigUint64(offset + 8, true);
  if (length === 0 || buffer === 0n) return '';
  return printable(new TextDecoder('utf-16le').decode(await read(buffer, length)));
}

/** Names end up on the user's terminal: what would control it becomes `?`. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

async function readPointer(read: MemoryReader, address: bigint): Promise<bigint | undefined> {
  const bytes = await read(address, 8);
  return bytes.length < 8 ? undefined : dataView(bytes).getBigUint64(0, true);
}

/** The part after the last slash of either kind. */
export function fileNameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/')) + 1);
}

/** File name without extension; what may not stand in a symbol becomes `_`. */
export function moduleName(imageName: string): string {
  const dot = imageName.lastIndexOf('.');
  return (dot > 0 ? imageName.slice(0, dot) : imageName).replace(/[^A-Za-z0-9_]/g, '_');
}
