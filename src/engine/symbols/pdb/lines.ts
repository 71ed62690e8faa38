/**
 * C13 line tables of a module: code addresses to file and line, file checksums, and where inlined functions come from.
 * Layouts as in cvinfo.h of microsoft-pdb (CV_DebugSLinesHeader_t and what follows it).
 */
import type { Cursor } from './cursor';
import type { StringTable } from './info';
import type { MsfStream } from './msf';

export interface SourceFile {
  /** As the compiler wrote it. */
  readonly path: string;
  readonly checksumKind: 'none' | 'MD5' | 'SHA-1' | 'SHA-256';
  /** Lower-case hex digits. */
  readonly checksum: string;
}

/** One line record; it holds up to the next one of its range. */
export interface LineRecord {
  readonly section: number;
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
  readonly file: SourceFile;
  /** 0xFEEFEE and 0xF00F00 stand for code without a line. */
  readonly line: number;
  /** The last line, if it is another one. */
  readonly endLine: number;
  readonly isStatement: boolean;
  /** 1-based; undefined when the compiler gave none. */
  readonly column?: number;
}

/** Where the body of an inlined function begins. */
export interface InlineeLine {
  /** In IPI. */
  readonly inlinee: number;
  readonly file: SourceFile;
  readonly line: number;
}

export interface ModuleLines {
  readonly files: readonly SourceFile[];
  readonly lines: readonly LineRecord[];
  readonly inlinees: readonly InlineeLine[];
}

const subsections = { lines: 0xf2, checksums: 0xf4, inlinees: 0xf6 } as const;
const checksumKinds = ['none', 'MD5', 'SHA-1', 'SHA-256'] as const;
const HAS_COLUMNS = 1;
const BLOCK_HEADER = 12;

/** True for the numbers that mean "no line". */
export function isHiddenLine(line: number): boolean {
  return line === 0xfe_efee || line === 0xf0_0f00;
}

/** Reads `size` bytes at `offset`, the C13 part of a module's stream. Throws PdbError. */
export function readLines(
  stream: MsfStream,
  offset: number,
  size: number,
  names: StringTable | undefined,
): ModuleLines {
  const cursor = stream.cursor(offset, size, 'line tables');
  const parts: { kind: number; at: number; end: number }[] = [];
  while (cursor.remaining >= 8) {
    const kind = cursor.u32();
    const length = cursor.u32();
    parts.push({ kind, at: cursor.at, end: cursor.at + length });
    cursor.skip(length);
    cursor.align(4);
  }
  const files = new Map<number, SourceFile>();
  const each = (kind: number, read: (end: number) => void) => {
    for (const part of parts) {
      if (part.kind !== kind) continue;
      cursor.at = part.at;
      read(part.end);
      if (cursor.at > part.end) cursor.fail(`the part at offset ${part.at} is too short`);
    }
  };
  each(subsections.checksums, (end) => readChecksums(cursor, end, names, files));
  const fileAt = (at: number) =>
    files.get(at) ?? cursor.fail(`there is no file at offset ${at} of the checksums`);
  const lines: LineRecord[] = [];
  const inlinees: InlineeLine[] = [];
  each(subsections.lines, (end) => readLineRange(cursor, end, fileAt, lines));
  each(subsections.inlinees, (end) => readInlinees(cursor, end, fileAt, inlinees));
  return { files: [...files.values()], lines, inlinees };
}

function readChecksums(
  cursor: Cursor,
  end: number,
  names: StringTable | undefined,
  files: Map<number, SourceFile>,
) {
  const start = cursor.at;
  while (cursor.at + 6 <= end) {
    const at = cursor.at - start;
    const name = cursor.u32();
    const length = cursor.u8();
    const kind = cursor.u8();
    const checksum = Buffer.from(cursor.bytes(length)).toString('hex');
    const path = names ? names.at(name) : cursor.fail('there are files, but no string table /names');
    files.set(at, { path, checksumKind: checksumKinds[kind] ?? 'none', checksum });
    cursor.at = start + Math.ceil((cursor.at - start) / 4) * 4;
  }
}

type FileAt = (offset: number) => SourceFile;

function readLineRange(cursor: Cursor, end: number, fileAt: FileAt, lines: LineRecord[]): void {
  const base = cursor.u32();
  const section = cursor.u16();
  const columns = (cursor.u16() & HAS_COLUMNS) !== 0;
  const codeSize = cursor.u32();
  const first = lines.length;
  while (cursor.at + BLOCK_HEADER <= end) {
    const file = fileAt(cursor.u32());
    const count = cursor.u32();
    cursor.skip(4);
    if (count * (columns ? 12 : 8) > end - cursor.at) cursor.fail(`${count} lines do not fit`);
    const columnsAt = cursor.at + 8 * count;
    for (let i = 0; i < count; i++) {
      const offset = base + cursor.u32();
      const bits = cursor.u32();
      const line = bits & 0xff_ffff;
      const record = {
        section,
        offset,
        file,
        line,
        endLine: line + ((bits >>> 24) & 0x7f),
        isStatement: bits >>> 31 === 1,
      };
      lines.push({ ...record, size: 0 });
    }
    if (columns) {
      cursor.at = columnsAt;
      for (let i = lines.length - count; i < lines.length; i++) {
        const column = cursor.u16();
        cursor.skip(2);
        const record = lines[i];
        if (record && column > 0) lines[i] = { ...record, column };
      }
    }
  }
  // Blocks of several files alternate; by address, each record ends where the next one begins.
  const range = lines.slice(first).sort((a, b) => a.offset - b.offset);
  range.forEach((record, i) => {
    const next = range[i + 1]?.offset ?? base + codeSize;
    lines[first + i] = { ...record, size: Math.max(next - record.offset, 0) };
  });
}

function readInlinees(cursor: Cursor, end: number, fileAt: FileAt, inlinees: InlineeLine[]): void {
  const extraFiles = cursor.u32() === 1;
  while (cursor.at + 12 <= end) {
    const inlinee = cursor.u32();
    const file = fileAt(cursor.u32());
    inlinees.push({ inlinee, file, line: cursor.u32() });
    if (extraFiles) cursor.skip(4 * cursor.u32());
  }
}
