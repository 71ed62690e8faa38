/**
 * Back-pressure: a command that prints much waits here until its readers have caught up. A reader that takes nothing
 * for some seconds is not waited for any more: its waiting output is cut short, until it has taken all of it. Until
 * that is certain more may wait for it than for others, so that these need not stand still.
 */
import type { Outbox } from './outbox';

/** What is known of a reader. */
export interface Reader {
  readonly outbox: Outbox;
}

export interface FlowLimits {
  /** Bytes of waiting output up to which nobody waits for a reader, and for one that seems to be stuck. */
  readonly high: number;
  readonly stuckHigh: number;
  /** Bytes that are progress. */
  readonly progress: number;
  /** Milliseconds without progress after which a reader seems to be stuck, and after which it is slow. */
  readonly stuckAfter: number;
  readonly slowAfter: number;
}

export const defaultFlowLimits: FlowLimits = {
  high: 2 << 20,
  stuckHigh: 8 << 20,
  progress: 16 * 1024,
  stuckAfter: 200,
  slowAfter: 5000,
};

/** Milliseconds between two looks at those who are behind. */
const lookInterval = 100;

interface Mark {
  readonly taken: number;
  readonly since: number;
}

export class Flow {
  /** The last progress of those who are behind. */
  private marks = new Map<Outbox, Mark>();

  constructor(
    private readonly readers: () => Iterable<Reader>,
    private readonly limits: FlowLimits = defaultFlowLimits,
  ) {}

  /** Resolves when little waits for every reader that moves; rejects with the signal's reason. */
  async drained(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const awaited = this.look(Date.now());
      if (awaited.length === 0) return;
      await firstOf(Promise.all(awaited.map((outbox) => outbox.below(this.limits.high / 2))), signal);
    }
  }

  /** Judges those who are behind; returns those to wait for. */
  private look(now: number): Outbox[] {
    const { high, stuckHigh, progress, stuckAfter, slowAfter } = this.limits;
    const marks = new Map<Outbox, Mark>();
    const awaited: Outbox[] = [];
    for (const { outbox } of this.readers()) {
      if (!outbox.isBehind(high)) continue;
      const old = this.marks.get(outbox);
      const mark = old && outbox.taken - old.taken < progress ? old : { taken: outbox.taken, since: now };
      marks.set(outbox, mark);
      const still = now - mark.since;
      if (still >= slowAfter) outbox.becomeSlow();
      else if (still < stuckAfter || outbox.isBehind(stuckHigh)) awaited.push(outbox);
    }
    this.marks = marks;
    return awaited;
  }
}

/** Resolves with `work`, or a little later; rejects when the signal aborts. */
async function firstOf(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let done = () => {};
  const over = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, lookInterval);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
  });
  try {
    await Promise.race([work, over]);
  } finally {
    done();
  }
}
