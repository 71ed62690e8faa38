/**
 * The modules of the target with what is known of their images: symbols, function tables, headers. The list is read
 * once and kept up by load events; everything read from an image is read when first needed and kept while it is loaded.
 */
import { cachedImage } from '../image/cachedImage';
import { readPdbId } from '../image/debugId';
import type { PeExport } from '../image/exports';
import { readExports } from '../image/exports';
import type { PeHeaders } from '../image/pe';
import { readPeHeaders } from '../image/pe';
import type { ImageReader, MemoryReader } from '../image/reader';
import { imageInMemory } from '../image/reader';
import type { LoadedModule } from '../nt/modules';
import { fileNameOf, moduleName, printable, readLoadedModules } from '../nt/modules';
import { ExportSymbols, NoSymbols } from '../symbols/exports';
import type { SymbolSource } from '../symbols/symbolSource';
import type { ModuleEvent, Target } from '../target/target';
import { FunctionTable } from '../unwind/functionTable';
import type { FunctionAt } from '../unwind/x64';
import type { ImageDetails, Module } from './engine';

/** Load events of a target gone wild end here. */
const MAX_IMAGES = 4096;

class LoadedImage implements Module {
  symbols: SymbolSource | undefined;
  /** Shared by everybody who asks while it is being read. */
  private headersRead: Promise<PeHeaders | undefined> | undefined;
  private table: FunctionTable | undefined;
  /** For the tables of the image, not for code and data that may change. */
  readonly read: ImageReader;
  symbolsRead: Promise<SymbolSource> | undefined;

  constructor(
    private readonly record: LoadedModule,
    memory: MemoryReader,
  ) {
    const { base, size } = record;
    const inMemory = imageInMemory(memory, base);
    // Whatever an image says, nothing outside of it is read for it.
    this.read = cachedImage((rva, length) =>
      rva >= size ? Promise.resolve(new Uint8Array()) : inMemory(rva, Math.min(length, size - rva)),
    );
  }

  get name() {
    return this.record.name;
  }
  get imageName() {
    return this.record.imageName;
  }
  get path() {
    return this.record.path;
  }
  get base() {
    return this.record.base;
  }
  get size() {
    return this.record.size;
  }
  get timestamp() {
    return this.record.timestamp;
  }
  get checksum() {
    return this.record.checksum;
  }

  /** The same image in another boot has the same; undefined when that cannot be told. */
  get identity(): string | undefined {
    const { imageName, timestamp, size, checksum } = this.record;
    return timestamp === 0 && checksum === 0 ? undefined : `${imageName} ${timestamp} ${size} ${checksum}`;
  }

  async headers(): Promise<PeHeaders | undefined> {
    this.headersRead ??= readPeHeaders(this.read);
    try {
      const headers = await this.headersRead;
      if (!headers) this.headersRead = undefined;
      return headers;
    } catch (error) {
      this.headersRead = undefined;
      throw error;
    }
  }

  async functionTable(): Promise<FunctionTable | undefined> {
    if (this.table) return this.table;
    // The kernel's own record of the table spares reading the headers, and serves when they were discarded.
    const known = this.record.exceptionTable;
    const directory = known ?? (await this.headers())?.exceptions;
    if (!directory || directory.rva === 0) return undefined;
    this.table ??= new FunctionTable(this.read, directory.rva, directory.size, this.size);
    return this.table;
  }
}

export class ModuleList {
  private images: readonly LoadedImage[] = [];
  private stale = true;
  private reading: Promise<readonly LoadedImage[]> | undefined;
  /** Names are dear to read over a slow link: kept by the image's identity, over reboots too. */
  private readonly exportsByIdentity = new Map<string, readonly PeExport[]>();
  private readonly memory: MemoryReader;

  constructor(private readonly target: Target) {
    this.memory = (address, length) => target.readVirtual(address, length);
  }

  /** While the target runs: what is known. */
  async list(): Promise<readonly LoadedImage[]> {
    if (!this.stale || this.target.state !== 'stopped') return this.images;
    this.reading ??= this.readList().finally(() => (this.reading = undefined));
    return this.reading;
  }

  async at(address: bigint): Promise<LoadedImage | undefined> {
    return (await this.list()).find(({ base, size }) => address >= base && address < base + BigInt(size));
  }

  async byName(name: string): Promise<LoadedImage | undefined> {
    const wanted = name.toLowerCase();
    const images = await this.list();
    return (
      images.find((image) => image.name.toLowerCase() === wanted) ??
      // The kernel answers to its file's name as well: ntoskrnl, ntkrnlmp.
      images.find((image) => image.name === 'nt' && moduleName(image.imageName).toLowerCase() === wanted)
    );
  }

  /** Forgets the list and all that was read from the images. */
  forget(): void {
    this.images = [];
    this.stale = true;
  }

  /** Reads the list again; images that are still there keep what was read of them unless `symbols` says otherwise. */
  refresh(): void {
    this.stale = true;
  }

  onEvent(event: ModuleEvent): void {
    if (event.kind === 'unloadAll') {
      this.forget();
    } else if (event.kind === 'unload') {
      this.images = this.images.filter(({ base }) => base !== event.base);
    } else if (this.images.length < MAX_IMAGES && !this.images.some((image) => isSame(image, event))) {
      this.images = [
        ...this.images.filter(({ base }) => base !== event.base),
        new LoadedImage(this.fromEvent(event), this.memory),
      ];
    }
  }

  async symbols(module: Module): Promise<SymbolSource> {
    const image = (await this.list()).find((candidate) => candidate.base === module.base);
    if (image?.symbols) return image.symbols;
    // Not kept: what cannot be read now may be readable at the next stop.
    if (!image || this.target.state !== 'stopped') return new NoSymbols();
    image.symbolsRead ??= this.readSymbols(image).finally(() => (image.symbolsRead = undefined));
    return image.symbolsRead;
  }

  private async readSymbols(image: LoadedImage): Promise<SymbolSource> {
    const known = image.identity === undefined ? undefined : this.exportsByIdentity.get(image.identity);
    const entries = known ?? (await this.readExports(image));
    if (entries && image.identity !== undefined) this.exportsByIdentity.set(image.identity, entries);
    image.symbols = entries && entries.length > 0 ? new ExportSymbols(entries, image.base) : new NoSymbols();
    return image.symbols;
  }

  async details(module: Module): Promise<ImageDetails | undefined> {
    const image = (await this.list()).find((candidate) => candidate.base === module.base);
    const headers = await image?.headers();
    if (!image || !headers) return undefined;
    const pdb = await readPdbId(image.read, headers);
    return { timestamp: headers.timestamp, checksum: headers.checksum, pdb };
  }

  /** For the unwinder. */
  async functionAt(address: bigint): Promise<FunctionAt | undefined> {
    const image = await this.at(address);
    if (!image) return undefined;
    const table = await image.functionTable();
    return { imageBase: image.base, entry: await table?.find(Number(address - image.base)) };
  }

  /** The tables of images, by address; see UnwindSource. */
  readonly readTable: MemoryReader = async (address, length) => {
    const image = await this.at(address);
    return image ? image.read(Number(address - image.base), length) : this.memory(address, length);
  };

  private async readExports(image: LoadedImage): Promise<readonly PeExport[] | undefined> {
    const headers = await image.headers();
    return headers && ((await readExports(image.read, headers))?.entries ?? []);
  }

  private async readList(): Promise<readonly LoadedImage[]> {
    const version = this.target.version;
    if (!version) return this.images;
    const { modules, complete } = await readLoadedModules(
      this.memory,
      version.loadedModuleList,
      version.kernelBase,
    );
    const records = new Map(modules.map((module) => [module.base, module]));
    // Early in the boot the list is not there yet; the load events and the kernel's own image are.
    if (!complete)
      for (const image of this.images) if (!records.has(image.base)) records.set(image.base, image);
    if (!records.has(version.kernelBase)) {
      const kernel = await this.kernelRecord(version.kernelBase);
      if (kernel) records.set(kernel.base, kernel);
    }
    const before = new Map(this.images.map((image) => [image.base, image]));
    this.images = [...records.values()].map((record) => {
      const old = before.get(record.base);
      return old && old.size === record.size && old.timestamp === record.timestamp
        ? old
        : new LoadedImage(record, this.memory);
    });
    this.stale = false;
    return this.images;
  }

  private async kernelRecord(base: bigint): Promise<LoadedModule | undefined> {
    const headers = await readPeHeaders(imageInMemory(this.memory, base));
    if (!headers || base === 0n) return undefined;
    const { sizeOfImage: size, timestamp, checksum } = headers;
    return { name: 'nt', imageName: 'ntoskrnl.exe', path: 'ntoskrnl.exe', base, size, timestamp, checksum };
  }

  private fromEvent(event: ModuleEvent): LoadedModule {
    const imageName = printable(fileNameOf(event.path)) || 'unknown';
    const name = event.base === this.target.version?.kernelBase ? 'nt' : moduleName(imageName);
    const taken = this.images.some(
      (image) => image.base !== event.base && image.name.toLowerCase() === name.toLowerCase(),
    );
    return {
      name: taken ? `${name}_${event.base.toString(16)}` : name,
      imageName,
      path: printable(event.path),
      base: event.base,
      size: event.size,
      timestamp: 0,
      checksum: event.checksum,
    };
  }
}

/** An event may name an image that the list has already; the list knows more of it. */
function isSame(image: LoadedImage, event: ModuleEvent): boolean {
  return image.base === event.base && image.size === event.size && image.checksum === event.checksum;
}
