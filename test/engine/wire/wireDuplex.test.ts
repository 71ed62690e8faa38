import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { socketWire } from '../../../src/engine/wire/tcp';
import { WireDuplex } from '../../../src/engine/wire/wireDuplex';

it('lets the sender wait while nobody reads, and loses nothing', async () => {
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
  const wire = socketWire(far, 'the peer');
  const paused = new Promise<void>((resolve) => {
    wire.pause = () => {
      far.pause();
      resolve();
    };
  });
  const duplex = new WireDuplex(wire);
  const total = 32 << 20;
  near.end(Buffer.alloc(total, 'z'));
  await paused;
  expect(duplex.received).toBeLessThan(1 << 20);
  let got = 0;
  duplex.on('data', (bytes: Buffer) => (got += bytes.length));
  await once(duplex, 'end');
  expect(got).toBe(total);
});
