/**
 * Remembers which memory this client has read, and under what reference, so that a change made by anyone can be told
 * in the client's own terms: DAP clients compare memory references as text.
 */
import type { Events } from '../engine/session/protocol';
import { parseAddress } from './references';

interface View {
  readonly base: bigint;
  /** First and one past the last address read through this reference. */
  low: bigint;
  high: bigint;
}

const mostViews = 64;

export interface MemoryChange {
  readonly memoryReference: string;
  readonly offset: number;
  readonly count: number;
}

export class MemoryViews {
  private readonly views = new Map<string, View>();

  read(memoryReference: string, base: bigint, start: bigint, count: number): void {
    const end = start + BigInt(count);
    const view = this.views.get(memoryReference);
    this.views.delete(memoryReference);
    this.views.set(memoryReference, {
      base,
      low: view && view.base === base && view.low < start ? view.low : start,
      high: view && view.base === base && view.high > end ? view.high : end,
    });
    const oldest = this.views.keys().next().value;
    if (this.views.size > mostViews && oldest !== undefined) this.views.delete(oldest);
  }

  /** The parts of what was read that a change touches; all of it when the change names no address. */
  touchedBy({ address, count }: Events['memoryChanged']): MemoryChange[] {
    const start = address === undefined ? undefined : parseAddress(address);
    const end = start === undefined ? undefined : start + BigInt(Math.max(count ?? 1, 1));
    const changes: MemoryChange[] = [];
    for (const [memoryReference, view] of this.views) {
      const low = start === undefined || start < view.low ? view.low : start;
      const high = end === undefined || end > view.high ? view.high : end;
      if (low >= high) continue;
      changes.push({ memoryReference, offset: Number(low - view.base), count: Number(high - low) });
    }
    return changes;
  }
}
