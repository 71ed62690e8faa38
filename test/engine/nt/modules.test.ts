import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemoryReader } from '../../../src/engine/image/reader';
import { fileNameOf, moduleName, readLoadedModules } from '../../../src/engine/nt/modules';
import { readKdbg } from '../../../src/engine/nt/kdbg';
import { formatFileTime, formatUpTime, readSharedData } from '../../../src/engine/nt/sharedData';
import { FakeTarget } from '../command/fakeTarget';

const target = new FakeTarget();
const read: MemoryReader = async (address, length) => target.peek(address, length);
const { loadedModuleList, kernelBase, debuggerDataList } = target.version;

describe('the module list', () => {
  it('is read in order, with names as commands use them', async () => {
    const { modules, complete } = await readLoadedModules(read, loadedModuleList, kernelBase);
    expect(complete).toBe(true);
    expect(modules).toMatchObject([
      {
        name: 'nt',
        imageName: 'ntoskrnl.exe',
        path: '\\SystemRoot\\system32\\ntoskrnl.exe',
        base: kernelBase,
        size: 0x4000,
        timestamp: 0x5a2b3c4d,
        checksum: 0x1234,
      },
      { name: 'my_driver', imageName: 'my-driver.sys', size: 0x2000 },
    ]);
  });

  it('ends at what cannot be read, and at circles', async () => {
    const head = 0x1000n;
    const memory = new Map<bigint, bigint>([
      [0x1000n, 0x2000n],
      [0x2000n, 0x3000n],
      [0x3000n, 0x2000n],
    ]);
    const links: MemoryReader = async (address, length) => {
      const bytes = new Uint8Array(length);
      const link = memory.get(address);
      if (link === undefined) return new Uint8Array();
      new DataView(bytes.buffer).setBigUint64(0, link, true);
      return bytes;
    };
    expect(await readLoadedModules(links, head, 0n)).toEqual({ modules: [], complete: false });
    memory.set(0x3000n, 0x9000n);
    expect((await readLoadedModules(links, head, 0n)).complete).toBe(false);
    memory.set(0x3000n, head);
    expect((await readLoadedModules(links, head, 0n)).complete).toBe(true);
    expect((await readLoadedModules(links, 0x7000n, 0n)).complete).toBe(false);
  });

  it('never has more than so many entries, however long the chain is', async () => {
    let reads = 0;
    const endless: MemoryReader = async (address, length) => {
      reads++;
      const bytes = new Uint8Array(length);
      const view = new DataView(bytes.buffer);
      view.setBigUint64(0, address + 0x100n, true);
      if (length < 0xa0) return bytes;
      view.setBigUint64(0x30, address, true);
      view.setUint32(0x40, 0x1000, true);
      return bytes;
    };
    const { modules, complete } = await readLoadedModules(endless, 0x1000n, 0n);
    expect([modules.length, complete]).toEqual([4096, false]);
    expect(reads).toBeLessThan(5000);
    expect(new Set(modules.map(({ name }) => name)).size).toBe(4096);
  });

  it('survives any memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 8, maxLength: 400 }), async (noise) => {
        const random: MemoryReader = async (address, length) => {
          const start = Number(address % BigInt(noise.length));
          return noise.slice(start, start + length);
        };
        await readLoadedModules(random, 0n, 0n);
        await readKdbg(random, 1n);
        await readSharedData(random);
      }),
    );
  });

  it.each([
    ['win32k.sys', 'win32k'],
    ['my-driver.v2.sys', 'my_driver_v2'],
    ['noextension', 'noextension'],
    ['.sys', '_sys'],
    ['', ''],
  ])('%s is the module %s', (file, name) => {
    expect(moduleName(file)).toBe(name);
  });

  it('takes file names from paths of either kind', () => {
    expect(fileNameOf('\\SystemRoot\\a.sys')).toBe('a.sys');
    expect(fileNameOf('multi(0)/x/b.exe')).toBe('b.exe');
    expect(fileNameOf('c.dll')).toBe('c.dll');
  });
});

describe('the debugger data block', () => {
  it('gives the fields it has', async () => {
    const kdbg = await readKdbg(read, debuggerDataList);
    expect(kdbg?.get('loadedModuleList')).toBe(loadedModuleList);
    expect(kdbg?.get('buildLab')).toBe(kernelBase + 0x3300n);
    expect(kdbg?.get('processorBlock')).toBeUndefined();
  });

  it('is not there without its tag', async () => {
    expect(await readKdbg(read, 0n)).toBeUndefined();
    expect(await readKdbg(read, loadedModuleList)).toBeUndefined();
    expect(await readKdbg(read, 0x1000n)).toBeUndefined();
  });
});

describe('times', () => {
  it('are read from the shared page', async () => {
    const shared = await readSharedData(read);
    expect(formatUpTime(shared?.upTime ?? 0n)).toBe('0 days 2:53:56.789');
    expect(formatFileTime(shared?.systemTime ?? 0n, -480)).toBe('Wed Feb 28 09:16:23.816 2018 (UTC - 8:00)');
    expect(formatFileTime(shared?.systemTime ?? 0n, 330)).toBe('Wed Feb 28 22:46:23.816 2018 (UTC + 5:30)');
  });

  it('say so when they are none', () => {
    expect(formatFileTime((1n << 64n) - 1n, 0)).toMatch(/^\w{3} |^\*\*\* Invalid/);
    expect(formatUpTime(864_000_000_000n * 3n)).toBe('3 days 0:00:00.000');
  });
});
