/**
 * Software breakpoints: which ones are wanted, which ones the target holds, and what its memory was before. The
 * target itself writes the breakpoint bytes and takes away those near the pc when it stops.
 */
import { UserError } from '../base/errors';
import { dropBreakpoint, maxTargetBreakpoints, placeBreakpoint } from '../kd/breakpoints';
import type { KdLink } from '../kd/link';

interface Placed {
  readonly handle: number;
  /** The bytes that the breakpoint hides. */
  readonly original: Uint8Array;
}

/** Bytes from the pc in which a stopping target removes its breakpoints. */
const clearedRange = 16n;

export class SoftwareBreakpoints {
  private readonly wanted = new Set<bigint>();
  private readonly placed = new Map<bigint, Placed>();

  insert(address: bigint): void {
    this.wanted.add(BigInt.asUintN(64, address));
  }

  remove(address: bigint): void {
    this.wanted.delete(BigInt.asUintN(64, address));
  }

  isWanted(address: bigint): boolean {
    return this.wanted.has(address);
  }

  /** True when the target holds a breakpoint here. */
  isPlaced(address: bigint): boolean {
    return this.placed.has(address);
  }

  /** The target has none any more (restart). */
  forget(): void {
    this.placed.clear();
  }

  /** Clears what an earlier debugger may have left in the target. */
  async clearLeftovers(link: KdLink, processor: number): Promise<void> {
    for (let handle = 1; handle <= maxTargetBreakpoints; handle++)
      await dropBreakpoint(link, processor, handle);
    this.placed.clear();
  }

  /**
   * Brings the target's breakpoints in line with what is wanted, without the one at `except`. Throws a UserError that
   * names the first address the target refuses, after trying all.
   */
  async apply(
    link: KdLink,
    processor: number,
    readOriginal: (address: bigint) => Promise<Uint8Array>,
    except?: bigint,
  ): Promise<void> {
    for (const address of [...this.placed.keys()]) {
      if (!this.wanted.has(address) || address === except) await this.drop(link, processor, address);
    }
    let refused: bigint | undefined;
    for (const address of this.wanted) {
      if (address === except || this.placed.has(address)) continue;
      const original = await readOriginal(address);
      const handle = original.length > 0 ? await placeBreakpoint(link, processor, address) : undefined;
      if (handle === undefined) refused ??= address;
      else this.placed.set(address, { handle, original });
    }
    if (refused !== undefined) {
      const full = this.placed.size >= maxTargetBreakpoints;
      const why = full
        ? `the target holds at most ${maxTargetBreakpoints}`
        : 'its memory is not there or not writable';
      throw new UserError(`The breakpoint at ${formatAddress(refused)} cannot be set: ${why}.`);
    }
  }

  /** At a stop: the target has removed those at the pc; makes sure of it. */
  async dropNear(link: KdLink, processor: number, pc: bigint): Promise<void> {
    await this.dropWithin(link, processor, pc, clearedRange);
  }

  /** Takes away the breakpoints in a range, so that it can be written. */
  async dropWithin(link: KdLink, processor: number, start: bigint, length: bigint): Promise<void> {
    for (const address of [...this.placed.keys()]) {
      if (address >= start && address < start + length) await this.drop(link, processor, address);
    }
  }

  async dropAll(link: KdLink, processor: number): Promise<void> {
    for (const address of [...this.placed.keys()]) await this.drop(link, processor, address);
  }

  /** Puts the original bytes in place of the breakpoints' in what was read at `address`. */
  mask(address: bigint, bytes: Uint8Array, instruction: Uint8Array): void {
    for (const [at, { original }] of this.placed) {
      const offset = Number(at - address);
      if (offset <= -instruction.length || offset >= bytes.length) continue;
      for (let i = 0; i < instruction.length; i++) {
        const old = original[i];
        if (old !== undefined && bytes[offset + i] === instruction[i]) bytes[offset + i] = old;
      }
    }
  }

  private async drop(link: KdLink, processor: number, address: bigint): Promise<void> {
    const placed = this.placed.get(address);
    if (!placed) return;
    this.placed.delete(address);
    // A refusal means that the target has removed it already.
    await dropBreakpoint(link, processor, placed.handle);
  }
}

function formatAddress(address: bigint): string {
  const digits = address.toString(16).padStart(16, '0');
  return `${digits.slice(0, 8)}\`${digits.slice(8)}`;
}
