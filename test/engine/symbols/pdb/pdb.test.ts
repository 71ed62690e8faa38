/** Look-ups by name and address give what the full lists have, and read little of the file for it. */
import { relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocalFile, type LocalFile } from '../../../../src/engine/symbols/pdb/localFile';
import { openPdb, type Pdb } from '../../../../src/engine/symbols/pdb/pdb';
import { Omap } from '../../../../src/engine/symbols/pdb/sections';
import { pdbFiles } from './pdbFiles';

describe.each(pdbFiles().map((path) => [relative('.', path), path]))('%s', (_name, path) => {
  let file: LocalFile;
  let pdb: Pdb;
  beforeAll(() => {
    file = openLocalFile(path);
    pdb = openPdb(file);
  });
  afterAll(() => file.dispose());

  it('finds every public, in any case', () => {
    for (const { name } of pdb.publics()) {
      expect(pdb.findPublic(name)?.name).toBe(name);
      expect(pdb.findPublic(name.toUpperCase(), true)?.name.toLowerCase()).toBe(name.toLowerCase());
    }
    expect(pdb.findPublic('NoSuchName')).toBeUndefined();
  });

  it('finds every global and the procedures that are referred to', () => {
    for (const { name } of pdb.globals()) expect(pdb.findGlobal(name)?.name).toBe(name);
    const procedures = new Set([...pdb.procedures()].map(({ name }) => name));
    const found = [...procedures].filter((name) => pdb.findGlobal(name)?.kind === 'procedure');
    expect(found.length).toBeGreaterThan(procedures.size * 0.9);
  });

  it('finds every type that has a name of its own', () => {
    for (const { name } of pdb.types()?.all() ?? []) {
      if (!/<unnamed|<anonymous|__unnamed|^$/.test(name)) expect(pdb.types()?.byName(name)?.name).toBe(name);
    }
  });

  it('knows procedure and line at every place', () => {
    for (const { name, rva, size } of pdb.procedures()) {
      if (rva === undefined) continue;
      for (const at of [rva, rva + Math.max(size - 1, 0)]) {
        const near = pdb.nearest(at);
        expect(near && near.rva >= rva, name).toBe(true);
        if (at === rva) expect(near?.rva).toBe(rva);
      }
    }
    for (const { rva, size, line } of pdb.lines()) {
      if (rva === undefined || size === 0 || line > 0xf0_0000) continue;
      const found = pdb.lineAt(rva + size - 1);
      expect(found && found.rva !== undefined && found.rva >= rva).toBe(true);
    }
  });

  it('reads a small part of the file for one name', () => {
    const [, some] = [...pdb.publics()];
    const cold = openLocalFile(path);
    const fresh = openPdb(cold);
    expect(fresh.findPublic(some?.name ?? '')).toEqual(some);
    // Small files are mostly the blocks that every look-up needs.
    expect(fresh.bytesRead).toBeLessThan(Math.max(cold.size * 0.1, 48 * 1024));
    cold.dispose();
  });
});

describe('OMAP', () => {
  const omap = new Omap(Uint32Array.from([0x1000, 0x5000, 0x1100, 0, 0x1200, 0x2000]));

  it.each([
    [0xfff, undefined],
    [0x1000, 0x5000],
    [0x10ff, 0x50ff],
    [0x1100, undefined],
    [0x1204, 0x2004],
  ])('%i', (rva, expected) => {
    expect(omap.translate(rva)).toBe(expected);
  });
});
