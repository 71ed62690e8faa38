import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cachedImage } from '../../../src/engine/image/cachedImage';
import type { ImageReader } from '../../../src/engine/image/reader';

const image = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

describe('a remembered image', () => {
  it('gives the same bytes as the image', async () => {
    const direct: ImageReader = async (rva, length) => image.subarray(rva, rva + length);
    const cached = cachedImage(direct);
    await fc.assert(
      fc.asyncProperty(fc.nat(6000), fc.nat(3000), async (rva, length) => {
        expect(await cached(rva, length)).toEqual(await direct(rva, length));
      }),
    );
  });

  it('reads each part once, and goes on after a read that failed', async () => {
    let asked = 0;
    let broken = false;
    const cached = cachedImage(async (rva, length) => {
      if (broken) throw new Error('running');
      asked += length;
      return image.subarray(rva, rva + length);
    });
    await cached(0, 1000);
    expect(asked).toBe(1024);
    await cached(100, 800);
    expect(asked).toBe(1024);
    broken = true;
    await expect(cached(900, 1000)).rejects.toThrow('running');
    broken = false;
    await cached(900, 1000);
    expect(asked).toBe(2048);
  });

  it('asks again for what was not there', async () => {
    let there = false;
    const cached = cachedImage(async (rva, length) =>
      there ? image.subarray(rva, rva + length) : new Uint8Array(),
    );
    expect(await cached(10, 20)).toHaveLength(0);
    there = true;
    expect(await cached(10, 20)).toHaveLength(20);
  });
});
