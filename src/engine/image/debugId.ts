/** The CodeView record (`RSDS`) of an image: which PDB belongs to it. */
import type { PeHeaders } from './pe';
import type { ImageReader } from './reader';
import { dataView, textAt } from './reader';

export interface PdbId {
  /** 32 upper-case hex digits, in the order of the symbol server's keys. */
  readonly guid: string;
  readonly age: number;
  /** Path or file name as the linker wrote it. */
  readonly path: string;
}

const ENTRY_SIZE = 28;
const MAX_ENTRIES = 32;
const MAX_RECORD = 24 + 1024;
const CODEVIEW = 2;
const RSDS = 0x5344_5352;

export async function readPdbId(read: ImageReader, headers: PeHeaders): Promise<PdbId | undefined> {
  const { rva, size } = headers.debug;
  const count = Math.min(Math.floor(size / ENTRY_SIZE), MAX_ENTRIES);
  if (rva === 0 || count === 0) return undefined;
  const table = await read(rva, count * ENTRY_SIZE);
  const view = dataView(table);
  for (let at = 0; at + ENTRY_SIZE <= table.length; at += ENTRY_SIZE) {
    if (view.getUint32(at + 12, true) !== CODEVIEW) continue;
    const record = await read(
      view.getUint32(at + 20, true),
      Math.min(view.getUint32(at + 16, true), MAX_RECORD),
    );
    const id = parseRecord(record);
    if (id) return id;
  }
  return undefined;
}

function parseRecord(record: Uint8Array): PdbId | undefined {
  const view = dataView(record);
  if (record.length < 24 || view.getUint32(0, true) !== RSDS) return undefined;
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  let guid =
    hex(view.getUint32(4, true), 8) + hex(view.getUint16(8, true), 4) + hex(view.getUint16(10, true), 4);
  for (let i = 12; i < 20; i++) guid += hex(view.getUint8(i), 2);
  return { guid: guid.toUpperCase(), age: view.getUint32(20, true), path: textAt(record, 24, MAX_RECORD) };
}
