/**
 * KDDEBUGGER_DATA64: the block in which an NT kernel tells debuggers where things are. Layout as in the public
 * wdbgexts.h; the block only ever grows, so nothing past its own size is believed.
 */
import type { MemoryReader } from '../image/reader';
import { dataView } from '../image/reader';

/** Offset and size in bytes of the fields in use; the 8-byte ones are addresses of the variables they name. */
const fields = {
  kernelBase: [0x18, 8],
  breakpointWithStatus: [0x20, 8],
  loadedModuleList: [0x48, 8],
  activeProcessHead: [0x50, 8],
  bugCheckData: [0x88, 8],
  pageSize: [0x138, 8],
  buildLab: [0x208, 8],
  processorBlock: [0x218, 8],
  unloadedDrivers: [0x220, 8],
  lastUnloadedDriver: [0x228, 8],
  threadTeb: [0x29a, 2],
  threadProcess: [0x2a0, 2],
  processPeb: [0x2aa, 2],
  processDirectoryBase: [0x2ae, 2],
  prcbCurrentThread: [0x2b4, 2],
  pcrCurrentPrcb: [0x2e4, 2],
} as const satisfies Readonly<Record<string, readonly [offset: number, size: 2 | 8]>>;

export type KdbgField = keyof typeof fields;

const TAG_OFFSET = 0x10;
const SIZE_OFFSET = 0x14;
const TAG = 0x4742_444b;
const MIN_SIZE = 0x208;
const MAX_SIZE = 0x1000;

export class Kdbg {
  constructor(
    readonly address: bigint,
    private readonly bytes: Uint8Array,
  ) {}

  /** Undefined when this kernel's block does not have the field or leaves it zero. */
  get(field: KdbgField): bigint | undefined {
    const [offset, size] = fields[field];
    if (offset + size > this.bytes.length) return undefined;
    const view = dataView(this.bytes);
    const value = size === 8 ? view.getBigUint64(offset, true) : BigInt(view.getUint16(offset, true));
    return value === 0n ? undefined : value;
  }
}

/** `list` is DebuggerDataList of GetVersion: a list head whose first link is the block. Undefined when there is none. */
export async function readKdbg(read: MemoryReader, list: bigint): Promise<Kdbg | undefined> {
  if (list === 0n) return undefined;
  const link = await read(list, 8);
  if (link.length < 8) return undefined;
  const address = dataView(link).getBigUint64(0, true);
  if (address === 0n || address === list) return undefined;
  const head = await read(address, SIZE_OFFSET + 4);
  if (head.length < SIZE_OFFSET + 4 || dataView(head).getUint32(TAG_OFFSET, true) !== TAG) return undefined;
  const size = dataView(head).getUint32(SIZE_OFFSET, true);
  if (size < MIN_SIZE || size > MAX_SIZE) return undefined;
  return new Kdbg(address, await read(address, size));
}
