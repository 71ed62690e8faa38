/** Broken PDBs: whatever is changed in a good one, the reader answers or throws a PdbError, and comes to an end. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileInMemory } from '../../../../src/engine/symbols/pdb/localFile';
import { openPdb } from '../../../../src/engine/symbols/pdb/pdb';
import { PdbError } from '../../../../src/engine/symbols/pdb/pdbError';

const good = readFileSync(resolve(__dirname, '../../../../demo/out/demoplug.pdb'));
/** Cases of changed words; of the others a quarter each. A longer run: `FUZZ_CASES=1000000`. */
const runs = Number(process.env.FUZZ_CASES ?? (process.env.CI === 'true' ? 40_000 : 2000));
/** A bound for one case; milliseconds. */
const limit = 2000;

/** Asks for everything there is. Each part on its own: what is wrong in one must not hide the next. */
function readAll(bytes: Uint8Array): void {
  const file = fileInMemory('fuzz.pdb', bytes);
  const inner = file.read;
  const reader = {
    ...file,
    read: (offset: number, length: number) => {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new Error(`read ${length} bytes at ${offset} of ${bytes.length}`);
      }
      return inner(offset, length);
    },
  };
  const pdb = guarded(() => openPdb(reader));
  if (!pdb) return;
  const drain = (items: Iterable<unknown> | undefined) => {
    for (const item of items ?? []) void item;
  };
  guarded(() => drain(pdb.publics()));
  guarded(() => drain(pdb.globals()));
  guarded(() => drain(pdb.procedures()));
  guarded(() => drain(pdb.types()?.all()));
  guarded(() => drain(pdb.lines()));
  guarded(() => pdb.sourceFiles());
  for (const name of ['DriverEntry', '_DRIVER_OBJECT', 'PlugUnload']) {
    guarded(() => pdb.findPublic(name));
    guarded(() => pdb.findGlobal(name, true));
    guarded(() => pdb.types()?.byName(name));
  }
  for (const rva of [0, 0x1000, 0x1021, 0x1060, 0x2000, 0xffff_ffff]) {
    guarded(() => pdb.nearest(rva));
    guarded(() => pdb.lineAt(rva));
  }
  const types = guarded(() => pdb.types());
  for (let index = 0x1000; types && index < Math.min(types.stream.end, 0x1100); index++) {
    guarded(() => types.size(index));
    guarded(() => types.name(index));
  }
}

function guarded<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof PdbError)) throw error;
    expect(error.message).toMatch(/^fuzz\.pdb: (superblock|stream )/);
    return undefined;
  }
}

function timed(bytes: Uint8Array): void {
  const start = performance.now();
  readAll(bytes);
  expect(performance.now() - start).toBeLessThan(limit);
}

describe('broken PDBs', () => {
  // Where the file is zero, little reads it.
  const used = [...good.keys()].filter((at) => good[at] !== 0 && at < good.length - 4);
  const offset = fc.nat(used.length - 1).map((index) => used[index] ?? 0);

  it('cut off anywhere', () => {
    fc.assert(
      fc.property(fc.nat(good.length), (length) => timed(good.subarray(0, length))),
      { numRuns: Math.ceil(runs / 4) },
    );
  }, 300_000);

  it('with changed words', () => {
    const value = fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.nat(64),
      fc.constantFrom(0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff, 0x1000, 0x1001),
    );
    const change = fc.tuple(offset, value, fc.constantFrom(1, 2, 4));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const bytes = Uint8Array.from(good);
        const view = new DataView(bytes.buffer);
        for (const [at, word, size] of changes) {
          if (size === 1) view.setUint8(at, word & 0xff);
          else if (size === 2) view.setUint16(at, word & 0xffff, true);
          else view.setUint32(at, word, true);
        }
        timed(bytes);
      }),
      { numRuns: runs },
    );
  }, 600_000);

  it('with blocks that stand for each other', () => {
    const block = fc.nat(good.length / 4096 - 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(block, block), { minLength: 1, maxLength: 4 }), (pairs) => {
        const bytes = Uint8Array.from(good);
        for (const [from, to] of pairs) bytes.copyWithin(to * 4096, from * 4096, (from + 1) * 4096);
        timed(bytes);
      }),
      { numRuns: Math.ceil(runs / 4) },
    );
  }, 300_000);
});
