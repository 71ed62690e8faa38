/** A minimal typed event: listeners are called in the order they were added, synchronously. */

export interface Disposable {
  dispose(): void;
}

/** Subscribe to an event; the returned value ends the subscription. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

export class Emitter<T> {
  private readonly listeners = new Set<(value: T) => void>();

  readonly event: Event<T> = (listener) => {
    // A wrapper of its own, so that one function added twice is two subscriptions.
    const entry = (value: T) => listener(value);
    this.listeners.add(entry);
    return { dispose: () => this.listeners.delete(entry) };
  };

  fire(value: T): void {
    for (const listener of [...this.listeners]) listener(value);
  }

  dispose(): void {
    this.listeners.clear();
  }
}

/** Resolves with the next value that passes `accept`; rejects when `signal` aborts. */
export function nextEvent<T>(
  event: Event<T>,
  accept: (value: T) => boolean = () => true,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // An event may fire while it is being subscribed to (a wire's kept bytes), before there is a subscription to end.
    const held: { subscription?: Disposable } = {};
    let settled = false;
    const end = () => {
      settled = true;
      held.subscription?.dispose();
      signal?.removeEventListener('abort', abort);
    };
    const abort = () => {
      end();
      reject(signal?.reason ?? new Error('cancelled'));
    };
    held.subscription = event((value) => {
      if (settled || !accept(value)) return;
      end();
      resolve(value);
    });
    if (settled) held.subscription.dispose();
    else if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
