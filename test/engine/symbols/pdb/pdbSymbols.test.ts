/** A PDB as the symbols of a loaded module. */
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { openLocalFile } from '../../../../src/engine/symbols/pdb/localFile';
import { openPdb } from '../../../../src/engine/symbols/pdb/pdb';
import { PdbSymbols } from '../../../../src/engine/symbols/pdb/pdbSymbols';

it('gives names and addresses where the module is loaded', () => {
  const file = openLocalFile(resolve(__dirname, '../../../../demo/out/demo.pdb'));
  try {
    const base = 0xffff_f800_1234_0000n;
    const symbols = new PdbSymbols(openPdb(file), base);
    expect(symbols.kind).toBe('private pdb symbols');
    const entry = symbols.find('driverentry');
    expect(entry?.name).toBe('DriverEntry');
    expect(symbols.nearest((entry?.address ?? 0n) + 1n)).toEqual(entry);
    expect(symbols.nearest(base - 1n)).toBeUndefined();
    expect(symbols.nearest(base + 0x1_0000_0000n)).toBeUndefined();
    const all = [...symbols.all()];
    expect(all.filter(({ name }) => name === 'DriverEntry')).toEqual([entry]);
  } finally {
    file.dispose();
  }
});
