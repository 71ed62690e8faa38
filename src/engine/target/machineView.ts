/**
 * What is known of a target while it is stopped: its memory, registers and breakpoints, behind caches that end with
 * the stop. It does not know states; whoever calls has made sure that the target is stopped.
 */
import type { Architecture } from '../arch/architecture';
import { Registers } from '../arch/registers';
import { UserError } from '../base/errors';
import { idleDr7 } from '../kd/control';
import type { KdLink } from '../kd/link';
import { maxData } from '../kd/manipulate';
import { readMemory, writeMemory, type AddressSpace } from '../kd/memory';
import { MemoryCache } from './memoryCache';
import { RegisterCache } from './registerCache';
import { SoftwareBreakpoints } from './softwareBreakpoints';

export class MachineView {
  readonly breakpoints = new SoftwareBreakpoints();
  /** The processor that told the last state change: the one that serves requests. */
  speaker = 0;
  /** What the next continue puts into DR7 of every processor. */
  dr7 = idleDr7;
  private readonly registers = new RegisterCache();
  private readonly memory: MemoryCache;

  constructor(
    private readonly requireLink: () => KdLink,
    private readonly requireArchitecture: () => Architecture,
  ) {
    this.memory = new MemoryCache((address, count) => this.fetch('virtual', address, count));
  }

  /** The target stopped (or tells something) on `processor`. */
  stopped(processor: number): void {
    this.speaker = processor;
    this.memory.clear();
  }

  resumed(): void {
    this.registers.clear();
    this.memory.clear();
  }

  /** The target began anew. */
  forget(): void {
    this.resumed();
    this.registers.forget();
    this.breakpoints.forget();
    this.dr7 = idleDr7;
  }

  /** Up to `length` bytes, without our breakpoints in them. */
  async readVirtual(address: bigint, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = (await this.memory.read(address, length, signal)).slice();
    this.breakpoints.mask(address, bytes, this.requireArchitecture().breakpoint);
    return bytes;
  }

  /** Returns the number of bytes written. */
  async writeVirtual(address: bigint, bytes: Uint8Array): Promise<number> {
    // What is written is what the user sees; the breakpoints come back at the next resume.
    await this.breakpoints.dropWithin(this.requireLink(), this.speaker, address, BigInt(bytes.length));
    return this.writePieces('virtual', address, bytes);
  }

  /** Not cached: device memory may change by itself. */
  async readPhysical(address: bigint, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let done = 0; done < length;) {
      signal?.throwIfAborted();
      const at = address + BigInt(done);
      const { bytes, ended } = await this.fetch('physical', at, Math.min(length - done, this.leftInPage(at)));
      parts.push(bytes);
      done += bytes.length;
      if (ended) break;
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  writePhysical(address: bigint, bytes: Uint8Array): Promise<number> {
    return this.writePieces('physical', address, bytes);
  }

  readRegisters(processor: number): Promise<Registers> {
    return this.registers.read(this.requireLink(), this.requireArchitecture(), processor);
  }

  async writeRegisters(processor: number, registers: Registers): Promise<void> {
    const special = await this.registers.write(this.requireLink(), processor, registers);
    if (!special) return;
    // Another page table may be in force now.
    this.memory.clear();
    if (Registers.find(registers.architecture, 'dr7')?.area === 'special') this.dr7 = registers.get('dr7');
  }

  /** The pc if the registers were read or written in this stop. */
  knownPc(processor: number): bigint | undefined {
    return this.registers.knownPc(processor);
  }

  /** Brings the target's breakpoints in line with what is wanted, without the one at `except`. */
  applyBreakpoints(processor: number, except?: bigint): Promise<void> {
    const { breakpoint } = this.requireArchitecture();
    const readOriginal = (address: bigint) => this.memory.read(address, breakpoint.length);
    return this.breakpoints.apply(this.requireLink(), processor, readOriginal, except);
  }

  /**
   * A breakpoint instruction that is part of the code would be met again and again: moves the pc past it. False when
   * there is none at `pc`.
   */
  async skipBreakpointInstruction(processor: number, pc: bigint): Promise<boolean> {
    const { breakpoint, instructionPointer } = this.requireArchitecture();
    const code = await this.readVirtual(pc, breakpoint.length);
    if (code.length < breakpoint.length || !breakpoint.every((byte, i) => code[i] === byte)) return false;
    const registers = await this.readRegisters(processor);
    registers.set(instructionPointer, BigInt.asUintN(64, pc + BigInt(code.length)));
    await this.writeRegisters(processor, registers);
    return true;
  }

  private async fetch(space: AddressSpace, address: bigint, count: number) {
    return readMemory(this.requireLink(), space, this.speaker, address, Math.min(count, maxData));
  }

  private async writePieces(space: AddressSpace, address: bigint, bytes: Uint8Array): Promise<number> {
    let done = 0;
    try {
      while (done < bytes.length) {
        const at = address + BigInt(done);
        const piece = bytes.subarray(done, done + Math.min(maxData, this.leftInPage(at)));
        const written = await writeMemory(this.requireLink(), space, this.speaker, at, piece);
        done += written;
        if (written < piece.length) break;
      }
    } finally {
      this.memory.clear();
    }
    return done;
  }

  private leftInPage(address: bigint): number {
    const { pageSize } = this.requireArchitecture();
    return pageSize - Number(address & BigInt(pageSize - 1));
  }
}

const maxLength = 16 << 20;

/** Throws a UserError for a transfer that is larger than a target lets one do at once. */
export function checkLength(length: number): void {
  if (length >= 0 && length <= maxLength) return;
  throw new UserError(`A length of ${length} bytes is out of range; at most ${maxLength} bytes at once.`);
}
