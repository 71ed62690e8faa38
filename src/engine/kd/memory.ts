/** Requests for virtual and physical memory, one packet each. Splitting and caching are the caller's. */
import type { KdLink } from './link';
import { Api, maxData, request, Status, union } from './manipulate';

const memory = union({ address: [0, 'u64'], count: [8, 'u32'], actual: [12, 'u32'] });

export type AddressSpace = 'virtual' | 'physical';

export interface ReadResult {
  readonly bytes: Uint8Array;
  /** True when the target gave less because it cannot read on, not because the reply was full. */
  readonly ended: boolean;
}

/** Reads up to `count` bytes (at most `maxData`). A failed read is an empty result. */
export async function readMemory(
  link: KdLink,
  space: AddressSpace,
  processor: number,
  address: bigint,
  count: number,
): Promise<ReadResult> {
  const api = space === 'virtual' ? Api.readVirtualMemory : Api.readPhysicalMemory;
  const { status, values, data } = await request(link, api, processor, memory, {
    address,
    count: Math.min(count, maxData),
  });
  // A partial read has an error status and valid data.
  const bytes = data.slice(0, Math.min(values.actual, data.length, count));
  return { bytes, ended: status !== Status.success || bytes.length === 0 };
}

/** Writes at most `maxData` bytes; returns how many were written. */
export async function writeMemory(
  link: KdLink,
  space: AddressSpace,
  processor: number,
  address: bigint,
  bytes: Uint8Array,
): Promise<number> {
  const api = space === 'virtual' ? Api.writeVirtualMemory : Api.writePhysicalMemory;
  const { status, values } = await request(
    link,
    api,
    processor,
    memory,
    { address, count: bytes.length },
    bytes,
  );
  const written = Math.min(values.actual, bytes.length);
  // Some targets leave the count as it was asked when they refuse.
  return status === Status.success || written < bytes.length ? written : 0;
}
