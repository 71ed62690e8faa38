/** The memory of the fake target: kernel, driver, module list, debugger data block, shared data, stack. */
import type { TargetVersion } from '../../../src/engine/target/target';
import { allocatesSmall, buildImage } from '../image/peBuilder';

const KERNEL = 0xfffff80000000000n;
const DRIVER = 0xfffff80010000000n;
const DATA = 0xfffff80020000000n;
const STACK = 0xfffff80030000000n;
const STACK_SIZE = 0x4000;
const SHARED = 0xfffff78000000000n;
const THREAD = 0xffffe00000001000n;

const relative = (from: number, to: number) => [0, 8, 16, 24].map((shift) => ((to - from) >> shift) & 0xff);
const call = (at: number, to: number) => [0xe8, ...relative(at + 5, to)];

/** main calls Middle; Middle calls Leaf and, in the driver's stead, Recurse. */
export const kernelImage = {
  imageName: 'ntoskrnl.exe',
  size: 0x4000,
  timestamp: 0x5a2b3c4d,
  functions: [
    {
      name: 'KiMain',
      rva: 0x1000,
      // sub rsp,28h; call Middle; nop; add rsp,28h; hlt
      code: [0x48, 0x83, 0xec, 0x28, ...call(0x1004, 0x1100), 0x90, 0x48, 0x83, 0xc4, 0x28, 0xf4],
      unwind: allocatesSmall(0x28),
    },
    {
      name: 'KiMiddle',
      rva: 0x1100,
      // push rbx; sub rsp,20h; call Leaf; call Recurse; add rsp,20h; pop rbx; ret
      code: [
        0x53,
        0x48,
        0x83,
        0xec,
        0x20,
        ...call(0x1105, 0x1200),
        ...call(0x110a, 0x1300),
        0x48,
        0x83,
        0xc4,
        0x20,
        0x5b,
        0xc3,
      ],
      unwind: [1, 5, 2, 0, 5, 0x32, 1, 0x30],
    },
    { name: 'KiLeaf', rva: 0x1200, code: [0x90, 0x90, 0xc3] },
    {
      name: 'KiRecurse',
      rva: 0x1300,
      // sub rsp,28h; dec ecx; je +5; call Recurse; add rsp,28h; ret
      code: [
        0x48,
        0x83,
        0xec,
        0x28,
        0xff,
        0xc9,
        0x74,
        5,
        ...call(0x1308, 0x1300),
        0x48,
        0x83,
        0xc4,
        0x28,
        0xc3,
      ],
      unwind: allocatesSmall(0x28),
    },
  ],
  data: { KiData: 0x3000 },
};

export const driverImage = {
  imageName: 'my-driver.sys',
  size: 0x2000,
  timestamp: 0x11223344,
  functions: [{ name: 'DriverEntry', rva: 0x1000, code: [0x90, 0xc3] }],
};

export function layOut(memory: Map<bigint, Uint8Array>): TargetVersion {
  const kernel = buildImage(kernelImage);
  for (let i = 0; i < 0x100; i++) kernel[0x3000 + i] = i;
  kernel.set(Buffer.from('Hello, world\0', 'latin1'), 0x3200);
  kernel.set(Buffer.from('Wide\0', 'utf16le'), 0x3240);
  new DataView(kernel.buffer).setBigUint64(0x3280, KERNEL + 0x1105n, true);
  kernel.set(Buffer.from('9600.1.amd64fre.test\0', 'latin1'), 0x3300);
  memory.set(KERNEL, kernel);
  memory.set(DRIVER, buildImage(driverImage));
  memory.set(DATA, dataPage());
  memory.set(STACK, new Uint8Array(STACK_SIZE));
  memory.set(SHARED, sharedData());
  return {
    majorVersion: 15,
    build: 9600,
    machineType: 0x8664,
    multiprocessor: true,
    kernelBase: KERNEL,
    loadedModuleList: DATA,
    debuggerDataList: DATA + 0x800n,
  };
}

layOut.places = {
  kernel: KERNEL,
  driver: DRIVER,
  entry: KERNEL + 0x1000n,
  /** Aligned as at a function's entry, with a zero return address. */
  stackTop: STACK + BigInt(STACK_SIZE) - 0x48n,
  physical: DATA,
  thread: THREAD,
};

function dataPage(): Uint8Array {
  const bytes = new Uint8Array(0x2000);
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: bigint) => view.setBigUint64(at, value, true);
  const names = { at: 0x1000 };
  const unicode = (at: number, text: string) => {
    view.setUint16(at, text.length * 2, true);
    view.setUint16(at + 2, text.length * 2 + 2, true);
    u64(at + 8, DATA + BigInt(names.at));
    bytes.set(Buffer.from(text, 'utf16le'), names.at);
    names.at += text.length * 2 + 2;
  };
  const entry = (
    at: number,
    next: number,
    base: bigint,
    image: { size: number; timestamp: number },
    path: string,
  ) => {
    u64(at, DATA + BigInt(next));
    u64(at + 0x30, base);
    view.setUint32(at + 0x40, image.size, true);
    unicode(at + 0x48, path);
    unicode(at + 0x58, path.slice(path.lastIndexOf('\\') + 1));
    view.setUint32(at + 0x78, 0x1234, true);
    view.setUint32(at + 0x98, image.size, true);
    view.setUint32(at + 0x9c, image.timestamp, true);
  };
  u64(0, DATA + 0x100n);
  entry(0x100, 0x200, KERNEL, kernelImage, '\\SystemRoot\\system32\\ntoskrnl.exe');
  entry(0x200, 0, DRIVER, driverImage, '\\SystemRoot\\system32\\drivers\\my-driver.sys');
  u64(0x800, DATA + 0x900n);
  view.setUint32(0x910, 0x4742444b, true);
  view.setUint32(0x914, 0x360, true);
  u64(0x900 + 0x18, KERNEL);
  u64(0x900 + 0x48, DATA);
  u64(0x900 + 0x208, KERNEL + 0x3300n);
  return bytes;
}

function sharedData(): Uint8Array {
  const bytes = new Uint8Array(0x1000);
  const view = new DataView(bytes.buffer);
  // Up for 2 h 53 min 56.789 s; 28 Feb 2018, 17:16:23.816 UTC.
  view.setBigUint64(0x08, 10_436_789n * 10_000n, true);
  view.setBigUint64(0x14, (1_519_838_183_816n + 11_644_473_600_000n) * 10_000n, true);
  view.setUint32(0x264, 1, true);
  view.setUint32(0x2d0, 0x110, true);
  return bytes;
}
