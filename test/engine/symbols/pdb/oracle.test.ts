/** Everything that a PDB says about symbols, types and lines, compared with what llvm-pdbutil says. */
import { relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocalFile, type LocalFile } from '../../../../src/engine/symbols/pdb/localFile';
import { openPdb, type Pdb, type PdbSymbol } from '../../../../src/engine/symbols/pdb/pdb';
import type { PdbType } from '../../../../src/engine/symbols/pdb/types';
import { describeWith } from '../../../support/tools';
import { llvmLines, llvmSections, llvmSymbols, llvmTypes } from './llvmDump';
import { pdbFiles } from './pdbFiles';

const leaves = { class: 'CLASS', struct: 'STRUCTURE', union: 'UNION', enum: 'ENUM', interface: 'INTERFACE' };

function typeText({ kind, name, size, fields, values, statics }: PdbType): string {
  const bits = (field: PdbType['fields'][number]) =>
    field.bits === undefined ? '' : ` bits ${field.bitPosition}+${field.bits}`;
  const members = [
    ...fields.map((field) => `field ${field.name} ${field.offset}${bits(field)}`),
    ...values.map((each) => `enumerator ${each.name} ${each.value}`),
    ...statics.map((each) => `static ${each.name}`),
  ];
  return [`LF_${leaves[kind]} ${name} ${size}`, ...members.sort()].join('\n');
}

function symbolTexts(symbols: Iterable<PdbSymbol>): string[] {
  const texts = [];
  for (const { kind, name, section, offset, size } of symbols) {
    texts.push(`${name} ${section}:${offset}${kind === 'procedure' ? ` ${size}` : ''}`);
  }
  return texts.sort();
}

describeWith('llvm-pdbutil', 'like llvm-pdbutil', () => {
  describe.each(pdbFiles().map((path) => [relative('.', path), path]))('%s', (_name, path) => {
    let file: LocalFile;
    let pdb: Pdb;
    beforeAll(() => {
      file = openLocalFile(path);
      pdb = openPdb(file);
    });
    afterAll(() => file.dispose());

    it('publics, globals and procedures', () => {
      expect(symbolTexts(pdb.publics())).toEqual(llvmSymbols(path, '-publics', /^S_PUB32$/));
      expect(symbolTexts(pdb.globals())).toEqual(llvmSymbols(path, '-globals', /^S_[GL](DATA|THREAD)32$/));
      expect(symbolTexts(pdb.procedures())).toEqual(llvmSymbols(path, '-symbols', /^S_[GL]PROC32(_ID)?$/));
    });

    it('addresses in the image', () => {
      const sections = llvmSections(path);
      for (const symbol of [...pdb.publics(), ...pdb.procedures(), ...pdb.globals()]) {
        const start = sections[symbol.section - 1];
        expect(symbol.rva).toBe(start === undefined ? undefined : start + symbol.offset);
      }
    });

    it('types with sizes, fields, bit-fields and enumerators', () => {
      expect([...(pdb.types()?.all() ?? [])].map(typeText).sort()).toEqual(llvmTypes(path));
    });

    it('line records', () => {
      const lines = [...pdb.lines()].map(
        ({ file: { path: name }, section, offset, line, isStatement }) =>
          `${name} ${section}:${offset} ${line}${isStatement ? '' : ' !'}`,
      );
      expect(lines.sort()).toEqual(llvmLines(path));
    });
  });
});
