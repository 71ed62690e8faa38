/**
 * Remembers what was read of an image: for its tables, which never change while it is loaded. What a slow link brought
 * before the target went on is not asked for again at the next stop.
 */
import type { ImageReader } from './reader';

const LINE = 512;
/** Lines fetched by one read: 32 KiB, a few seconds of the slowest line. */
const LONGEST_RUN = 64;
/** Lines kept, 8 MiB: more than the tables of the largest kernel. */
const CAPACITY = 16384;

export function cachedImage(read: ImageReader): ImageReader {
  const lines = new Map<number, Uint8Array>();

  /** Lines `first`..`last`, as far as they can be read. */
  async function fetch(first: number, last: number): Promise<void> {
    const end = Math.min(last, first + LONGEST_RUN - 1);
    let count = 1;
    while (first + count <= end && !lines.has(first + count)) count++;
    const bytes = await read(first * LINE, count * LINE);
    if (lines.size + count > CAPACITY) lines.clear();
    // A line that is cut off is not kept: its page may come back.
    for (let i = 0; (i + 1) * LINE <= bytes.length; i++) {
      lines.set(first + i, bytes.slice(i * LINE, (i + 1) * LINE));
    }
  }

  return async (rva, length) => {
    if (length <= 0) return new Uint8Array();
    const out = new Uint8Array(length);
    const last = Math.floor((rva + length - 1) / LINE);
    let filled = 0;
    while (filled < length) {
      const line = Math.floor((rva + filled) / LINE);
      if (!lines.has(line)) await fetch(line, last);
      const bytes = lines.get(line);
      const offset = (rva + filled) % LINE;
      // What cannot be read as a whole line may still be read in part.
      const piece =
        bytes?.subarray(offset, offset + length - filled) ?? (await read(rva + filled, length - filled));
      out.set(piece, filled);
      filled += piece.length;
      if (!bytes) break;
    }
    return out.subarray(0, filled);
  };
}
