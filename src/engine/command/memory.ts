/** Memory for display: bytes with the knowledge of which of them could be read. */
import type { Engine } from './engine';

export interface MaskedBytes {
  readonly bytes: Uint8Array;
  /** 1 where the byte was read. */
  readonly valid: Uint8Array;
}

export type Space = 'virtual' | 'physical';

/** Reads `length` bytes; goes on at the next page after one that cannot be read. */
export async function readMasked(
  engine: Engine,
  address: bigint,
  length: number,
  space: Space,
  signal?: AbortSignal,
): Promise<MaskedBytes> {
  const { target } = engine;
  const page = target.architecture?.pageSize ?? 0x1000;
  const bytes = new Uint8Array(length);
  const valid = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    signal?.throwIfAborted();
    const from = BigInt.asUintN(64, address + BigInt(at));
    const read =
      space === 'virtual'
        ? await target.readVirtual(from, length - at, signal)
        : await target.readPhysical(from, length - at, signal);
    bytes.set(read, at);
    valid.fill(1, at, at + read.length);
    at += read.length;
    if (at >= length) break;
    const stuck = Number(BigInt.asUintN(64, address + BigInt(at)) % BigInt(page));
    at += page - stuck;
  }
  return { bytes, valid };
}
