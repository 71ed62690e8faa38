/** KUSER_SHARED_DATA: the page every NT kernel maps at one address, with its clocks and its version (ntddk.h). */
import type { MemoryReader } from '../image/reader';
import { dataView } from '../image/reader';

const ADDRESS = 0xfffff780_0000_0000n;
const SIZE = 0x2d4;

/** KSYSTEM_TIME: low 32 bits, then the high 32 bits. */
const at = {
  interruptTime: 0x08,
  systemTime: 0x14,
  productType: 0x264,
  majorVersion: 0x26c,
  minorVersion: 0x270,
  suiteMask: 0x2d0,
} as const;

export interface SharedData {
  /** 100 ns since 1601, UTC. */
  readonly systemTime: bigint;
  /** 100 ns since the machine started. */
  readonly upTime: bigint;
  /** 1 workstation, 2 domain controller, 3 server. */
  readonly productType: number;
  readonly suiteMask: number;
  readonly majorVersion: number;
  readonly minorVersion: number;
}

export async function readSharedData(read: MemoryReader): Promise<SharedData | undefined> {
  const bytes = await read(ADDRESS, SIZE);
  if (bytes.length < SIZE) return undefined;
  const view = dataView(bytes);
  return {
    systemTime: view.getBigUint64(at.systemTime, true),
    upTime: view.getBigUint64(at.interruptTime, true),
    productType: view.getUint32(at.productType, true),
    suiteMask: view.getUint32(at.suiteMask, true),
    majorVersion: view.getUint32(at.majorVersion, true),
    minorVersion: view.getUint32(at.minorVersion, true),
  };
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const UNITS_PER_MS = 10_000n;
const MS_1601_TO_1970 = 11_644_473_600_000n;

/** 100 ns since 1601 to `Wed Feb 28 17:16:23.816 2018 (UTC - 8:00)`. `offsetMinutes`: east of Greenwich is positive. */
export function formatFileTime(time: bigint, offsetMinutes: number): string {
  const milliseconds = Number(time / UNITS_PER_MS - MS_1601_TO_1970) + offsetMinutes * 60_000;
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return `*** Invalid time (0x${time.toString(16)})`;
  const two = (value: number) => value.toString().padStart(2, '0');
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const fraction = date.getUTCMilliseconds().toString().padStart(3, '0');
  const day = `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${date.getUTCDate().toString().padStart(2)}`;
  const hours = Math.floor(Math.abs(offsetMinutes) / 60);
  const zone = `UTC ${offsetMinutes < 0 ? '-' : '+'} ${hours}:${two(Math.abs(offsetMinutes) % 60)}`;
  return `${day} ${clock}.${fraction} ${date.getUTCFullYear()} (${zone})`;
}

/** 100 ns units to `0 days 2:53:56.123`. */
export function formatUpTime(time: bigint): string {
  const milliseconds = time / UNITS_PER_MS;
  const part = (unit: bigint, wrap: bigint) => (milliseconds / unit) % wrap;
  const two = (value: bigint) => value.toString().padStart(2, '0');
  const days = milliseconds / 86_400_000n;
  const clock = `${part(3_600_000n, 24n)}:${two(part(60_000n, 60n))}:${two(part(1000n, 60n))}`;
  return `${days} days ${clock}.${part(1n, 1000n).toString().padStart(3, '0')}`;
}
