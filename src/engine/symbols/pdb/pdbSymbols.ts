/** The symbols of a module from its PDB, at the address where the module is loaded. */
import type { ModuleSymbol, SymbolSource } from '../symbolSource';
import type { Pdb, PdbSymbol } from './pdb';

export class PdbSymbols implements SymbolSource {
  readonly kind: 'pdb symbols' | 'private pdb symbols';

  constructor(
    private readonly pdb: Pdb,
    private readonly base: bigint,
  ) {
    const stripped = pdb.dbi?.stripped ?? true;
    this.kind = stripped || pdb.types() === undefined ? 'pdb symbols' : 'private pdb symbols';
  }

  nearest(address: bigint): ModuleSymbol | undefined {
    const rva = address - this.base;
    if (rva < 0n || rva > 0xffff_ffffn) return undefined;
    return this.placed(this.pdb.nearest(Number(rva)));
  }

  /** Private symbols first, as in the module's source; then publics. */
  find(name: string): ModuleSymbol | undefined {
    return this.placed(this.pdb.findGlobal(name, true)) ?? this.placed(this.pdb.findPublic(name, true));
  }

  /** Each name at an address once. */
  *all(): Generator<ModuleSymbol> {
    const seen = new Set<string>();
    for (const list of [this.pdb.procedures(), this.pdb.globals(), this.pdb.publics()]) {
      for (const symbol of list) {
        const placed = this.placed(symbol);
        const key = `${symbol.rva} ${symbol.name}`;
        if (!placed || seen.has(key)) continue;
        seen.add(key);
        yield placed;
      }
    }
  }

  private placed(symbol: PdbSymbol | undefined): ModuleSymbol | undefined {
    if (symbol?.rva === undefined) return undefined;
    return { name: symbol.name, address: this.base + BigInt(symbol.rva) };
  }
}
