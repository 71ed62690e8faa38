import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import { relay } from '../../../src/engine/wire/relay';
import { socketWire } from '../../../src/engine/wire/tcp';
import type { Wire } from '../../../src/engine/wire/wire';

/** A socket and, as a wire, its other end. */
async function socketPair(): Promise<[Socket, Wire]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  onTestFinished(() => {
    near.destroy();
    far.destroy();
  });
  return [near, socketWire(far, 'the peer')];
}

it('carries bytes both ways and closes the other end, after the last bytes', async () => {
  const [a, left] = await socketPair();
  const [b, right] = await socketPair();
  const ended = relay(left, right);
  a.write('ping');
  expect(String(await once(b, 'data'))).toBe('ping');
  b.write('pong');
  expect(String(await once(a, 'data'))).toBe('pong');
  const got: Buffer[] = [];
  b.on('data', (bytes: Buffer) => got.push(bytes));
  const big = Buffer.alloc(3 << 20, 'x');
  a.end(big);
  await once(b, 'close');
  expect(Buffer.concat(got).length).toBe(big.length);
  expect(await ended).toBeUndefined();
});

it('lets a fast sender wait for a slow receiver', async () => {
  const [a, left] = await socketPair();
  const [b, right] = await socketPair();
  let taken = 0;
  left.data((bytes) => (taken += bytes.length));
  const paused = new Promise<void>((resolve) => {
    const pause = () => {
      left.pause?.();
      resolve();
    };
    void relay({ ...left, pause }, right);
  });
  b.pause();
  const total = 64 << 20;
  a.write(Buffer.alloc(total, 'y'));
  await paused;
  let got = 0;
  let most = 0;
  b.on('data', (bytes: Buffer) => {
    got += bytes.length;
    most = Math.max(most, taken - got);
  });
  b.resume();
  while (got < total) await once(b, 'data');
  expect(got).toBe(total);
  // What the relay holds, and what lies in the buffers of the two sockets to the receiver.
  expect(most).toBeLessThan(16 << 20);
});

it('gives up a receiver that is too slow for a sender that cannot wait', async () => {
  const [near, left] = memoryWirePair();
  const [, right] = memoryWirePair();
  const ended = relay(left, right);
  near.data(() => {});
  void near.write(new Uint8Array(9 << 20)).catch(() => {});
  void near.write(new Uint8Array(9 << 20)).catch(() => {});
  expect((await ended)?.message).toBe('The receiver is too slow.');
});
