/** Addresses to names. */
import type { SymbolPlace } from './engine';
import type { ModuleList } from './moduleList';

export class Symbolizer {
  constructor(private readonly modules: ModuleList) {}

  /** Undefined outside of all modules. */
  async place(address: bigint): Promise<SymbolPlace | undefined> {
    const module = await this.modules.at(address);
    if (!module) return undefined;
    const symbol = (await this.modules.symbols(module)).nearest(address);
    const offset = address - (symbol?.address ?? module.base);
    const name = symbol ? `${module.name}!${symbol.name}` : module.name;
    return { module, symbol, offset, text: offset === 0n ? name : `${name}+0x${offset.toString(16)}` };
  }
}
