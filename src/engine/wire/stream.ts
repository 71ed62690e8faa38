/**
 * A Wire over any Node duplex stream (socket, pipe, serial port). Reading starts with the first data listener, so
 * until then the bytes wait in the operating system, which slows the sender down.
 */
import type { Duplex } from 'node:stream';
import { UserError } from '../base/errors';
import type { Wire } from './wire';
import { WireEvents } from './wireEvents';

/** How long a closed wire may take to hand on what was written before, in milliseconds. */
const lingerTime = 2000;

/** How a stream is closed where ending and destroying it is not enough (serial ports). */
export interface StreamEnding {
  /** In order, after the bytes written so far. */
  shutDown(): void;
  /** At once. */
  destroy(): void;
}

/** `describe` turns an error of the stream into the reason told by `closed`. */
export function streamWire(
  stream: Duplex,
  describe: (error: Error) => Error,
  ending: StreamEnding = { shutDown: () => stream.end(), destroy: () => stream.destroy() },
): Wire {
  let failure: Error | undefined;
  const pending = new Set<(error: Error) => void>();
  const events = new WireEvents(() => {
    stream.on('data', (bytes: Buffer) => events.fireData(bytes));
  });

  const finish = (reason: Error | undefined) => {
    events.fireClosed(reason);
    const error = reason ?? new UserError('The connection is closed.');
    for (const reject of pending) reject(error);
    pending.clear();
  };
  stream.on('error', (error: Error) => {
    failure ??= describe(error);
    ending.destroy();
    finish(failure);
  });
  stream.on('end', () => {
    finish(failure);
    ending.shutDown();
  });
  stream.on('close', (error: unknown) => {
    if (error instanceof Error) failure ??= describe(error);
    finish(failure);
  });

  return {
    data: events.data,
    closed: events.closed,
    write(bytes) {
      if (events.isClosed) return Promise.reject(new UserError('The connection is closed.'));
      return new Promise((resolve, reject) => {
        pending.add(reject);
        stream.write(bytes, (error) => {
          pending.delete(reject);
          if (error) reject(describe(error));
          else resolve();
        });
      });
    },
    close() {
      if (events.isClosed) return;
      events.fireClosed(undefined);
      stream.resume();
      ending.shutDown();
      const timer = setTimeout(() => ending.destroy(), lingerTime);
      timer.unref();
      stream.once('close', () => clearTimeout(timer));
    },
    pause: () => void (events.isClosed || stream.pause()),
    resume: () => void stream.resume(),
  };
}
