/**
 * What was read of a stopped target's memory, in lines of 512 bytes: small enough for a serial line, and a view that
 * looks at the same places again costs nothing. Requests that need many lines fetch them in the largest packets.
 */
import type { ReadResult } from '../kd/memory';

/** Reads up to `count` bytes at `address` from the target, in one packet. */
export type MemoryFetch = (address: bigint, count: number) => Promise<ReadResult>;

const lineSize = 512;
const lineBits = 9n;
const pageSize = 4096n;
/** Lines fetched at once: the most that fit one packet. */
const longestRun = 7;
/** Lines kept: 4 MiB. The oldest go first. */
const capacity = 8192;
const endOfSpace = 1n << 64n;

export class MemoryCache {
  /** By address / 512. A line shorter than 512 bytes ends before the first unreadable byte. */
  private lines = new Map<bigint, Uint8Array>();
  private readonly fetching = new Map<bigint, Promise<void>>();

  constructor(private readonly fetch: MemoryFetch) {}

  /** Forgets everything; what is being fetched will not be kept. */
  clear(): void {
    this.lines = new Map();
    this.fetching.clear();
  }

  /** Up to `length` bytes; ends before the first unreadable byte and at the end of the address space. */
  async read(address: bigint, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const end = address + BigInt(length) < endOfSpace ? address + BigInt(length) : endOfSpace;
    const out = new Uint8Array(Number(end - address));
    let filled = 0;
    while (filled < out.length) {
      signal?.throwIfAborted();
      const at = address + BigInt(filled);
      const line = await this.line(at >> lineBits, (end - 1n) >> lineBits);
      const offset = Number(at & BigInt(lineSize - 1));
      const piece = line.subarray(offset, offset + out.length - filled);
      out.set(piece, filled);
      filled += piece.length;
      if (line.length < lineSize) break;
    }
    return out.subarray(0, filled);
  }

  /** One line, fetched together with missing ones up to `last`. */
  private async line(index: bigint, last: bigint): Promise<Uint8Array> {
    // What was being fetched may have been dropped meanwhile, so look twice.
    for (let i = 0; i < 3; i++) {
      const known = this.lines.get(index);
      if (known) return known;
      const pending = this.fetching.get(index);
      if (pending) await pending;
      else await this.fetchRun(index, last);
    }
    return this.lines.get(index) ?? new Uint8Array(0);
  }

  private fetchRun(first: bigint, last: bigint): Promise<void> {
    let count = 1;
    while (count < longestRun && first + BigInt(count) <= last && this.isMissing(first + BigInt(count)))
      count++;
    const { lines } = this;
    const run = this.fetchBytes(first << lineBits, count * lineSize)
      .then((bytes) => this.keep(lines, first, bytes, count))
      .finally(() => {
        for (let i = 0n; i < count; i++) {
          if (this.fetching.get(first + i) === run) this.fetching.delete(first + i);
        }
      });
    for (let i = 0n; i < count; i++) this.fetching.set(first + i, run);
    return run;
  }

  private isMissing(index: bigint): boolean {
    return !this.lines.has(index) && !this.fetching.has(index);
  }

  /** Several packets where the target gives less at once than was asked. */
  private async fetchBytes(address: bigint, count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let total = 0;
    while (total < count) {
      const at = address + BigInt(total);
      const { bytes, ended } = await this.fetch(at, count - total);
      parts.push(bytes);
      total += bytes.length;
      if (!ended) continue;
      // Some targets fail a request as a whole when its second page is missing: ask for the first page alone.
      const inPage = Number(pageSize - (at & (pageSize - 1n)));
      if (bytes.length < inPage && at + BigInt(inPage) < address + BigInt(count)) {
        const again = await this.fetch(at + BigInt(bytes.length), inPage - bytes.length);
        parts.push(again.bytes);
        total += again.bytes.length;
      }
      break;
    }
    return Buffer.concat(parts).subarray(0, count);
  }

  private keep(lines: Map<bigint, Uint8Array>, first: bigint, bytes: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const line = bytes.subarray(i * lineSize, (i + 1) * lineSize);
      lines.set(first + BigInt(i), line);
      // The lines behind an unreadable byte are unknown, not unreadable.
      if (line.length < lineSize) break;
    }
    for (const oldest of lines.keys()) {
      if (lines.size <= capacity) break;
      lines.delete(oldest);
    }
  }
}
