/** Exported names of an image as its symbols. */
import type { PeExport } from '../image/exports';
import type { ModuleSymbol, SymbolSource } from './symbolSource';

export class ExportSymbols implements SymbolSource {
  readonly kind = 'export symbols';
  /** By address; of several names at one address the shortest comes first, so that it is the one shown. */
  private readonly sorted: readonly ModuleSymbol[];
  private readonly byName: ReadonlyMap<string, ModuleSymbol>;

  constructor(entries: readonly PeExport[], base: bigint) {
    this.sorted = entries
      .map(({ name, rva }) => ({ name, address: base + BigInt(rva) }))
      .sort(
        (a, b) => compare(a.address, b.address) || a.name.length - b.name.length || compare(a.name, b.name),
      );
    this.byName = new Map(this.sorted.map((symbol) => [symbol.name.toLowerCase(), symbol]));
  }

  nearest(address: bigint): ModuleSymbol | undefined {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.sorted[middle]?.address ?? 0n) <= address) low = middle + 1;
      else high = middle;
    }
    const last = this.sorted[low - 1];
    if (!last) return undefined;
    // The first of those at the same address.
    let index = low - 1;
    while (index > 0 && this.sorted[index - 1]?.address === last.address) index--;
    return this.sorted[index];
  }

  find(name: string): ModuleSymbol | undefined {
    return this.byName.get(name.toLowerCase());
  }

  all(): Iterable<ModuleSymbol> {
    return this.sorted;
  }
}

/** For a module whose image gives none. */
export class NoSymbols implements SymbolSource {
  readonly kind = 'no symbols';

  nearest(): undefined {
    return undefined;
  }

  find(): undefined {
    return undefined;
  }

  all(): Iterable<ModuleSymbol> {
    return [];
  }
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
