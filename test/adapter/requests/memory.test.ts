import { describe, expect, it } from 'vitest';
import { stopped } from './support';

const base = 0xfffff80000001000n;

/** Memory from `base` that holds 00 01 02 … and ends after `size` bytes. */
async function withMemory(size: number) {
  const { session, client } = await stopped({}, { supportsMemoryEvent: true });
  const bytes = Buffer.from(Array.from({ length: size }, (_, index) => index & 0xff));
  session.answers.readMemory = ({ address, count }) => {
    const from = Number(BigInt(address) - base);
    return { data: from < 0 ? '' : bytes.subarray(from, from + count).toString('base64') };
  };
  session.answers.writeMemory = ({ address, data }) => {
    const from = Number(BigInt(address) - base);
    const written = Buffer.from(data, 'base64').copy(bytes, from);
    session.fire('memoryChanged', { address, count: written });
    return { written };
  };
  session.answers.evaluate = () => ({ value: `0x${base.toString(16)}` });
  return { session, client, bytes };
}

const memoryReference = `0x${base.toString(16)}`;

describe('readMemory', () => {
  it('reads with an offset', async () => {
    const { client } = await withMemory(64);
    expect(await client.request('readMemory', { memoryReference, offset: 4, count: 4 })).toEqual({
      address: '0xfffff80000001004',
      data: Buffer.from([4, 5, 6, 7]).toString('base64'),
    });
  });

  it('says how much could not be read', async () => {
    const { client } = await withMemory(10);
    expect(await client.request('readMemory', { memoryReference, count: 16 })).toMatchObject({
      unreadableBytes: 6,
    });
    expect(await client.request('readMemory', { memoryReference: '0x1000', count: 16 })).toEqual({
      address: '0x1000',
      data: '',
      unreadableBytes: 16,
    });
  });

  it('reads large areas in pieces', async () => {
    const { session, client, bytes } = await withMemory(600_000);
    const { data } = await client.request('readMemory', { memoryReference, count: 600_000 });
    expect(Buffer.from(data, 'base64').equals(bytes)).toBe(true);
    expect(session.params('readMemory')).toHaveLength(3);
  });

  it('takes an expression for a reference, as users type them', async () => {
    const { client } = await withMemory(10);
    expect(await client.request('readMemory', { memoryReference: 'nt', count: 2 })).toMatchObject({
      address: '0xfffff80000001000',
    });
  });

  it.each([
    [{ memoryReference, count: -1 }, "'count' must be from 0 to 16777216"],
    [{ memoryReference, count: 1e9 }, "'count' must be from 0 to 16777216"],
    [{ count: 1 }, "'memoryReference' is missing"],
    [{ memoryReference: '0xffffffffffffffff', offset: 1, count: 1 }, 'outside the 64-bit address space'],
  ])('refuses %j', async (args, message) => {
    const { client } = await withMemory(10);
    expect(await client.failure('readMemory', args)).toContain(message);
  });
});

describe('writeMemory', () => {
  it('writes, and everything that shows it is told', async () => {
    const { client, bytes } = await withMemory(64);
    await client.request('readMemory', { memoryReference, count: 64 });
    const data = Buffer.from([0xcc, 0xdd]).toString('base64');
    expect(await client.request('writeMemory', { memoryReference, offset: 8, data })).toEqual({
      bytesWritten: 2,
    });
    expect(bytes[8]).toBe(0xcc);
    expect(await client.waitFor('memory')).toEqual({ memoryReference, offset: 8, count: 2 });
    expect(await client.waitFor('invalidated')).toEqual({ areas: ['stacks', 'variables'] });
  });

  it('fails when not all could be written, unless a part is allowed', async () => {
    const { client } = await withMemory(4);
    const data = Buffer.alloc(8).toString('base64');
    expect(await client.failure('writeMemory', { memoryReference, data })).toBe(
      'Only 4 of 8 bytes at 0xfffff80000001000 could be written.',
    );
    expect(await client.request('writeMemory', { memoryReference, data, allowPartial: true })).toEqual({
      bytesWritten: 4,
    });
  });

  it('refuses what is no base64', async () => {
    const { client } = await withMemory(4);
    expect(await client.failure('writeMemory', { memoryReference, data: '(!)' })).toContain(
      "'data' must be base64",
    );
  });
});
