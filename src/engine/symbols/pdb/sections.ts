/**
 * Section and offset, as PDBs have it, to RVA and back: by the section headers, and by the OMAP tables of images that
 * were rearranged after linking (they translate between the linker's addresses and the image's).
 */
import type { Dbi } from './dbi';
import type { Msf } from './msf';

export interface PdbSection {
  readonly name: string;
  readonly rva: number;
  readonly size: number;
}

const SECTION_HEADER = 40;

export class Sections {
  /** Section n of the PDB is entry n - 1; for a rearranged image, as the linker had made it. */
  readonly list: readonly PdbSection[];
  private readonly toImage: Omap | undefined;
  private readonly toSource: Omap | undefined;

  constructor(msf: Msf, dbi: Dbi) {
    const fromSource = dbi.debugStream('omapFromSource');
    const original = fromSource === undefined ? undefined : dbi.debugStream('originalSectionHeaders');
    this.toImage = readOmap(msf, fromSource, 'OMAP from source');
    this.toSource = readOmap(msf, dbi.debugStream('omapToSource'), 'OMAP to source');
    this.list = readHeaders(msf, original ?? dbi.debugStream('sectionHeaders'));
  }

  /** Undefined for an absolute symbol, a section that is not there, or code that was taken out. */
  rva(section: number, offset: number): number | undefined {
    const start = this.list[section - 1]?.rva;
    if (start === undefined || start + offset > 0xffff_ffff) return undefined;
    return this.toImage ? this.toImage.translate(start + offset) : start + offset;
  }

  /** Undefined when no section holds the address. */
  locate(rva: number): { section: number; offset: number } | undefined {
    const source = this.toSource ? this.toSource.translate(rva) : rva;
    if (source === undefined) return undefined;
    const index = this.list.findIndex((s) => source >= s.rva && source - s.rva < s.size);
    const found = this.list[index];
    return found && { section: index + 1, offset: source - found.rva };
  }
}

function readHeaders(msf: Msf, number: number | undefined): PdbSection[] {
  const stream = number === undefined ? undefined : msf.stream(number, 'section headers');
  const cursor = stream?.cursor();
  const sections: PdbSection[] = [];
  while (cursor && cursor.remaining >= SECTION_HEADER) {
    const name = String.fromCharCode(...cursor.bytes(8)).replace(/\0.*$/s, '');
    const virtualSize = cursor.u32();
    const rva = cursor.u32();
    sections.push({ name, rva, size: Math.max(virtualSize, cursor.u32()) });
    cursor.skip(SECTION_HEADER - 20);
  }
  return sections;
}

/** Pairs of RVAs sorted by the first; each holds up to the next one. */
export class Omap {
  constructor(private readonly pairs: Uint32Array) {}

  /** Undefined when what was at `rva` is gone. */
  translate(rva: number): number | undefined {
    let low = 0;
    let high = this.pairs.length >> 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.pairs[2 * middle] ?? 0) <= rva) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const to = this.pairs[2 * low - 1] ?? 0;
    return to === 0 ? undefined : to + rva - (this.pairs[2 * low - 2] ?? 0);
  }
}

function readOmap(msf: Msf, number: number | undefined, name: string): Omap | undefined {
  const stream = number === undefined ? undefined : msf.stream(number, name);
  if (!stream || stream.size < 8) return undefined;
  const cursor = stream.cursor();
  return new Omap(Uint32Array.from({ length: (stream.size >> 3) * 2 }, () => cursor.u32()));
}
