/** The target's modules as DAP shows them, and the events when they come and go. */
import { ModuleEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Events, ModuleRow } from '../engine/session/protocol';
import type { SessionPort } from './sessionPort';

export class ModuleList {
  /** By DAP id, which is the base address: two modules may share a name. */
  private rows: Map<string, ModuleRow> | undefined;
  /** Counts the changes, so that a list asked for before one is not kept after it. */
  private version = 0;

  constructor(
    private readonly session: SessionPort,
    private readonly send: (event: DebugProtocol.Event) => void,
  ) {}

  async all(signal?: AbortSignal): Promise<ModuleRow[]> {
    if (this.rows) return [...this.rows.values()];
    const version = this.version;
    const { modules } = await this.session.request('modules', {}, signal);
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
    const known = this.rows;
    this.rows = undefined;
    if (kind === 'unloadAll') {
      for (const row of known?.values() ?? []) this.send(new ModuleEvent('removed', dapModule(row)));
    } else if (module) {
      this.send(new ModuleEvent(kind === 'load' ? 'new' : 'removed', dapModule(module)));
    }
  }
}

export function dapModule(row: ModuleRow): DebugProtocol.Module {
  const end = BigInt(row.base) + BigInt(row.size);
  return {
    id: row.base,
    name: row.imageName || row.name,
    path: row.path,
    symbolStatus: row.symbolStatus,
    addressRange: `${row.base} - 0x${end.toString(16)}`,
    // A load message of the target does not tell it.
    ...(row.timestamp === 0 ? {} : { dateTimeStamp: `0x${row.timestamp.toString(16).padStart(8, '0')}` }),
  };
}
