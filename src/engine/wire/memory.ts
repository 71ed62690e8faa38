/** Two wires joined in memory: what one end writes the other end reads. Everything happens in microtasks. */
import { UserError } from '../base/errors';
import type { Wire } from './wire';
import { WireEvents } from './wireEvents';

/** Bytes that may lie unread at one end before its writer has to wait. */
const highWater = 1 << 20;

class MemoryEnd implements Wire {
  peer!: MemoryEnd;
  private readonly events = new WireEvents(() => this.drained());
  private unread = 0;
  private waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  readonly data = this.events.data;
  readonly closed = this.events.closed;

  write(bytes: Uint8Array): Promise<void> {
    if (this.events.isClosed) return Promise.reject(new UserError('The connection is closed.'));
    // The writer may use its buffer again as soon as it likes.
    const copy = bytes.slice();
    const { peer } = this;
    if (!peer.events.hasListener) peer.unread += copy.length;
    queueMicrotask(() => peer.events.fireData(copy));
    if (peer.unread <= highWater) return Promise.resolve();
    return new Promise((resolve, reject) => peer.waiting.push({ resolve, reject }));
  }

  close(): void {
    if (this.events.isClosed) return;
    this.end();
    // After what was written before it.
    queueMicrotask(() => this.peer.end());
  }

  private end(): void {
    this.events.fireClosed(undefined);
    for (const { reject } of this.waiting.splice(0)) reject(new UserError('The connection is closed.'));
  }

  private drained(): void {
    this.unread = 0;
    for (const { resolve } of this.waiting.splice(0)) resolve();
  }
}

export function memoryWirePair(): [Wire, Wire] {
  const a = new MemoryEnd();
  const b = new MemoryEnd();
  a.peer = b;
  b.peer = a;
  return [a, b];
}
