/** Joins two wires: what comes from one goes to the other, at the pace of the slower one. */
import { UserError } from '../base/errors';
import type { Wire } from './wire';

/** Bytes on their way in one direction: from the first the sender waits, again below the second. */
const highWater = 1 << 20;
const lowWater = 256 * 1024;
/** For wires that cannot be slowed down: with more on its way the connection is given up. */
const limit = 16 << 20;

/**
 * Resolves when either end has closed, with the reason where there is one; the other end is closed then, after what
 * was on its way to it.
 */
export function relay(one: Wire, other: Wire): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const end = (reason: Error | undefined) => {
      resolve(reason);
      one.close();
      other.close();
    };
    one.closed(end);
    other.closed(end);
    pump(one, other, end);
    pump(other, one, end);
  });
}

/** Sends what comes from `from` to `to`; `fail` is told when too much waits. The ends are the caller's to watch. */
export function pump(from: Wire, to: Wire, fail: (reason: Error) => void): void {
  let waiting = 0;
  let paused = false;
  const written = (size: number) => {
    waiting -= size;
    if (!paused || waiting > lowWater) return;
    paused = false;
    from.resume?.();
  };
  from.data((bytes) => {
    const size = bytes.length;
    waiting += size;
    to.write(bytes).then(
      () => written(size),
      () => {
        // Its end is told by `closed`.
      },
    );
    if (waiting > limit) fail(new UserError('The receiver is too slow.'));
    if (paused || waiting < highWater) return;
    paused = true;
    from.pause?.();
  });
}
