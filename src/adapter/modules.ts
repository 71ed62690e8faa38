/** The target's modules as DAP shows them, and the events when they come and go. */
import { ModuleEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Events, ModuleRow } from '../engine/session/protocol';
import { formatAddress, parseAddress } from './references';
import type { SessionPort } from './sessionPort';

/** A target may claim any number; so many are remembered. */
const mostModules = 10_000;

export class ModuleList {
  /** By DAP id, which is the base address: two modules may share a name. */
  private rows: Map<string, ModuleRow> | undefined;
  /** Counts the changes, so that a list asked for before one is not kept after it. */
  private version = 0;
  /** What the client has heard of; a module that comes again after a reboot is not new to it. */
  private readonly told = new Map<string, ModuleRow>();

  constructor(
    private readonly session: SessionPort,
    private readonly send: (event: DebugProtocol.Event) => void,
  ) {}

  async all(signal?: AbortSignal): Promise<ModuleRow[]> {
    if (this.rows) return [...this.rows.values()];
    const version = this.version;
    const { modules } = await this.session.request('modules', {}, signal);
    for (const row of modules) this.tell(row);
    // An empty list is what a target gives before the first contact: ask again next time.
    if (version === this.version && modules.length > 0) {
      this.rows = new Map(modules.map((row) => [row.base, row]));
    }
    return modules;
  }

  /** The DAP id of the module of that name. */
  async idOf(name: string, signal?: AbortSignal): Promise<string | undefined> {
    const wanted = name.toLowerCase();
    return (await this.all(signal)).find((row) => row.name.toLowerCase() === wanted)?.base;
  }

  changed({ kind, module }: Events['module']): void {
    this.version++;
    this.rows = undefined;
    if (kind === 'unloadAll') {
      for (const row of [...this.told.values()]) this.removed(row);
    } else if (module && kind === 'unload') {
      this.removed(module);
    } else if (module) {
      this.send(new ModuleEvent(this.told.has(module.base) ? 'changed' : 'new', dapModule(module)));
      this.tell(module);
    }
  }

  private tell(row: ModuleRow): void {
    if (this.told.size < mostModules) this.told.set(row.base, row);
  }

  private removed(row: ModuleRow): void {
    if (this.told.delete(row.base)) this.send(new ModuleEvent('removed', dapModule(row)));
  }
}

export function dapModule(row: ModuleRow): DebugProtocol.Module {
  const base = parseAddress(row.base);
  return {
    id: row.base,
    name: row.imageName || row.name,
    path: row.path,
    symbolStatus: row.symbolStatus,
    ...(base === undefined
      ? {}
      : { addressRange: `${row.base} - ${formatAddress(base + BigInt(row.size))}` }),
    // A load message of the target does not tell it.
    ...(row.timestamp === 0 ? {} : { dateTimeStamp: `0x${row.timestamp.toString(16).padStart(8, '0')}` }),
  };
}
