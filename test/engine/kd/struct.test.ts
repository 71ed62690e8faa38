import { describe, expect, it } from 'vitest';
import { ShortRecordError, struct } from '../../../src/engine/kd/struct';

const layout = struct(16, { a: [0, 'u8'], b: [2, 'u16'], c: [4, 'u32'], d: [8, 'u64'] });

describe('struct', () => {
  it('encodes and decodes little-endian fields', () => {
    const values = { a: 0x12, b: 0x3456, c: 0xfedcba98, d: 0xffffffff80000001n };
    const bytes = layout.encode(values);
    expect(Buffer.from(bytes).toString('hex')).toBe('1200563498badcfe01000080ffffffff');
    expect(layout.decode(bytes)).toEqual(values);
  });

  it('writes some fields at an offset and leaves the rest', () => {
    const bytes = new Uint8Array(20).fill(0xee);
    layout.write(bytes, { b: 0x1122 }, 4);
    expect(Buffer.from(bytes).toString('hex')).toBe(`${'ee'.repeat(6)}2211${'ee'.repeat(12)}`);
  });

  it('refuses a record that is cut off', () => {
    expect(() => layout.decode(new Uint8Array(15))).toThrow(ShortRecordError);
    expect(() => layout.decode(new Uint8Array(16), 1)).toThrow(ShortRecordError);
  });
});
