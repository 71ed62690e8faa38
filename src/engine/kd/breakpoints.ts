/** The target's table of software breakpoints: at most 32, known by handles from 1. */
import type { KdLink } from './link';
import { Api, request, Status, union } from './manipulate';

const writeBreakPoint = union({ address: [0, 'u64'], handle: [8, 'u32'] });
const restoreBreakPoint = union({ handle: [0, 'u32'] });

export const maxTargetBreakpoints = 32;

/** Returns the handle, or undefined when the target refuses (its table is full, or the address is in it). */
export async function placeBreakpoint(
  link: KdLink,
  processor: number,
  address: bigint,
): Promise<number | undefined> {
  const { status, values } = await request(link, Api.writeBreakPoint, processor, writeBreakPoint, {
    address,
  });
  return status === Status.success ? values.handle : undefined;
}

/** False when there is no breakpoint of that handle: the target may have removed it itself. */
export async function dropBreakpoint(link: KdLink, processor: number, handle: number): Promise<boolean> {
  const { status } = await request(link, Api.restoreBreakPoint, processor, restoreBreakPoint, { handle });
  return status === Status.success;
}
