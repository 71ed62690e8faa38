/** The breakpoints of the session: ids, owners, hits, and keeping the target's own set in step. */
import { Emitter } from '../base/emitter';
import { UserError } from '../base/errors';
import { Registers } from '../arch/registers';
import { parseNumber } from '../expression/tokens';
import type { Target } from '../target/target';
import type { Breakpoint, Breakpoints } from './engine';

/** As many as a kernel keeps. */
export const MAX_BREAKPOINTS = 32;
const MAX_ID = 999;

/** A name with an optional module and constant. */
const simple = /^([A-Za-z_]\w*(?:![\w?@$]+)?)(?:\s*[+-]\s*[0-9a-fx`]+h?)?$/i;

interface Entry extends Breakpoint {
  address: bigint | undefined;
  enabled: boolean;
  hits: number;
}

export class BreakpointTable implements Breakpoints {
  private readonly entries = new Map<number, Entry>();
  private readonly emitter = new Emitter<{ kind: 'new' | 'changed' | 'removed'; breakpoint: Breakpoint }>();
  readonly changed = this.emitter.event;

  constructor(private readonly target: Target) {}

  list(): readonly Breakpoint[] {
    return [...this.entries.values()].sort((a, b) => a.id - b.id).map((entry) => ({ ...entry }));
  }

  add(address: bigint, expression: string, options: { id?: number; owner?: string } = {}): Breakpoint {
    if (this.entries.size >= MAX_BREAKPOINTS) {
      throw new UserError(`There are ${MAX_BREAKPOINTS} breakpoints already; clear one first (bc).`);
    }
    const id = options.id ?? this.freeId();
    if (id < 0 || id > MAX_ID)
      throw new UserError(`Breakpoint id ${id} is out of range; use 0 to ${MAX_ID}.`);
    if (this.entries.has(id)) throw new UserError(`Breakpoint ${id} already exists.`);
    const owner = options.owner ?? 'command';
    const entry: Entry = { id, kind: 'software', address, expression, enabled: true, hits: 0, owner };
    this.entries.set(id, entry);
    this.target.insertBreakpoint(address);
    this.fire('new', entry);
    return { ...entry };
  }

  remove(id: number): void {
    const entry = this.entries.get(id);
    if (!entry) return;
    this.entries.delete(id);
    this.release(entry.address);
    this.fire('removed', entry);
  }

  enable(id: number, on: boolean): void {
    const entry = this.entries.get(id);
    if (!entry || entry.enabled === on) return;
    entry.enabled = on;
    if (!on) this.release(entry.address);
    else if (entry.address !== undefined) this.target.insertBreakpoint(entry.address);
    this.fire('changed', entry);
  }

  at(address: bigint): Breakpoint | undefined {
    return this.list().find((entry) => entry.enabled && entry.address === address);
  }

  /** Counts a stop at this address; returns the breakpoints it hit. */
  hit(address: bigint): readonly Breakpoint[] {
    const hits = [...this.entries.values()].filter((entry) => entry.enabled && entry.address === address);
    for (const entry of hits) {
      entry.hits++;
      this.fire('changed', entry);
    }
    return hits.map((entry) => ({ ...entry }));
  }

  /** The machine starts anew: symbols will be elsewhere. Addresses given as numbers stay. */
  forgetAddresses(): void {
    for (const entry of this.entries.values()) {
      const { address } = entry;
      if (address === undefined || !this.isSymbolic(entry.expression)) continue;
      entry.address = undefined;
      this.release(address);
      this.fire('changed', entry);
    }
  }

  /** Finds the addresses again of those that lost theirs. */
  async resolve(evaluate: (expression: string) => Promise<bigint>): Promise<void> {
    for (const entry of [...this.entries.values()].filter(({ address }) => address === undefined)) {
      const address = await evaluate(entry.expression).catch(() => undefined);
      if (address === undefined || entry.address !== undefined || !this.entries.has(entry.id)) continue;
      entry.address = address;
      if (entry.enabled) this.target.insertBreakpoint(address);
      this.fire('changed', entry);
    }
  }

  dispose(): void {
    this.emitter.dispose();
  }

  /** The expression means the same place after a reboot: a symbol, not a number and not a register. */
  private isSymbolic(expression: string): boolean {
    const name = simple.exec(expression.trim())?.[1];
    if (name === undefined) return false;
    if (name.includes('!')) return true;
    const { architecture } = this.target;
    const isRegister = architecture !== undefined && Registers.find(architecture, name) !== undefined;
    return parseNumber(name, 16) === undefined && !isRegister;
  }

  /** Takes it out of the target unless another breakpoint needs it there. */
  private release(address: bigint | undefined): void {
    if (address !== undefined && !this.at(address)) this.target.removeBreakpoint(address);
  }

  private freeId(): number {
    let id = 0;
    while (this.entries.has(id)) id++;
    return id;
  }

  private fire(kind: 'new' | 'changed' | 'removed', entry: Entry): void {
    this.emitter.fire({ kind, breakpoint: { ...entry } });
  }
}
