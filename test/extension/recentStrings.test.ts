import { describe, expect, it } from 'vitest';
import { RecentStrings, type Store } from '../../src/extension/recentStrings';

class MapStore implements Store {
  readonly values = new Map<string, unknown>();
  get<T>(key: string): T | undefined {
    return this.values.get(key) as T | undefined;
  }
  update(key: string, value: unknown): Promise<void> {
    this.values.set(key, value);
    return Promise.resolve();
  }
}

describe('remembered connection strings', () => {
  it('keeps the newest first, each once, without regard to case', async () => {
    const recent = new RecentStrings(new MapStore(), 'key');
    for (const text of ['tcp:Port=1,Server=a', 'tcp:Port=2,Server=a', 'tcp:port=1,server=a'])
      await recent.add(text);
    expect(recent.list).toEqual(['tcp:port=1,server=a', 'tcp:Port=2,Server=a']);
  });

  it('never stores a password', async () => {
    const store = new MapStore();
    const recent = new RecentStrings(store, 'key');
    await recent.add('tcp:Port=1,Password=Secret,Server=a');
    expect(JSON.stringify([...store.values])).not.toContain('Secret');
    expect(recent.list).toEqual(['tcp:Port=1,Password=*,Server=a']);
  });

  it('stays short and lets go', async () => {
    const recent = new RecentStrings(new MapStore(), 'key');
    for (let port = 1; port <= 30; port++) await recent.add(`tcp:Port=${port},Server=a`);
    expect(recent.list).toHaveLength(10);
    expect(recent.list[0]).toBe('tcp:Port=30,Server=a');
    await recent.remove('tcp:Port=30,Server=a');
    expect(recent.list[0]).toBe('tcp:Port=29,Server=a');
  });

  it('survives a store with something else in it', () => {
    const store = new MapStore();
    const recent = new RecentStrings(store, 'key');
    expect(recent.list).toEqual([]);
    store.values.set('key', 'no list');
    expect(recent.list).toEqual([]);
    store.values.set('key', ['a', 5, null]);
    expect(recent.list).toEqual(['a']);
  });
});
