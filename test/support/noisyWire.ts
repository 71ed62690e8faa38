/** A pair of wires that loses, doubles and damages what it carries, by a seeded generator. */
import { memoryWirePair } from '../../src/engine/wire/memory';
import type { Wire } from '../../src/engine/wire/wire';

export interface Noise {
  readonly seed: number;
  /** Share of writes each, 0 to 1. */
  readonly drop?: number;
  readonly duplicate?: number;
  readonly damage?: number;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function noisyWirePair(noise: Noise): [Wire, Wire] {
  const [near, nearInner] = memoryWirePair();
  const [farInner, far] = memoryWirePair();
  const random = seededRandom(noise.seed);
  carry(nearInner, farInner, noise, random);
  carry(farInner, nearInner, noise, random);
  return [near, far];
}

function carry(from: Wire, to: Wire, noise: Noise, random: () => number): void {
  // Never more than two disturbances in a row, so that a bounded number of tries is enough.
  let inARow = 0;
  const happens = (share = 0) => inARow < 2 && random() < share;
  from.data((bytes) => {
    const write = (out: Uint8Array) => void to.write(out).catch(() => {});
    if (happens(noise.drop)) {
      inARow++;
    } else if (happens(noise.damage)) {
      inARow++;
      write(damaged(bytes, random));
    } else {
      inARow = 0;
      write(bytes);
      if (random() < (noise.duplicate ?? 0)) write(bytes);
    }
  });
  from.closed(() => to.close());
}

/**
 * Changes or loses one byte. The header's fields have no checksum, so a change there could turn one valid packet into
 * another, which no implementation can see; only what can be seen is changed: leader, payload, trailer.
 */
function damaged(bytes: Uint8Array, random: () => number): Uint8Array {
  const places =
    bytes.length > 16 ? [0, 1, 2, 3, ...range(16, bytes.length)] : [0, 1, 2, 3].slice(0, bytes.length);
  const at = places[Math.floor(random() * places.length)] ?? 0;
  const out = bytes.slice();
  if (random() < 0.5) {
    out[at] = (out[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    return out;
  }
  return Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + 1)]);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
