/**
 * The breakpoints this client manages (DAP replaces all of a kind at a time) and those of everyone else, which it
 * hears about. The session keeps the truth; here is which of them are ours, under which DAP id, and which could not
 * be set yet: they are tried again at every stop and when a module comes.
 */
import { BreakpointEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { errorText } from '../engine/base/errors';
import type { BreakpointRow, Events, StopInfo } from '../engine/session/protocol';
import type { SessionPort } from './sessionPort';

export type BreakpointKind = 'instruction' | 'function';

const kinds: readonly BreakpointKind[] = ['instruction', 'function'];

/** One that this client wants. */
interface Wanted {
  readonly dapId: number;
  readonly expression: string;
  /** The session's row once it is set. */
  row: BreakpointRow | undefined;
  error: string;
}

export class BreakpointRegistry {
  private readonly wanted: Record<BreakpointKind, Wanted[]> = { instruction: [], function: [] };
  private readonly rows = new Map<number, BreakpointRow>();
  /** DAP ids of breakpoints that are not ours, by the session's id. */
  private readonly foreign = new Map<number, number>();
  private lastId = 0;
  /** Requests of ours under way: what the session tells of our own breakpoints meanwhile is their answer. */
  private setting = 0;

  /** `clientId` makes the owners' names unique among the clients of the session. */
  constructor(
    private readonly session: SessionPort,
    private readonly clientId: number,
    private readonly send: (event: DebugProtocol.Event) => void,
  ) {}

  /** Learns of the breakpoints that exist already. */
  async load(signal: AbortSignal): Promise<void> {
    const { breakpoints } = await this.session.request('breakpoints', {}, signal);
    for (const row of breakpoints) {
      if (!this.rows.has(row.id)) this.changed({ kind: 'new', breakpoint: row });
    }
  }

  /** Replaces all of a kind; one result per expression, in order. */
  async set(
    kind: BreakpointKind,
    expressions: string[],
    signal: AbortSignal,
  ): Promise<DebugProtocol.Breakpoint[]> {
    // One that stays keeps its id: clients know their breakpoints by it.
    const old = [...this.wanted[kind]];
    const list = expressions.map((expression): Wanted => {
      const index = old.findIndex((each) => each.expression === expression);
      return old.splice(index, index < 0 ? 0 : 1)[0] ?? this.want(expression);
    });
    this.wanted[kind] = list;
    await this.submit(kind, signal);
    return list.map(ownBreakpoint);
  }

  /** Tries again what could not be set, and tells the client of what could. */
  async retry(signal: AbortSignal): Promise<void> {
    for (const kind of kinds) {
      const waiting = this.wanted[kind].filter((each) => !each.row);
      if (waiting.length === 0) continue;
      await this.submit(kind, signal);
      const current = this.wanted[kind];
      for (const each of waiting.filter(({ row }) => row)) {
        if (current.includes(each)) this.send(new BreakpointEvent('changed', ownBreakpoint(each)));
      }
    }
  }

  /** Removes ours; for a client that leaves. */
  async removeOwn(signal: AbortSignal): Promise<void> {
    for (const kind of kinds) if (this.wanted[kind].length > 0) await this.set(kind, [], signal);
  }

  changed({ kind, breakpoint }: Events['breakpoint']): void {
    const { id } = breakpoint;
    const before = this.rows.get(id);
    if (kind === 'removed') this.rows.delete(id);
    else this.rows.set(id, breakpoint);
    const own = this.ownKind(breakpoint.owner);
    // One more hit changes nothing that DAP shows.
    const same = before?.address === breakpoint.address && before?.enabled === breakpoint.enabled;
    if (kind === 'changed' && same) return;
    if (own === undefined) {
      this.send(new BreakpointEvent(kind, dapBreakpoint(this.foreignId(id), breakpoint)));
      if (kind === 'removed') this.foreign.delete(id);
      return;
    }
    if (this.setting > 0) return;
    const mine = this.wanted[own].find((each) => each.row?.id === id);
    if (!mine) return;
    mine.row = breakpoint;
    // Cleared by somebody: it is not wanted any more, and not to be set again at the next stop.
    if (kind === 'removed') this.wanted[own] = this.wanted[own].filter((each) => each !== mine);
    this.send(new BreakpointEvent(kind, ownBreakpoint(mine)));
  }

  /** The DAP reason of a breakpoint stop and the ids that were hit. */
  hits(stop: StopInfo): { reason: string; ids: number[] } {
    const owners = stop.breakpointIds.map((id) => this.ownKind(this.rows.get(id)?.owner));
    const kind = kinds.find((each) => owners.includes(each));
    return {
      reason: kind === undefined ? 'breakpoint' : `${kind} breakpoint`,
      ids: stop.breakpointIds.flatMap((id) => this.dapIds(id)),
    };
  }

  private async submit(kind: BreakpointKind, signal: AbortSignal): Promise<void> {
    const list = this.wanted[kind];
    const expressions = list.map((each) => each.expression);
    this.setting++;
    try {
      const { results } = await this.session.request(
        'setBreakpoints',
        { owner: this.owner(kind), expressions },
        signal,
      );
      list.forEach((each, index) => {
        const result = results[index];
        each.row = result && 'breakpoint' in result ? result.breakpoint : undefined;
        each.error = result && 'error' in result ? result.error : 'The debugger gave no answer.';
        if (each.row) this.rows.set(each.row.id, each.row);
      });
    } catch (error) {
      for (const each of list) each.error = errorText(error);
      throw error;
    } finally {
      this.setting--;
    }
  }

  private want(expression: string): Wanted {
    return { dapId: ++this.lastId, expression, row: undefined, error: '' };
  }

  private foreignId(id: number): number {
    const known = this.foreign.get(id) ?? ++this.lastId;
    this.foreign.set(id, known);
    return known;
  }

  private dapIds(id: number): number[] {
    const mine = kinds.flatMap((kind) => this.wanted[kind].filter((each) => each.row?.id === id));
    if (mine.length > 0) return mine.map((each) => each.dapId);
    return [this.foreignId(id)];
  }

  private owner(kind: BreakpointKind): string {
    return `dap${this.clientId}:${kind}`;
  }

  private ownKind(owner: string | undefined): BreakpointKind | undefined {
    return kinds.find((kind) => this.owner(kind) === owner);
  }
}

function ownBreakpoint({ dapId, row, error }: Wanted): DebugProtocol.Breakpoint {
  if (row) return dapBreakpoint(dapId, row);
  return { id: dapId, verified: false, reason: 'pending', message: error };
}

function dapBreakpoint(id: number, row: BreakpointRow): DebugProtocol.Breakpoint {
  const verified = row.enabled && row.address !== undefined;
  return {
    id,
    verified,
    ...(row.address === undefined ? {} : { instructionReference: row.address }),
    ...(verified ? {} : { message: row.enabled ? `'${row.expression}' is not known yet.` : disabled }),
  };
}

const disabled = 'Disabled in the debugger; the command be enables it.';
