/**
 * Headers of PE32 and PE32+ images (Microsoft PE and COFF specification), from target memory or from a file. An
 * image that is cut off or nonsense gives undefined, never an exception.
 */
import type { ImageReader } from './reader';
import { dataView, textAt } from './reader';

export interface PeSection {
  readonly name: string;
  readonly virtualAddress: number;
  readonly virtualSize: number;
  readonly rawOffset: number;
  readonly rawSize: number;
  readonly characteristics: number;
}

export interface PeDirectory {
  readonly rva: number;
  readonly size: number;
}

export interface PeHeaders {
  readonly machine: number;
  readonly timestamp: number;
  readonly checksum: number;
  readonly sizeOfImage: number;
  readonly sizeOfHeaders: number;
  readonly entryPoint: number;
  readonly preferredBase: bigint;
  /** PE32+: 64-bit addresses. */
  readonly is64Bit: boolean;
  readonly sections: readonly PeSection[];
  readonly exports: PeDirectory;
  readonly exceptions: PeDirectory;
  readonly debug: PeDirectory;
}

const HEADER_READ = 0x1000;
const MAX_LFANEW = 0x10_0000;
const MAX_SECTIONS = 96;
const SECTION_SIZE = 40;
const DOS_MAGIC = 0x5a4d;
const NT_SIGNATURE = 0x0000_4550;

/** Offsets from the NT signature. */
const nt = { machine: 4, sections: 6, timestamp: 8, optionalSize: 20, optional: 24 } as const;

/** Offsets in the optional header that are alike in both forms. */
const optional = { magic: 0, entryPoint: 16, sizeOfImage: 56, sizeOfHeaders: 60, checksum: 64 } as const;

/** What differs: where the base, the directory count and the directories are. */
const forms = {
  0x10b: { base: 28, wide: false, directoryCount: 92, directories: 96 },
  0x20b: { base: 24, wide: true, directoryCount: 108, directories: 112 },
} as const;

const directoryIndex = { exports: 0, exceptions: 3, debug: 6 } as const;

export async function readPeHeaders(read: ImageReader): Promise<PeHeaders | undefined> {
  const first = await read(0, HEADER_READ);
  if (first.length < 64 || dataView(first).getUint16(0, true) !== DOS_MAGIC) return undefined;
  const start = dataView(first).getUint32(0x3c, true);
  if (start > MAX_LFANEW) return undefined;
  const inFirst = start + nt.optional + 240 + 16 * SECTION_SIZE <= first.length;
  return parse(inFirst ? first.subarray(start) : await read(start, HEADER_READ));
}

/** `bytes` begin at the NT signature. */
function parse(bytes: Uint8Array): PeHeaders | undefined {
  const view = dataView(bytes);
  if (bytes.length < nt.optional + 112 || view.getUint32(0, true) !== NT_SIGNATURE) return undefined;
  const magic = view.getUint16(nt.optional, true);
  if (magic !== 0x10b && magic !== 0x20b) return undefined;
  const form = forms[magic];
  const directoryCount = view.getUint32(nt.optional + form.directoryCount, true);
  const directory = (index: number): PeDirectory => {
    const at = nt.optional + form.directories + 8 * index;
    if (index >= directoryCount || at + 8 > bytes.length) return { rva: 0, size: 0 };
    return { rva: view.getUint32(at, true), size: view.getUint32(at + 4, true) };
  };
  return {
    machine: view.getUint16(nt.machine, true),
    timestamp: view.getUint32(nt.timestamp, true),
    checksum: view.getUint32(nt.optional + optional.checksum, true),
    sizeOfImage: view.getUint32(nt.optional + optional.sizeOfImage, true),
    sizeOfHeaders: view.getUint32(nt.optional + optional.sizeOfHeaders, true),
    entryPoint: view.getUint32(nt.optional + optional.entryPoint, true),
    preferredBase: form.wide
      ? view.getBigUint64(nt.optional + form.base, true)
      : BigInt(view.getUint32(nt.optional + form.base, true)),
    is64Bit: form.wide,
    sections: sectionsOf(bytes, view),
    exports: directory(directoryIndex.exports),
    exceptions: directory(directoryIndex.exceptions),
    debug: directory(directoryIndex.debug),
  };
}

function sectionsOf(bytes: Uint8Array, view: DataView): PeSection[] {
  const count = Math.min(view.getUint16(nt.sections, true), MAX_SECTIONS);
  const start = nt.optional + view.getUint16(nt.optionalSize, true);
  const sections: PeSection[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * SECTION_SIZE;
    if (at + SECTION_SIZE > bytes.length) break;
    sections.push({
      name: textAt(bytes, at, 8),
      virtualSize: view.getUint32(at + 8, true),
      virtualAddress: view.getUint32(at + 12, true),
      rawSize: view.getUint32(at + 16, true),
      rawOffset: view.getUint32(at + 20, true),
      characteristics: view.getUint32(at + 36, true),
    });
  }
  return sections;
}

/** Reads the file as the loader would map it: headers at 0, each section at its address, the rest not there. */
export async function imageInFile(file: Uint8Array): Promise<ImageReader> {
  const raw: ImageReader = (rva, length) => Promise.resolve(file.subarray(rva, rva + length));
  const headers = await readPeHeaders(raw);
  if (!headers) return raw;
  return (rva, length) => {
    if (rva < headers.sizeOfHeaders) return raw(rva, Math.min(length, headers.sizeOfHeaders - rva));
    const section = headers.sections.find(
      (s) => rva >= s.virtualAddress && rva - s.virtualAddress < Math.max(s.virtualSize, s.rawSize),
    );
    if (!section) return Promise.resolve(new Uint8Array());
    return Promise.resolve(sectionBytes(file, section, rva - section.virtualAddress, length));
  };
}

/** What the file does not hold of a section is zero. */
function sectionBytes(file: Uint8Array, section: PeSection, offset: number, length: number): Uint8Array {
  const size = Math.max(Math.min(length, Math.max(section.virtualSize, section.rawSize) - offset), 0);
  const stored = file.subarray(
    section.rawOffset + offset,
    section.rawOffset + Math.min(section.rawSize, offset + size),
  );
  if (stored.length === size) return stored;
  // A hostile header may claim 4 GiB of zeros: what the file does not hold is only made up to a page's size.
  const padded = new Uint8Array(Math.min(size, stored.length + HEADER_READ));
  padded.set(stored);
  return padded;
}
