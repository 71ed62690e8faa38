import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPdbId } from '../../../src/engine/image/debugId';
import { readExports } from '../../../src/engine/image/exports';
import { imageInFile, readPeHeaders } from '../../../src/engine/image/pe';
import type { ImageReader } from '../../../src/engine/image/reader';

/** Real images that come with the serial port package; what is expected of them was read with llvm-readobj. */
const prebuilds = 'node_modules/@serialport/bindings-cpp/prebuilds';
const x64File = readFileSync(`${prebuilds}/win32-x64/@serialport+bindings-cpp.node`);
const x86File = readFileSync(`${prebuilds}/win32-ia32/@serialport+bindings-cpp.node`);

async function headersOf(read: ImageReader) {
  const headers = await readPeHeaders(read);
  if (!headers) throw new Error('no headers');
  return headers;
}

describe('PE images', () => {
  it('reads the headers of a PE32+ file', async () => {
    const headers = await headersOf(await imageInFile(x64File));
    expect(headers).toMatchObject({
      machine: 0x8664,
      is64Bit: true,
      timestamp: 0x6769cb53,
      sizeOfImage: 0x3e000,
      entryPoint: 0xe538,
      preferredBase: 0x180000000n,
      exports: { rva: 0x35780, size: 0x58 },
      exceptions: { rva: 0x39000, size: 0x1d7c },
    });
    expect(headers.sections.map((section) => section.name)).toEqual([
      '.text',
      '.rdata',
      '.data',
      '.pdata',
      '.fptable',
      '.rsrc',
      '.reloc',
    ]);
  });

  it('reads the headers of a PE32 file', async () => {
    const headers = await headersOf(await imageInFile(x86File));
    expect(headers).toMatchObject({ machine: 0x14c, is64Bit: false, preferredBase: 0x10000000n });
  });

  it.each([x64File, x86File])('finds its exports', async (file) => {
    const read = await imageInFile(file);
    const table = await readExports(read, await headersOf(read));
    expect(table?.imageName).toBe('bindings.node');
    expect(table?.entries.map((entry) => entry.name)).toContain('napi_register_module_v1');
  });

  it('gives exports their addresses and ordinals', async () => {
    const read = await imageInFile(x64File);
    const table = await readExports(read, await headersOf(read));
    expect(table?.entries).toContainEqual({ name: 'napi_register_module_v1', rva: 0x7ad0, ordinal: 1 });
  });

  it('finds the PDB it belongs to', async () => {
    const read = await imageInFile(x64File);
    expect(await readPdbId(read, await headersOf(read))).toEqual({
      guid: '6345BC677BA14EBBAE7D9A10F8AE80C3',
      age: 1,
      path: 'D:\\a\\bindings-cpp\\bindings-cpp\\build\\Release\\bindings.pdb',
    });
  });

  it('finds nothing in what is no image', async () => {
    expect(await readPeHeaders(await imageInFile(Uint8Array.of(0x4d, 0x5a)))).toBeUndefined();
    expect(await readPeHeaders(() => Promise.resolve(new Uint8Array()))).toBeUndefined();
  });

  it('survives any damage', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 0x400 }), fc.integer({ min: 0, max: 255 })), {
          maxLength: 8,
        }),
        fc.array(fc.tuple(fc.integer({ min: 0x30d90, max: 0x34e00 }), fc.integer({ min: 0, max: 255 })), {
          maxLength: 30,
        }),
        fc.integer({ min: 0, max: x64File.length }),
        async (headerDamage, tableDamage, cut) => {
          const file = Uint8Array.from(x64File.subarray(0, cut % 3 === 0 ? cut : x64File.length));
          for (const [at, value] of [...headerDamage, ...tableDamage]) file[at] = value;
          const read = await imageInFile(file);
          const headers = await readPeHeaders(read);
          if (!headers) return;
          await readExports(read, headers);
          await readPdbId(read, headers);
        },
      ),
      { numRuns: 300 },
    );
  });
});
