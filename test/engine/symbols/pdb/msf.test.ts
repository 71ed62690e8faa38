/** The container: reading across blocks, nil streams, and what is wrong with broken files. */
import { describe, expect, it } from 'vitest';
import { fileInMemory } from '../../../../src/engine/symbols/pdb/localFile';
import { Msf } from '../../../../src/engine/symbols/pdb/msf';
import { PdbError } from '../../../../src/engine/symbols/pdb/pdbError';
import { buildMsf } from './msfBuilder';

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

describe.each([512, 1024, 2048, 4096, 8192, 65_536])('blocks of %i bytes', (blockSize) => {
  const content = bytes(3 * blockSize + 17);
  const open = () => new Msf(fileInMemory('a.pdb', buildMsf([bytes(3), null, content], blockSize)));

  it('reads whole streams, parts and parts across blocks', () => {
    const msf = open();
    const stream = msf.stream(2, 'content');
    expect(stream?.size).toBe(content.length);
    expect(stream?.read(0, content.length)).toEqual(content);
    for (const [from, length] of [
      [0, 1],
      [blockSize - 2, 4],
      [blockSize, blockSize],
      [10, 2 * blockSize],
      [content.length - 1, 1],
      [content.length, 0],
    ] as const) {
      expect(stream?.read(from, length)).toEqual(content.slice(from, from + length));
    }
  });

  it('has no stream where one is nil or missing, and reads nothing of the others', () => {
    const msf = open();
    expect(msf.stream(1, 'nil')).toBeUndefined();
    expect(msf.stream(3, 'none')).toBeUndefined();
    expect(msf.bytesRead).toBeLessThan(200);
  });
});

describe('broken files', () => {
  const good = buildMsf([bytes(3), bytes(2000)], 512);
  const changed = (offset: number, value: number) => {
    const copy = good.slice();
    new DataView(copy.buffer).setUint32(offset, value, true);
    return copy;
  };
  const message = (file: Uint8Array) => {
    try {
      new Msf(fileInMemory('a.pdb', file)).stream(1, 'content')?.read(0, 2000);
    } catch (error) {
      if (error instanceof PdbError) return error.message;
      throw error;
    }
    return 'fine';
  };

  it.each([
    ['empty', new Uint8Array(), 'a.pdb: superblock: the file is cut off: it has 0 bytes, not 56'],
    ['no PDB', new Uint8Array(100), 'a.pdb: superblock: this is no PDB file (MSF 7.00)'],
    [
      'block size',
      changed(32, 513),
      'a.pdb: superblock: block size 513 is no power of two from 512 to 65536',
    ],
    ['directory size', changed(44, 0x7fff_ffff), 'a.pdb: superblock: a stream directory of 2147483647 bytes'],
    ['block map', changed(52, 99), 'a.pdb: stream directory: its block map is block 99'],
    ['cut off', good.subarray(0, 1200), 'a.pdb: stream directory: the file is cut off'],
  ])('%s', (_what, file, expected) => {
    expect(message(file)).toContain(expected);
  });
});
