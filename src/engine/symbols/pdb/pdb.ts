/**
 * A PDB file: what it belongs to, its symbols, types and lines. Opening reads the directory and three headers; the
 * rest is read when it is asked for and kept. All addresses are RVAs. Every method throws PdbError where the file is
 * broken.
 */
import { readDbi, type Dbi, type PdbModule } from './dbi';
import { readInfo, StringTable, type PdbInfo } from './info';
import { isHiddenLine, readLines, type LineRecord, type ModuleLines, type SourceFile } from './lines';
import { Msf, type RandomAccessFile } from './msf';
import { Sections } from './sections';
import { isData, isProcedure, kinds, readSymbol, type SymbolRecord } from './symbolRecords';
import { openGlobals, openPublics, type SymbolTable } from './symbolTable';
import { Types } from './types';
import { openTypes, type TypeStream } from './typeStream';

export interface PdbSymbol {
  readonly kind: 'public' | 'procedure' | 'global';
  readonly name: string;
  /** Undefined for what has no place in the image: absolute symbols, code that was taken out. */
  readonly rva: number | undefined;
  readonly section: number;
  readonly offset: number;
  /** In bytes; 0 when it is not told. */
  readonly size: number;
  /** Of a procedure and a global: type index, of an id record where `typeIsId`. 0 for a public. */
  readonly type: number;
  readonly typeIsId: boolean;
}

export interface PdbLine extends LineRecord {
  readonly rva: number | undefined;
}

/** A symbol with a place in the image. */
export type PlacedSymbol = PdbSymbol & { readonly rva: number };

const SIGNATURE_C13 = 4;

/** Opens by directory and headers. Throws PdbError when it is no PDB. */
export function openPdb(file: RandomAccessFile): Pdb {
  return new Pdb(new Msf(file));
}

export class Pdb {
  readonly info: PdbInfo;
  /** With the age that images ask for: that of DBI where there is one. */
  readonly identity: { readonly guid: string; readonly age: number };
  readonly dbi: Dbi | undefined;
  private opened: Partial<{
    sections: Sections;
    publics: ReturnType<typeof openPublics>;
    globals: SymbolTable | undefined;
    types: Types | undefined;
    ids: TypeStream | undefined;
    names: StringTable | undefined;
    sortedPublics: readonly PlacedSymbol[];
    sortedGlobals: readonly PlacedSymbol[];
  }> = {};
  private readonly moduleSymbolCache = new Map<number, readonly SymbolRecord[]>();
  private readonly procedureCache = new Map<number, readonly PlacedSymbol[]>();
  private readonly lineCache = new Map<number, ModuleLines>();
  private readonly sortedLines = new Map<number, readonly PdbLine[]>();

  constructor(private readonly msf: Msf) {
    this.info = readInfo(msf);
    this.dbi = readDbi(msf);
    this.identity = { guid: this.info.guid, age: this.dbi?.age ?? this.info.age };
  }

  /** IMAGE_FILE_MACHINE; 0 when it is not told. */
  get machine(): number {
    return this.dbi?.machine ?? 0;
  }

  /** Bytes read from the file so far. */
  get bytesRead(): number {
    return this.msf.bytesRead;
  }

  get sections(): Sections | undefined {
    return (this.opened.sections ??= this.dbi && new Sections(this.msf, this.dbi));
  }

  /** TPI; undefined when the file has no types. */
  types(): Types | undefined {
    if (!('types' in this.opened)) {
      const stream = openTypes(this.msf, 2);
      this.opened.types = stream && new Types(stream);
    }
    return this.opened.types;
  }

  /** IPI: function ids, build information. */
  ids(): TypeStream | undefined {
    if (!('ids' in this.opened)) this.opened.ids = openTypes(this.msf, 4);
    return this.opened.ids;
  }

  /** Reads the hash bucket of the name and the records in it. */
  findPublic(name: string, ignoreCase = false): PdbSymbol | undefined {
    const [found] = this.publicTable()?.table.find(name, ignoreCase) ?? [];
    return found && this.symbol(found);
  }

  /** A data symbol or, through its reference, a procedure. */
  findGlobal(name: string, ignoreCase = false): PdbSymbol | undefined {
    for (const record of this.globalTable()?.find(name, ignoreCase) ?? []) {
      if (isData(record.kind)) return this.symbol(record);
      if (record.kind === kinds.procedureRef || record.kind === kinds.localProcedureRef) {
        const target = this.referenced(record);
        if (target) return target;
      }
    }
    return undefined;
  }

  /** In the order of the table. */
  *publics(): Generator<PdbSymbol> {
    for (const record of this.publicTable()?.table.all() ?? []) {
      if (record.kind === kinds.publicSymbol) yield this.symbol(record);
    }
  }

  /** Global and file-static data, in the order of the table. */
  *globals(): Generator<PdbSymbol> {
    for (const record of this.globalTable()?.all() ?? []) if (isData(record.kind)) yield this.symbol(record);
  }

  /** Module by module. */
  *procedures(): Generator<PdbSymbol> {
    for (const module of this.modules()) {
      for (const record of this.readModuleSymbols(module))
        if (isProcedure(record.kind)) yield this.symbol(record);
    }
  }

  modules(): readonly PdbModule[] {
    return this.dbi?.modules() ?? [];
  }

  /** All records of a module, with its scopes; kept. */
  moduleSymbols(module: PdbModule): readonly SymbolRecord[] {
    let symbols = this.moduleSymbolCache.get(module.index);
    if (!symbols) {
      symbols = [...this.readModuleSymbols(module)];
      this.moduleSymbolCache.set(module.index, symbols);
    }
    return symbols;
  }

  /** Every line record, module by module. */
  *lines(): Generator<PdbLine> {
    for (const module of this.modules()) {
      for (const line of this.readModuleLines(module).lines) yield this.placed(line);
    }
  }

  /** The lines, files and inlinees of a module; kept. */
  moduleLines(module: PdbModule): ModuleLines {
    let lines = this.lineCache.get(module.index);
    if (!lines) {
      lines = this.readModuleLines(module);
      this.lineCache.set(module.index, lines);
    }
    return lines;
  }

  /** Every source file once. */
  sourceFiles(): SourceFile[] {
    const files = new Map<string, SourceFile>();
    for (const module of this.modules()) {
      for (const file of this.readModuleLines(module).files) {
        if (!files.has(file.path)) files.set(file.path, file);
      }
    }
    return [...files.values()];
  }

  /** The line of the code at `rva`; undefined when it has none. */
  lineAt(rva: number): PdbLine | undefined {
    const module = this.moduleAt(rva);
    if (!module) return undefined;
    let lines = this.sortedLines.get(module.index);
    if (!lines) {
      lines = this.moduleLines(module)
        .lines.map((line) => this.placed(line))
        .filter((line) => line.rva !== undefined)
        .sort((a, b) => (a.rva ?? 0) - (b.rva ?? 0));
      this.sortedLines.set(module.index, lines);
    }
    for (let i = lastAtOrBefore(lines, rva); i >= 0; i--) {
      const line = lines[i];
      // Records without code stand at the address of the next one.
      if (line?.size === 0) continue;
      const inside = line?.rva !== undefined && rva - line.rva < line.size;
      return inside && !isHiddenLine(line.line) ? line : undefined;
    }
    return undefined;
  }

  /** The procedure, data symbol or public that begins last at or before `rva`, in that order of preference. */
  nearest(rva: number): PlacedSymbol | undefined {
    const place = this.sections?.locate(rva);
    if (!place) return undefined;
    const module = this.moduleAt(rva);
    const candidates = [
      module && last(this.moduleProcedures(module), rva),
      last(this.sortedGlobals(), rva),
      last(this.sortedPublics(), rva),
    ];
    let best: PlacedSymbol | undefined;
    for (const candidate of candidates) {
      if (candidate?.section === place.section && (best === undefined || candidate.rva > best.rva))
        best = candidate;
    }
    return best;
  }

  /** The module that gave the code or data at `rva`. */
  moduleAt(rva: number): PdbModule | undefined {
    const place = this.sections?.locate(rva);
    const list = this.dbi?.contributions() ?? [];
    if (!place) return undefined;
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = list[middle];
      const before = entry && (entry.section - place.section || entry.offset - place.offset) <= 0;
      if (before) low = middle + 1;
      else high = middle;
    }
    const entry = list[low - 1];
    if (entry?.section !== place.section || place.offset - entry.offset >= entry.size) return undefined;
    return this.modules()[entry.module];
  }

  private symbol(record: SymbolRecord): PdbSymbol {
    const { section = 0, offset = 0, size = 0, type = 0 } = record.values;
    const { kind, name } = record;
    return {
      kind: kind === kinds.publicSymbol ? 'public' : isProcedure(kind) ? 'procedure' : 'global',
      name,
      rva: this.sections?.rva(section, offset),
      section,
      offset,
      size,
      type,
      typeIsId: kind === kinds.localProcedureId || kind === kinds.globalProcedureId,
    };
  }

  private placed(line: LineRecord): PdbLine {
    return { ...line, rva: this.sections?.rva(line.section, line.offset) };
  }

  /** The module number of a reference counts from 1. */
  private referenced(reference: SymbolRecord): PdbSymbol | undefined {
    const { module = 0, record = 0 } = reference.values;
    const found = this.modules()[module - 1];
    const stream =
      found?.stream === undefined ? undefined : this.msf.stream(found.stream, `module ${found.index}`);
    if (!found || !stream || record >= found.symbolBytes) return undefined;
    const length = stream.cursor(record, 2, `symbol ${record}`).u16();
    const target = readSymbol(stream.cursor(record, length + 2, `symbol ${record}`), record);
    return isProcedure(target.kind) ? this.symbol(target) : undefined;
  }

  private *readModuleSymbols(module: PdbModule): Generator<SymbolRecord> {
    const stream = this.moduleStream(module);
    if (!stream || module.symbolBytes < 4) return;
    const cursor = stream.cursor(0, module.symbolBytes, 'symbols');
    if (cursor.u32() !== SIGNATURE_C13) cursor.fail('are of an unknown form');
    while (cursor.remaining >= 4) yield readSymbol(cursor);
  }

  private readModuleLines(module: PdbModule): ModuleLines {
    const stream = this.moduleStream(module);
    if (!stream || module.c13Bytes === 0) return { files: [], lines: [], inlinees: [] };
    return readLines(stream, module.symbolBytes + module.c11Bytes, module.c13Bytes, this.names());
  }

  private moduleStream(module: PdbModule) {
    return module.stream === undefined ? undefined : this.msf.stream(module.stream, `module ${module.index}`);
  }

  private moduleProcedures(module: PdbModule): readonly PlacedSymbol[] {
    let list = this.procedureCache.get(module.index);
    if (!list) {
      const records = [...this.readModuleSymbols(module)].filter((record) => isProcedure(record.kind));
      list = sorted(records.map((record) => this.symbol(record)));
      this.procedureCache.set(module.index, list);
    }
    return list;
  }

  private sortedPublics(): readonly PlacedSymbol[] {
    return (this.opened.sortedPublics ??= sorted([...this.publics()]));
  }

  private sortedGlobals(): readonly PlacedSymbol[] {
    return (this.opened.sortedGlobals ??= sorted([...this.globals()]));
  }

  private publicTable() {
    if (!('publics' in this.opened)) {
      this.opened.publics = openPublics(this.msf, this.dbi?.publics, this.dbi?.symbolRecords);
    }
    return this.opened.publics;
  }

  private globalTable() {
    if (!('globals' in this.opened)) {
      this.opened.globals = openGlobals(this.msf, this.dbi?.globals, this.dbi?.symbolRecords);
    }
    return this.opened.globals;
  }

  private names(): StringTable | undefined {
    if (!('names' in this.opened)) {
      const number = this.info.namedStreams.get('/names');
      const stream = number === undefined ? undefined : this.msf.stream(number, '/names');
      this.opened.names = stream && new StringTable(stream);
    }
    return this.opened.names;
  }
}

function sorted(symbols: readonly PdbSymbol[]): PlacedSymbol[] {
  return symbols
    .filter((symbol): symbol is PlacedSymbol => symbol.rva !== undefined)
    .sort((a, b) => a.rva - b.rva || a.name.length - b.name.length);
}

/** The last of those that begin at or before `rva`; of several at one address the first, which is the shortest. */
function last(symbols: readonly PlacedSymbol[], rva: number): PlacedSymbol | undefined {
  let index = lastAtOrBefore(symbols, rva);
  const at = symbols[index]?.rva;
  while (index > 0 && symbols[index - 1]?.rva === at) index--;
  return symbols[index];
}

/** -1 when all come later. */
function lastAtOrBefore(list: readonly { readonly rva: number | undefined }[], rva: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.rva ?? 0) <= rva) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
