/**
 * The numbers DAP uses for things, computed from what they stand for, so that no table of handles has to be kept:
 * thread id = processor + 1, frame id = processor and frame index, variables reference = processor and register
 * group. Addresses travel as `0x` and hexadecimal digits.
 */
import { UserError } from '../engine/base/errors';

/** Bounds of what the numbers can carry. */
export const maxProcessors = 4096;
export const maxFrames = 1024;
const slots = 32;

/** DAP clients treat thread 0 as "no thread". */
export function threadId(processor: number): number {
  return processor + 1;
}

export function processorOf(thread: number): number {
  return thread - 1;
}

export interface FrameReference {
  readonly processor: number;
  readonly index: number;
}

export function frameId(frame: FrameReference): number {
  return frame.processor * maxFrames + frame.index + 1;
}

export function frameOf(id: number): FrameReference {
  return { processor: Math.floor((id - 1) / maxFrames), index: (id - 1) % maxFrames };
}

export interface RegistersReference {
  readonly processor: number;
  /** 0: the scope that holds the groups; else the position of the group in the table of groups plus one. */
  readonly slot: number;
}

export function registersReference(reference: RegistersReference): number {
  return reference.processor * slots + reference.slot + 1;
}

export function registersOf(reference: number): RegistersReference {
  return { processor: Math.floor((reference - 1) / slots), slot: (reference - 1) % slots };
}

export function formatAddress(address: bigint): string {
  return `0x${address.toString(16)}`;
}

/** An address in hexadecimal with `0x`, as this adapter writes them; undefined for anything else. */
export function parseAddress(text: string): bigint | undefined {
  const digits = /^0x([0-9a-f]{1,16})$/i.exec(text.trim())?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/** Adds an offset in bytes; throws when the result is no 64-bit address. */
export function offsetAddress(address: bigint, offset: number): bigint {
  const result = address + BigInt(offset);
  if (result < 0n || result >> 64n !== 0n) {
    throw new UserError(
      `${formatAddress(address)} with offset ${offset} is outside the 64-bit address space.`,
    );
  }
  return result;
}
