/** A clock that stands still until told: time-outs and retries run deterministically, in no time. */
import type { Clock } from '../../src/engine/base/clock';

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly action: () => void;
}

export class FakeClock implements Clock {
  private time = 0;
  private count = 0;
  private timers = new Set<Timer>();

  now(): number {
    return this.time;
  }

  after(milliseconds: number, action: () => void) {
    const timer: Timer = { due: this.time + Math.max(0, milliseconds), order: this.count++, action };
    this.timers.add(timer);
    return { dispose: () => void this.timers.delete(timer) };
  }

  /** Lets time pass, running what falls due in order, with everything it sets going in between. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      await settle();
      const next = this.next();
      if (!next || next.due > end) break;
      this.time = next.due;
      this.timers.delete(next);
      next.action();
    }
    this.time = end;
  }

  /** Lets time pass until `promise` settles; throws after `limit` milliseconds of it. */
  async until<T>(promise: Promise<T>, limit = 120_000): Promise<T> {
    let settled = false;
    const mark = () => void (settled = true);
    promise.then(mark, mark);
    const end = this.time + limit;
    for (;;) {
      await settle();
      if (settled) return promise;
      const next = this.next();
      if (!next) throw new Error('nothing is left to happen');
      if (next.due > end) throw new Error(`not settled within ${limit} ms`);
      this.time = next.due;
      this.timers.delete(next);
      next.action();
    }
  }

  private next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}

/** Lets all microtasks run that are due, and those that they make. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
