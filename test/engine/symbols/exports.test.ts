import { describe, expect, it } from 'vitest';
import { ExportSymbols, NoSymbols } from '../../../src/engine/symbols/exports';

const symbols = new ExportSymbols(
  [
    { name: 'Second', rva: 0x2000, ordinal: 2 },
    { name: 'First', rva: 0x1000, ordinal: 1 },
    { name: 'AlsoSecond', rva: 0x2000, ordinal: 3 },
  ],
  0x10000n,
);

describe('exports as symbols', () => {
  it.each<[bigint, string | undefined]>([
    [0x10fffn, undefined],
    [0x11000n, 'First'],
    [0x11fffn, 'First'],
    [0x12000n, 'Second'],
    [0x99999n, 'Second'],
  ])('the nearest to %s is %s', (address, name) => {
    expect(symbols.nearest(address)?.name).toBe(name);
  });

  it('are found by name in any case', () => {
    expect(symbols.find('alsosecond')).toEqual({ name: 'AlsoSecond', address: 0x12000n });
    expect(symbols.find('third')).toBeUndefined();
    expect([...symbols.all()].map(({ name }) => name)).toEqual(['First', 'Second', 'AlsoSecond']);
  });

  it('may be none', () => {
    const none = new NoSymbols();
    expect([none.nearest(), none.find(), [...none.all()]]).toEqual([undefined, undefined, []]);
  });
});
