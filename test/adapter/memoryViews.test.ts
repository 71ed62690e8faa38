import { describe, expect, it } from 'vitest';
import { MemoryViews } from '../../src/adapter/memoryViews';

describe('MemoryViews', () => {
  it('tells a change in terms of what was read', () => {
    const views = new MemoryViews();
    views.read('0x1000', 0x1000n, 0x1000n, 16);
    views.read('0x1000', 0x1000n, 0x1040n, 16);
    views.read('0x9000', 0x9000n, 0x9000n, 16);
    expect(views.touchedBy({ address: '0x1048', count: 4 })).toEqual([
      { memoryReference: '0x1000', offset: 0x48, count: 4 },
    ]);
    expect(views.touchedBy({ address: '0xff0', count: 0x20 })).toEqual([
      { memoryReference: '0x1000', offset: 0, count: 0x10 },
    ]);
    expect(views.touchedBy({ address: '0x2000', count: 4 })).toEqual([]);
    expect(views.touchedBy({})).toHaveLength(2);
  });

  it('forgets the oldest', () => {
    const views = new MemoryViews();
    for (let i = 0n; i < 100n; i++) views.read(`${i}`, i, i, 1);
    expect(views.touchedBy({})).toHaveLength(64);
  });
});
