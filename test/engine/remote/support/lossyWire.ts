/** A wire in memory that damages bytes like a bad serial line, the same way for the same seed. */
import { memoryWirePair } from '../../../../src/engine/wire/memory';
import type { Wire } from '../../../../src/engine/wire/wire';

/** A pseudo-random number generator (mulberry32): numbers from 0 up to 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `rate` of the bytes are changed, both ways. */
export function lossyWirePair(rate: number, seed: number): [Wire, Wire] {
  const random = seeded(seed);
  const damaged = (wire: Wire): Wire => ({
    data: wire.data,
    closed: wire.closed,
    close: () => wire.close(),
    write: (bytes) => {
      const copy = bytes.slice();
      for (let i = 0; i < copy.length; i++) {
        if (random() < rate) copy[i] = (copy[i] ?? 0) ^ (1 + Math.floor(random() * 255));
      }
      return wire.write(copy);
    },
  });
  const [a, b] = memoryWirePair();
  return [damaged(a), damaged(b)];
}
