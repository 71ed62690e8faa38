/** Control space of an AMD64 processor: its KSPECIAL_REGISTERS. */
import type { KdLink } from './link';
import { Api, expectSuccess, request, Status, union } from './manipulate';

const controlSpace = union({ index: [0, 'u64'], count: [8, 'u32'], actual: [12, 'u32'] });

const specialRegisters = 2n;

/**
 * KSPECIAL_REGISTERS of a processor, at most `size` bytes; targets without XCR0 give 8 bytes less. Undefined when the
 * target does not have it.
 */
export async function readSpecialRegisters(
  link: KdLink,
  processor: number,
  size: number,
): Promise<Uint8Array | undefined> {
  const { status, values, data } = await request(link, Api.readControlSpace, processor, controlSpace, {
    index: specialRegisters,
    count: size,
  });
  const actual = Math.min(values.actual, data.length, size);
  return status === Status.success && actual > 0 ? data.slice(0, actual) : undefined;
}

/** Writes the whole structure as it was read, changed. */
export async function writeSpecialRegisters(
  link: KdLink,
  processor: number,
  bytes: Uint8Array,
): Promise<void> {
  const { status } = await request(
    link,
    Api.writeControlSpace,
    processor,
    controlSpace,
    { index: specialRegisters, count: bytes.length },
    bytes,
  );
  expectSuccess(status, `Writing the special registers of processor ${processor}`);
}
