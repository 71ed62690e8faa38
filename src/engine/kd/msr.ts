/** Model-specific registers and I/O ports. */
import type { KdLink } from './link';
import { Api, expectSuccess, request, union } from './manipulate';

const msrLayout = union({ msr: [0, 'u32'], low: [4, 'u32'], high: [8, 'u32'] });
const portLayout = union({ port: [0, 'u64'], size: [8, 'u32'], value: [12, 'u32'] });

export async function readMsr(link: KdLink, processor: number, msr: number): Promise<bigint> {
  const { status, values } = await request(link, Api.readMsr, processor, msrLayout, { msr });
  expectSuccess(status, `Reading MSR 0x${msr.toString(16)}`);
  return (BigInt(values.high) << 32n) | BigInt(values.low);
}

export async function writeMsr(link: KdLink, processor: number, msr: number, value: bigint): Promise<void> {
  const { status } = await request(link, Api.writeMsr, processor, msrLayout, {
    msr,
    low: Number(value & 0xffffffffn),
    high: Number((value >> 32n) & 0xffffffffn),
  });
  expectSuccess(status, `Writing MSR 0x${msr.toString(16)}`);
}

export type PortSize = 1 | 2 | 4;

export async function readPort(
  link: KdLink,
  processor: number,
  port: number,
  size: PortSize,
): Promise<number> {
  const { status, values } = await request(link, Api.readIoSpace, processor, portLayout, {
    port: BigInt(port),
    size,
  });
  expectSuccess(status, `Reading port 0x${port.toString(16)}`);
  return size === 4 ? values.value : values.value & ((1 << (8 * size)) - 1);
}

export async function writePort(
  link: KdLink,
  processor: number,
  port: number,
  size: PortSize,
  value: number,
): Promise<void> {
  const { status } = await request(link, Api.writeIoSpace, processor, portLayout, {
    port: BigInt(port),
    size,
    value,
  });
  expectSuccess(status, `Writing port 0x${port.toString(16)}`);
}
