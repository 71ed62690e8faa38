/**
 * The DBI stream (stream 3): what the linker knew: modules, which module gave which piece of a section, and the numbers
 * of the other streams. Layouts as in LLVM's "The PDB DBI Stream" and dbi.h of microsoft-pdb.
 */
import type { Msf, MsfStream } from './msf';

export interface PdbModule {
  readonly index: number;
  /** The object file, or the linker's name for it. */
  readonly name: string;
  /** The library it comes from, or the object file again. */
  readonly library: string;
  /** Undefined: no symbols. */
  readonly stream: number | undefined;
  readonly symbolBytes: number;
  readonly c11Bytes: number;
  readonly c13Bytes: number;
}

/** A piece of a section that one module gave. */
export interface Contribution {
  /** 1-based. */
  readonly section: number;
  readonly offset: number;
  readonly size: number;
  readonly module: number;
}

const DBI_STREAM = 3;
const HEADER = 64;
const NO_STREAM = 0xffff;
const V2_CONTRIBUTIONS = 0xeffe_0000 + 20_140_516;
const MODULE_HEADER = 64;

/** Order of the stream numbers in the optional debug header. */
const debugStreams = [
  'fpo',
  'exception',
  'fixup',
  'omapToSource',
  'omapFromSource',
  'sectionHeaders',
  'tokenMap',
  'xdata',
  'pdata',
  'newFpo',
  'originalSectionHeaders',
] as const;

export type DebugStream = (typeof debugStreams)[number];

/** The substreams of DBI, in their order. */
const substreams = [
  'modules',
  'contributions',
  'sectionMap',
  'sources',
  'typeServers',
  'ec',
  'debug',
] as const;

type Substream = (typeof substreams)[number];

export class Dbi {
  readonly age: number;
  /** IMAGE_FILE_MACHINE. */
  readonly machine: number;
  /** Private symbols have been taken out. */
  readonly stripped: boolean;
  readonly globals: number | undefined;
  readonly publics: number | undefined;
  readonly symbolRecords: number | undefined;
  private readonly ranges: ReadonlyMap<Substream, readonly [offset: number, size: number]>;
  private moduleList: readonly PdbModule[] | undefined;
  private contributionList: readonly Contribution[] | undefined;
  private readonly debug: ReadonlyMap<DebugStream, number>;

  /** Throws PdbError. */
  constructor(private readonly stream: MsfStream) {
    const header = stream.cursor(0, HEADER, 'header');
    if (header.i32() !== -1) header.fail('has the form of before Visual C++ 4.1, which is not supported');
    header.skip(4);
    this.age = header.u32();
    this.globals = streamNumber(header.u16());
    header.skip(2);
    this.publics = streamNumber(header.u16());
    header.skip(2);
    this.symbolRecords = streamNumber(header.u16());
    header.skip(2);
    const [
      modules = 0,
      contributions = 0,
      sectionMap = 0,
      sources = 0,
      typeServers = 0,
      ,
      debug = 0,
      ec = 0,
    ] = Array.from({ length: 8 }, () => header.i32());
    this.stripped = (header.u16() & 2) !== 0;
    this.machine = header.u16();
    const sizes = [modules, contributions, sectionMap, sources, typeServers, ec, debug];
    const ranges = new Map<Substream, readonly [number, number]>();
    let at = HEADER;
    substreams.forEach((name, i) => {
      const size = sizes[i] ?? 0;
      if (size < 0 || at + size > stream.size) header.fail(`the part '${name}' of ${size} bytes is cut off`);
      ranges.set(name, [at, size]);
      at += size;
    });
    this.ranges = ranges;
    this.debug = this.readDebugHeader();
  }

  /** The number of an optional stream. */
  debugStream(name: DebugStream): number | undefined {
    return this.debug.get(name);
  }

  modules(): readonly PdbModule[] {
    this.moduleList ??= this.readModules();
    return this.moduleList;
  }

  /** Sorted by section and offset. */
  contributions(): readonly Contribution[] {
    this.contributionList ??= this.readContributions();
    return this.contributionList;
  }

  private part(name: Substream) {
    const [offset, size] = this.ranges.get(name) ?? [0, 0];
    return this.stream.cursor(offset, size, name);
  }

  private readDebugHeader(): Map<DebugStream, number> {
    const cursor = this.part('debug');
    const found = new Map<DebugStream, number>();
    for (const name of debugStreams) {
      if (cursor.remaining < 2) break;
      const number = streamNumber(cursor.u16());
      if (number !== undefined) found.set(name, number);
    }
    return found;
  }

  private readModules(): PdbModule[] {
    const cursor = this.part('modules');
    const modules: PdbModule[] = [];
    const streams = new Set<number>();
    while (cursor.remaining >= MODULE_HEADER) {
      cursor.skip(34);
      const stream = streamNumber(cursor.u16());
      const symbolBytes = cursor.u32();
      const c11Bytes = cursor.u32();
      const c13Bytes = cursor.u32();
      cursor.skip(16);
      const name = cursor.text();
      const library = cursor.text();
      cursor.align(4);
      // Modules that share a stream could make a small file endless.
      if (stream !== undefined && streams.has(stream)) cursor.fail(`two modules have stream ${stream}`);
      if (stream !== undefined) streams.add(stream);
      modules.push({ index: modules.length, name, library, stream, symbolBytes, c11Bytes, c13Bytes });
    }
    return modules;
  }

  private readContributions(): Contribution[] {
    const cursor = this.part('contributions');
    if (cursor.remaining < 4) return [];
    const entry = cursor.u32() === V2_CONTRIBUTIONS ? 32 : 28;
    const list: Contribution[] = [];
    while (cursor.remaining >= entry) {
      const next = cursor.at + entry;
      const section = cursor.u16();
      cursor.skip(2);
      const offset = cursor.u32();
      const size = cursor.u32();
      cursor.skip(4);
      list.push({ section, offset, size, module: cursor.u16() });
      cursor.at = next;
    }
    return list.sort((a, b) => a.section - b.section || a.offset - b.offset);
  }
}

/** Undefined: the file has types only. */
export function readDbi(msf: Msf): Dbi | undefined {
  const stream = msf.stream(DBI_STREAM, 'DBI');
  return stream && stream.size > 0 ? new Dbi(stream) : undefined;
}

function streamNumber(number: number): number | undefined {
  return number === NO_STREAM ? undefined : number;
}
