/** What the engine asks of the symbols of one module. Exports give it today, PDBs give more of it. */

export interface ModuleSymbol {
  readonly name: string;
  /** Virtual address. */
  readonly address: bigint;
}

export interface SymbolSource {
  /** How the module list shows it: `export symbols`, `pdb symbols`, `no symbols`. */
  readonly kind: 'export symbols' | 'pdb symbols' | 'private pdb symbols' | 'no symbols';
  /** The last symbol at or before the address, within the module. */
  nearest(address: bigint): ModuleSymbol | undefined;
  /** Case-insensitive, exact. */
  find(name: string): ModuleSymbol | undefined;
  /** All symbols, for completion and `x`. */
  all(): Iterable<ModuleSymbol>;
}
