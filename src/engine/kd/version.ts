/** GetVersion: the first thing asked of every target. */
import type { KdLink } from './link';
import { Api, expectSuccess, request, union } from './manipulate';
import type { StructValues } from './struct';

/** DBGKD_GET_VERSION64, 40 bytes. */
const versionLayout = union({
  majorVersion: [0, 'u16'],
  minorVersion: [2, 'u16'],
  protocolVersion: [4, 'u8'],
  secondaryVersion: [5, 'u8'],
  flags: [6, 'u16'],
  machineType: [8, 'u16'],
  maxPacketType: [10, 'u8'],
  maxStateChange: [11, 'u8'],
  maxManipulate: [12, 'u8'],
  simulation: [13, 'u8'],
  kernelBase: [16, 'u64'],
  loadedModuleList: [24, 'u64'],
  debuggerDataList: [32, 'u64'],
});

export type KdVersion = StructValues<typeof versionLayout>;

export const VersionFlag = { multiprocessor: 1, debuggerData: 2, pointer64: 4 } as const;

export async function getVersion(link: KdLink, processor: number): Promise<KdVersion> {
  const { status, values } = await request(link, Api.getVersion, processor, versionLayout, {});
  expectSuccess(status, 'Asking for the version of the target');
  return values;
}
