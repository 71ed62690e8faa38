/** What every wire promises (see wire.ts), checked over each implementation. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChannelLine } from '../../../src/engine/remote/channels/line';
import { selfSigned } from '../../../src/engine/remote/certificates/create';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import { connectPipe, listenPipe } from '../../../src/engine/wire/pipe';
import { openSerial } from '../../../src/engine/wire/serial';
import { connectTcp, listenTcp } from '../../../src/engine/wire/tcp';
import { secureClient, secureServer, type TlsOptions } from '../../../src/engine/wire/tls';
import type { Wire } from '../../../src/engine/wire/wire';
import { openPtyPair } from '../../support/ptyPair';
import { temporaryFolder } from '../../support/temporary';
import { describeWith } from '../../support/tools';

interface Medium {
  open(): Promise<[Wire, Wire]>;
  /** Bytes of the big transfer. */
  readonly big: number;
  /** A serial line has no end that the other side would see. */
  readonly closeIsSeen: boolean;
}

async function accepted(
  listen: (
    onConnection: (wire: Wire) => void,
  ) => Promise<{ close(): Promise<void>; connect(): Promise<Wire> }>,
): Promise<[Wire, Wire]> {
  let accept: (wire: Wire) => void = () => {};
  const there = new Promise<Wire>((resolve) => (accept = resolve));
  const listener = await listen((wire) => accept(wire));
  onTestFinished(() => listener.close());
  return Promise.all([listener.connect(), there]);
}

const media: Record<string, Medium> = {
  memory: { open: () => Promise.resolve(memoryWirePair()), big: 10 << 20, closeIsSeen: true },
  tcp: {
    open: () =>
      accepted(async (onConnection) => {
        const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, onConnection);
        return { close: () => listener.close(), connect: () => connectTcp(listener.address) };
      }),
    big: 10 << 20,
    closeIsSeen: true,
  },
  pipe: {
    open: () =>
      accepted(async (onConnection) => {
        const path =
          process.platform === 'win32'
            ? `\\\\.\\pipe\\kd-test-${process.pid}-${Date.now()}`
            : join(temporaryFolder(), 'p');
        const listener = await listenPipe(path, onConnection);
        return { close: () => listener.close(), connect: () => connectPipe(path) };
      }),
    big: 10 << 20,
    closeIsSeen: true,
  },
  'channel of a serial line': {
    open: async () => {
      const [near, far] = memoryWirePair();
      const client = new ChannelLine(near);
      const server = new ChannelLine(far);
      onTestFinished(() => client.close());
      return accepted((onConnection) => {
        const acceptor = server.listen(0, onConnection);
        return Promise.resolve({
          close: () => Promise.resolve(acceptor.close()),
          connect: () => client.connect(0, undefined),
        });
      });
    },
    big: 1 << 20,
    closeIsSeen: true,
  },
  'tls over tcp': {
    open: async () => {
      const [near, far] = await media.tcp!.open();
      return secured(near, far);
    },
    big: 10 << 20,
    closeIsSeen: true,
  },
  'tls over pipe': {
    open: async () => {
      const [near, far] = await media.pipe!.open();
      return secured(near, far);
    },
    big: 10 << 20,
    closeIsSeen: true,
  },
};

async function secured(near: Wire, far: Wire): Promise<[Wire, Wire]> {
  const pem = await selfSigned('test');
  const common: Omit<TlsOptions, 'context'> = {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    protocol: 'test',
    signal: AbortSignal.timeout(5000),
    describe: (error) => error,
  };
  const [client, server] = await Promise.all([
    secureClient(near, { ...common, context: {} }),
    secureServer(far, { ...common, context: { cert: pem, key: pem }, askCertificate: false }),
  ]);
  return [client.wire, server.wire];
}

const serial: Medium = {
  open: async () => {
    const pair = await openPtyPair(temporaryFolder());
    onTestFinished(() => pair.close());
    return Promise.all([
      openSerial({ path: pair.a, baudRate: 115200 }),
      openSerial({ path: pair.b, baudRate: 115200 }),
    ]);
  },
  big: 1 << 20,
  closeIsSeen: false,
};

async function openPair(medium: Medium): Promise<[Wire, Wire]> {
  const pair = await medium.open();
  onTestFinished(() => pair.forEach((wire) => wire.close()));
  return pair;
}

/** Collects what arrives until `count` bytes are there. */
function receive(wire: Wire, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let total = 0;
    wire.data((bytes) => {
      parts.push(bytes.slice());
      total += bytes.length;
      if (total >= count) resolve(Buffer.concat(parts));
    });
    wire.closed((reason) => reject(reason ?? new Error(`closed after ${total} of ${count} bytes`)));
  });
}

const closed = (wire: Wire) => new Promise<Error | undefined>((resolve) => wire.closed(resolve));

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = 1; i < length; i++) bytes[i] = x = (x * 109 + 89) & 0xff;
  return bytes;
}

function conforms(medium: Medium): void {
  it('carries every byte value both ways, in order', async () => {
    const [a, b] = await openPair(medium);
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const there = receive(b, 256);
    const back = receive(a, 512);
    await a.write(all);
    expect(new Uint8Array(await there)).toEqual(all);
    await Promise.all([b.write(all), b.write(all.slice().reverse())]);
    expect([...(await back)]).toEqual([...all, ...all.slice().reverse()]);
  });

  it('keeps bytes for the first listener', async () => {
    const [a, b] = await openPair(medium);
    await a.write(Buffer.from('early '));
    await a.write(Buffer.from('bird'));
    expect((await receive(b, 10)).toString()).toBe('early bird');
  });

  it('carries big writes whole', async () => {
    const [a, b] = await openPair(medium);
    const bytes = pattern(medium.big);
    const there = receive(b, bytes.length);
    const [, got] = await Promise.all([a.write(bytes), there]);
    expect(Buffer.compare(got, bytes)).toBe(0);
  });

  it('rejects writes after close, and close fires once', async () => {
    const [a] = await openPair(medium);
    let fired = 0;
    a.closed(() => fired++);
    a.close();
    a.close();
    await expect(a.write(new Uint8Array(1))).rejects.toThrow(/closed/);
    expect(await closed(a)).toBeUndefined();
    expect(fired).toBe(1);
  });

  if (!medium.closeIsSeen) return;

  it('delivers what was written before the close, then closes the other end, once', async () => {
    const [a, b] = await openPair(medium);
    const log: string[] = [];
    const end = closed(b);
    b.closed((reason) => log.push(`closed ${reason}`));
    const write = a.write(Buffer.from('last words'));
    a.close();
    b.data((bytes) => log.push(Buffer.from(bytes).toString()));
    expect(await end).toBeUndefined();
    await write;
    expect(log.join('')).toBe('last wordsclosed undefined');
    await expect(b.write(new Uint8Array(1))).rejects.toThrow();
    b.close();
    expect(log).toHaveLength(2);
  });

  it('rejects a write that the other end never reads when it closes', async () => {
    const [a, b] = await openPair(medium);
    const outcome = a.write(pattern(medium.big)).then(
      () => 'written',
      () => 'rejected',
    );
    b.close();
    a.data(() => {});
    await closed(a);
    expect(await outcome).toMatch(/written|rejected/);
  });
}

for (const [name, medium] of Object.entries(media)) {
  describe(`wire: ${name}`, () => conforms(medium));
}
describeWith('socat', 'wire: serial', () => {
  conforms(serial);

  it('closes with a reason when the other end is dead and something is written', async () => {
    const pair = await openPtyPair(temporaryFolder());
    const wire = await openSerial({ path: pair.a, baudRate: 115200 });
    onTestFinished(() => wire.close());
    const end = closed(wire);
    wire.data(() => {});
    await pair.close();
    await wire.write(Buffer.from('x')).catch(() => {});
    expect((await end)?.message ?? 'in order').toMatch(/serial port '.*' broke|in order/);
  });
});
