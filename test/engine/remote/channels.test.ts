import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { crc32, encodeFrame, FrameParser, maxPayload } from '../../../src/engine/remote/channels/frame';
import { ChannelLine } from '../../../src/engine/remote/channels/line';
import { devicePath, leasePort } from '../../../src/engine/remote/channels/ports';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import type { Wire } from '../../../src/engine/wire/wire';
import { temporaryFolder } from '../../support/temporary';
import { lossyWirePair, seeded } from './support/lossyWire';

function lines(pair: [Wire, Wire] = memoryWirePair()): [ChannelLine, ChannelLine] {
  const both: [ChannelLine, ChannelLine] = [new ChannelLine(pair[0]), new ChannelLine(pair[1])];
  onTestFinished(() => both.forEach((line) => line.close()));
  return both;
}

/** Both ends of a connection on `channel`. */
async function connected(server: ChannelLine, client: ChannelLine, channel: number): Promise<[Wire, Wire]> {
  let accept: (wire: Wire) => void = () => {};
  const there = new Promise<Wire>((resolve) => (accept = resolve));
  server.listen(channel, (wire) => accept(wire));
  return Promise.all([there, client.connect(channel, AbortSignal.timeout(10_000))]);
}

function received(wire: Wire, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let total = 0;
    wire.data((bytes) => {
      parts.push(bytes);
      total += bytes.length;
      if (total >= count) resolve(Buffer.concat(parts));
    });
    wire.closed((reason) => reject(reason ?? new Error(`closed after ${total} of ${count}`)));
  });
}

const closed = (wire: Wire) => new Promise<Error | undefined>((resolve) => wire.closed(resolve));

function noise(length: number, seed: number): Buffer {
  const random = seeded(seed);
  return Buffer.from(Uint8Array.from({ length }, () => Math.floor(random() * 256)));
}

describe('frames', () => {
  it('come through whatever they hold and wherever the bytes are cut', () => {
    const body = fc.uint8Array({ maxLength: maxPayload + 4 }).map((bytes) => Uint8Array.from(bytes));
    const frame = fc.record({
      kind: fc.nat(255),
      channel: fc.nat(254),
      connection: fc.nat(0xffffffff),
      body,
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 50 }), (frames, cut) => {
        const bytes = Buffer.concat(frames.map(encodeFrame));
        const parser = new FrameParser();
        const found = [];
        for (let i = 0; i < bytes.length; i += cut) found.push(...parser.push(bytes.subarray(i, i + cut)));
        expect(found).toEqual(frames);
      }),
    );
  });

  it('are left out when damaged, and the next one is found again', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    const frame = { kind: 4, channel: 7, connection: 0x7e7d1113, body: Buffer.from('hello') };
    const encoded = encodeFrame(frame);
    fc.assert(
      fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const bad = Buffer.from(encoded);
        bad[index]! ^= change;
        const parser = new FrameParser();
        expect(parser.push(bad)).toEqual([]);
        // A damaged flag takes the frame behind it along.
        parser.push(encoded);
        expect(parser.push(encoded)).toHaveLength(1);
      }),
    );
    const parser = new FrameParser();
    expect(parser.push(Buffer.alloc(1 << 20, 0x41))).toEqual([]);
    expect(parser.push(Buffer.from([0x7e]))).toEqual([]);
    expect(parser.push(encoded)).toHaveLength(1);
  });
});

describe('a line with channels', () => {
  it('carries connections on the lowest and the highest channel, both ways, and closes in order', async () => {
    const [server, client] = lines();
    for (const channel of [0, 254]) {
      const [a, b] = await connected(server, client, channel);
      const there = received(a, 200_000);
      const back = received(b, 100_000);
      await Promise.all([b.write(noise(200_000, 1)), a.write(noise(100_000, 2))]);
      expect((await there).equals(noise(200_000, 1))).toBe(true);
      expect((await back).equals(noise(100_000, 2))).toBe(true);
      const end = closed(a);
      const last = received(a, 5);
      void b.write(Buffer.from('adieu'));
      b.close();
      expect((await last).toString()).toBe('adieu');
      expect(await end).toBeUndefined();
      await expect(a.write(Buffer.from('x'))).rejects.toThrow('closed');
    }
  });

  it.each([1, 2, 3])('loses nothing when 1%% of the bytes are damaged (seed %d)', async (seed) => {
    const [server, client] = lines(lossyWirePair(0.01, seed));
    const pairs = await Promise.all([1, 2, 3].map((channel) => connected(server, client, channel)));
    await Promise.all(
      pairs.map(async ([a, b], index) => {
        const bytes = noise(40_000, seed + index);
        const there = received(a, bytes.length);
        const back = received(b, bytes.length);
        await Promise.all([a.write(bytes), b.write(bytes)]);
        expect((await there).equals(bytes)).toBe(true);
        expect((await back).equals(bytes)).toBe(true);
        const end = closed(a);
        b.close();
        expect(await end).toBeUndefined();
      }),
    );
  });

  it("lets one channel's bulk not hold up another's prompt", async () => {
    const [near, far] = memoryWirePair();
    let carried = 0;
    const counted: Wire = {
      ...near,
      data: near.data,
      closed: near.closed,
      close: () => near.close(),
      write: (bytes) => {
        carried += bytes.length;
        return near.write(bytes);
      },
    };
    const [server, client] = lines([counted, far]);
    const [bulk, bulkClient] = await connected(server, client, 1);
    const [prompt, promptClient] = await connected(server, client, 2);
    bulkClient.data(() => {});
    let done = false;
    const all = bulk.write(noise(2_000_000, 1)).then(() => (done = true));
    for (let i = 0; i < 20; i++) {
      const there = received(promptClient, 7);
      const before = carried;
      await prompt.write(Buffer.from('0: kd> '));
      await there;
      expect(done).toBe(false);
      // What went before it on the line: some batches, not the two megabytes.
      expect(carried - before).toBeLessThan(20_000);
    }
    await all;
  });

  it('has one client per channel, and room for a new one when the old one is dead', async () => {
    const [near, far] = memoryWirePair();
    let deaf = false;
    const muted: Wire = {
      data: far.data,
      closed: far.closed,
      close: () => far.close(),
      write: (bytes) => (deaf ? Promise.resolve() : far.write(bytes)),
    };
    const [server, client] = lines([near, muted]);
    const accepted: Wire[] = [];
    server.listen(5, (wire) => accepted.push(wire));
    const first = await client.connect(5, undefined);
    first.data(() => {});
    accepted[0]!.data(() => {});
    await expect(client.connect(5, undefined)).rejects.toThrow('in use by another client');
    await expect(client.connect(6, undefined)).rejects.toThrow('No debugging server listens');
    expect(() => server.listen(5, () => {})).toThrow('Channel 5 is in use');
    // The process at the other end is replaced: it knows nothing of the old connection.
    const end = closed(accepted[0]!);
    deaf = true;
    const fresh = new ChannelLine(far);
    onTestFinished(() => fresh.close());
    const second = await fresh.connect(5, AbortSignal.timeout(5000));
    expect((await end)?.message).toMatch(/has gone|taken its place/);
    expect(accepted).toHaveLength(2);
    const there = received(accepted[1]!, 2);
    await second.write(Buffer.from('hi'));
    await there;
  });

  it('gives up when nobody answers, when cancelled, and when the line breaks', async () => {
    const [near, far] = memoryWirePair();
    const client = new ChannelLine(near);
    await expect(client.connect(1, undefined, 50)).rejects.toThrow('No answer');
    const cancel = new AbortController();
    const cancelled = client.connect(1, cancel.signal);
    cancel.abort(new Error('enough'));
    await expect(cancelled).rejects.toThrow('enough');
    const server = new ChannelLine(far);
    const [a, b] = await connected(server, client, 1);
    const ends = [closed(a), closed(b)];
    const broken = client.connect(2, undefined);
    far.close();
    await expect(broken).rejects.toThrow();
    expect((await Promise.all(ends)).every((reason) => reason instanceof Error)).toBe(true);
    await expect(client.connect(1, undefined)).rejects.toThrow();
  });

  it('holds little for those who do not listen, and survives any bytes', async () => {
    const [near, far] = memoryWirePair();
    const server = new ChannelLine(near);
    onTestFinished(() => server.close());
    const accepted: Wire[] = [];
    server.listen(1, (wire) => accepted.push(wire));
    const client = new ChannelLine(far);
    const wire = await client.connect(1, undefined);
    // Nobody listens at the other end: the writer has to wait.
    let written = false;
    const bytes = noise(200_000, 9);
    const writing = wire.write(bytes).then(() => (written = true));
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    const all = received(accepted[0]!, bytes.length);
    await writing;
    expect((await all).equals(bytes)).toBe(true);

    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(10), async (body, kind) => {
        await far.write(body);
        await far.write(encodeFrame({ kind, channel: 1, connection: 7, body: body.subarray(0, 100) }));
      }),
    );
    const there = received(accepted.at(-1)!, 1);
    await wire.write(Buffer.from('x')).catch(() => {});
    await Promise.race([there, closed(accepted.at(-1)!)]);
  });
});

describe('serial ports', () => {
  it('are called as the system calls them', () => {
    expect(['2', 'com2', 'COM12', '\\\\.\\com3'].map((each) => devicePath(each, 'win32'))).toEqual(
      ['2', '2', '12', '3'].map((number) => `\\\\.\\COM${number}`),
    );
    expect(devicePath('com2', 'linux')).toBe('/dev/ttyS1');
    expect(devicePath('/dev/ttyUSB0', 'linux')).toBe('/dev/ttyUSB0');
    expect(() => devicePath('2', 'darwin')).toThrow("'2' names no serial port on this system");
  });

  it('are opened once for all their channels and closed after the last', async () => {
    const path = join(temporaryFolder(), 'port');
    writeFileSync(path, '');
    const opened: Wire[] = [];
    const open = () => {
      opened.push(memoryWirePair()[0]);
      return Promise.resolve(opened.at(-1)!);
    };
    const [first, second] = await Promise.all([leasePort(path, 9600, open), leasePort(path, 9600, open)]);
    expect(first.line).toBe(second.line);
    expect(opened).toHaveLength(1);
    await expect(leasePort(path, 19200, open)).rejects.toThrow('is open at 9600 baud already');
    first.release();
    first.release();
    const third = await leasePort(path, 9600, open);
    expect(opened).toHaveLength(1);
    second.release();
    third.release();
    await closed(opened[0]!);
    const again = await leasePort(path, 19200, open);
    expect(opened).toHaveLength(2);
    again.release();
    const failing = () => Promise.reject(new Error('busy'));
    await expect(leasePort(`${path}2`, 9600, failing)).rejects.toThrow('busy');
    (await leasePort(`${path}2`, 9600, open)).release();
  });
});
