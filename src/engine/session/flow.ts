/**
 * Back-pressure: a command that prints much waits here until its readers have caught up. A reader that hardly takes
 * anything is waited for once, for some seconds; from then on its waiting output is cut short instead, until it has
 * taken all of it.
 */
import type { Outbox } from './outbox';

/** What is known of a reader. */
export interface Reader {
  readonly outbox: Outbox;
}

export interface FlowLimits {
  /** Bytes of waiting output up to which nobody waits. */
  readonly high: number;
  /** Milliseconds without progress after which a reader is slow, and the bytes that are progress. */
  readonly patience: number;
  readonly progress: number;
}

export const defaultFlowLimits: FlowLimits = { high: 2 << 20, patience: 3000, progress: 16 * 1024 };

export class Flow {
  constructor(
    private readonly readers: () => Iterable<Reader>,
    private readonly limits: FlowLimits = defaultFlowLimits,
  ) {}

  /** Resolves when little waits for every reader that is not slow; rejects with the signal's reason. */
  async drained(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { high, patience, progress } = this.limits;
    for (;;) {
      const behind = [...this.readers()]
        .map(({ outbox }) => outbox)
        .filter((outbox) => outbox.isBehind(high));
      if (behind.length === 0) return;
      const before = behind.map((outbox) => outbox.taken);
      const timer = new AbortController();
      const late = new Promise<void>((resolve, reject) => {
        const timeout = setTimeout(resolve, patience);
        const abort = () => reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
        timer.signal.addEventListener('abort', () => {
          clearTimeout(timeout);
          signal.removeEventListener('abort', abort);
        });
      });
      try {
        await Promise.race([Promise.all(behind.map((outbox) => outbox.below(high / 2))), late]);
      } finally {
        timer.abort();
      }
      for (const [i, outbox] of behind.entries())
        if (outbox.isBehind(high) && outbox.taken - (before[i] ?? 0) < progress) outbox.becomeSlow();
    }
  }
}
