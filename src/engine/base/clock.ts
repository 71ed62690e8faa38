/** Time as the engine's state machines see it, so that tests can run them on a clock of their own. */
import type { Disposable } from './emitter';

export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls `action` once after `milliseconds` unless disposed before. */
  after(milliseconds: number, action: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds);
    return { dispose: () => clearTimeout(timer) };
  },
};

/** Resolves after `milliseconds`; rejects with the signal's reason when it aborts first. */
export function delay(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      timer.dispose();
      reject(signal?.reason);
    };
    const timer = clock.after(milliseconds, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
