import fc from 'fast-check';
import { expect, it } from 'vitest';
import { linkWire } from '../../../src/engine/remote/kdsrvLink';
import { memoryWirePair } from '../../../src/engine/wire/memory';

const options = { silent: 'It is silent.', nonsense: 'It makes no sense.' };
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('carries any bytes, however they are cut on the way', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }),
      fc.integer({ min: 1, max: 50 }),
      async (writes, cut) => {
        const [near, middle] = memoryWirePair();
        const [onward, far] = memoryWirePair();
        middle.data((bytes) => {
          for (let at = 0; at < bytes.length; at += cut) void onward.write(bytes.subarray(at, at + cut));
        });
        const sender = linkWire(near, options);
        const receiver = linkWire(far, options);
        const got: number[] = [];
        receiver.data((bytes) => got.push(...bytes));
        for (const bytes of writes) await sender.write(bytes);
        await turn();
        expect(got).toEqual(writes.flatMap((bytes) => [...bytes]));
        sender.close();
        receiver.close();
      },
    ),
    { numRuns: 50 },
  );
});

it('keeps the order of long writes that wait for each other', async () => {
  const [near, far] = memoryWirePair();
  const sender = linkWire(near, options);
  const receiver = linkWire(far, options);
  const got: Buffer[] = [];
  receiver.data((bytes) => got.push(Buffer.from(bytes)));
  await Promise.all(['a', 'b'].map((letter) => sender.write(Buffer.alloc(200_000, letter))));
  await turn();
  expect(Buffer.concat(got).toString()).toBe('a'.repeat(200_000) + 'b'.repeat(200_000));
  sender.close();
});

it('tells the other end why it ends, as one printable line', async () => {
  const [near, far] = memoryWirePair();
  const ended = new Promise<Error | undefined>((resolve) => linkWire(far, options).closed(resolve));
  linkWire(near, options).end('COM1 was\nunplugged\u001b[2J');
  expect((await ended)?.message).toBe('COM1 was unplugged.[2J');
});

it('notices silence, but not while it is told to wait', async () => {
  const [, far] = memoryWirePair();
  const link = linkWire(far, { ...options, interval: 20, limit: 60 });
  let over = false;
  const ended = new Promise<Error | undefined>((resolve) => link.closed(resolve));
  link.closed(() => (over = true));
  link.pause?.();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(over).toBe(false);
  link.resume?.();
  expect((await ended)?.message).toBe('It is silent.');

  const [near, other] = memoryWirePair();
  const alive = linkWire(near, { ...options, interval: 20, limit: 1000 });
  const heard = linkWire(other, { ...options, interval: 20, limit: 1000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  alive.close();
  expect(await new Promise((resolve) => heard.closed(resolve))).toBeUndefined();
});

it('ends with whoever makes no sense', async () => {
  const [near, far] = memoryWirePair();
  const ended = new Promise<Error | undefined>((resolve) => linkWire(far, options).closed(resolve));
  await near.write(Buffer.from([7, 1, 0, 0]));
  expect((await ended)?.message).toBe('It makes no sense.');
});
