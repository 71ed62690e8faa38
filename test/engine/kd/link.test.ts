import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/engine/base/clock';
import { KdLink, LinkError, type LinkHandler } from '../../../src/engine/kd/link';
import { Api, encodeRequest } from '../../../src/engine/kd/manipulate';
import { readMemory, writeMemory } from '../../../src/engine/kd/memory';
import { encodeControlPacket, encodeDataPacket, PacketType } from '../../../src/engine/kd/packet';
import { refuseFileIo } from '../../../src/engine/kd/targetIo';
import { getVersion } from '../../../src/engine/kd/version';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import type { Wire } from '../../../src/engine/wire/wire';
import { FakeClock, settle } from '../../support/fakeClock';
import { noisyWirePair } from '../../support/noisyWire';
import { FakeKdTarget, initialId } from '../../targets/fakeKdTarget';

function record() {
  const events: string[] = [];
  const payloads: Uint8Array[] = [];
  const handler: LinkHandler = {
    received: (type, payload) => {
      events.push(`received ${type}`);
      payloads.push(payload);
    },
    restarted: () => events.push('restarted'),
    silent: () => events.push('silent'),
    noise: () => {},
  };
  return { events, payloads, handler };
}

function connect(wires: [Wire, Wire] = memoryWirePair()) {
  const clock = new FakeClock();
  const [near, far] = wires;
  const target = new FakeKdTarget(far, { clock });
  const seen = record();
  const link = new KdLink(near, seen.handler, { clock });
  link.start();
  return { clock, target, link, wire: near, ...seen };
}

/** The far end by hand: writes bytes, records what the link sends. */
function byHand() {
  const clock = new FakeClock();
  const [near, far] = memoryWirePair();
  const sent: string[] = [];
  far.data((bytes) => sent.push(Buffer.from(bytes).toString('hex')));
  const seen = record();
  const link = new KdLink(near, seen.handler, { clock });
  link.start();
  const say = async (...packets: Uint8Array[]) => {
    for (const packet of packets) await far.write(packet);
    await settle();
    return sent.splice(0).map(shortName);
  };
  return { clock, link, say, sent, ...seen };
}

/** `ack0`, `reset`, `data2:1` (type 2, id ...01) for the packets a link sends. */
function shortName(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length === 1) return 'breakin';
  const type = bytes.readUInt16LE(4);
  const id = bytes.readUInt32LE(8) & 0xfff;
  if (bytes[0] === 0x30) return `data${type}:${id.toString(16)}`;
  return type === 4 ? `ack${id.toString(16)}` : type === 5 ? 'resend' : 'reset';
}

const print = (id: number, text = 'x') =>
  encodeDataPacket(
    PacketType.debugIo,
    id,
    Buffer.concat([Buffer.from('303200000000000001000000ffffffff', 'hex'), Buffer.from(text)]),
  );
const ack = (id: number) => encodeControlPacket(PacketType.acknowledge, id);
const reset = encodeControlPacket(PacketType.reset);

describe('ids and acknowledgements', () => {
  it('acknowledges the first packet without its SYNC bit and tells duplicates from news', async () => {
    const { say, events, link } = byHand();
    expect(await say(print(0x80800800))).toEqual(['ack0']);
    expect(await say(print(0x80800800))).toEqual(['ack0']);
    expect(await say(print(0x80800001))).toEqual(['ack1']);
    expect(await say(print(0x80800001))).toEqual(['ack1']);
    expect(await say(print(0x80800000))).toEqual(['ack0']);
    expect(events).toEqual(['received 3', 'received 3', 'received 3']);
    expect(link.counters.duplicates).toBe(2);
  });

  it('takes any first id of a target that was attached to before', async () => {
    const { say, events } = byHand();
    expect(await say(print(0x80800001))).toEqual(['ack1']);
    expect(events).toEqual(['received 3']);
  });

  it('asks again for a damaged packet and for one with an impossible id', async () => {
    const { say, events } = byHand();
    const broken = print(0x80800800);
    broken[20]! ^= 1;
    expect(await say(broken)).toEqual(['resend']);
    expect(await say(print(0x12345678))).toEqual(['resend']);
    expect(events).toEqual([]);
  });

  it('asks again when a packet stops arriving', async () => {
    const { say, clock, sent } = byHand();
    expect(await say(print(0x80800800).subarray(0, 30 - 15))).toEqual([]);
    await clock.advance(1000);
    expect(sent.map(shortName)).toEqual(['resend']);
  });

  it('sends a request again when it is not acknowledged, with the same id, a bounded number of times', async () => {
    const { say, clock, sent, link, events } = byHand();
    await say(print(0x80800800));
    const reply = getVersion(link, 0).catch((error: unknown) => error);
    expect(await say()).toEqual(['data2:0']);
    expect(await say(encodeControlPacket(PacketType.resend))).toEqual(['data2:0']);
    await clock.advance(60_000);
    expect(sent.map(shortName)).toEqual(Array(5).fill('data2:0'));
    expect(await reply).toBeInstanceOf(LinkError);
    expect(events).toEqual(['received 3', 'silent']);
  });

  it('limits what RESENDs can make it send', async () => {
    const { say, link } = byHand();
    await say(print(0x80800800));
    getVersion(link, 0).catch(() => {});
    await say();
    expect((await say(...Array(100).fill(encodeControlPacket(PacketType.resend)))).length).toBe(16);
  });

  it('takes the reply as proof when the acknowledgement was lost, and ignores stray ones', async () => {
    const { say, link } = byHand();
    await say(print(0x80800800));
    const version = getVersion(link, 0);
    await say();
    const payload = encodeRequest(Api.getVersion, 0, new Uint8Array(40).fill(1));
    payload.set([0, 0, 0, 0], 8);
    expect(await say(ack(0x80800001), encodeDataPacket(2, 0x80800001, payload))).toEqual(['ack1']);
    expect((await version).minorVersion).toBe(0x0101);
    const next = getVersion(link, 0);
    expect(await say()).toEqual(['data2:1']);
    expect(await say(ack(0x80800001), encodeDataPacket(2, 0x80800000, payload))).toEqual(['ack0']);
    await next;
  });

  it('asks for a reply that does not come, then reports silence', async () => {
    const { say, clock, link, sent, events } = byHand();
    await say(print(0x80800800));
    const reply = getVersion(link, 0).catch((error: unknown) => error);
    await say();
    await say(ack(0x80800000));
    await clock.advance(30_000);
    expect(sent.map(shortName)).toEqual(['resend', 'resend']);
    expect(await reply).toBeInstanceOf(LinkError);
    expect(events).toContain('silent');
  });

  it('answers I/O ahead of requests and between a request and its reply', async () => {
    const { say, link } = byHand();
    await say(print(0x80800800));
    const version = getVersion(link, 0).catch(() => {});
    void getVersion(link, 0).catch(() => {});
    await say();
    void link.answer(PacketType.fileIo, new Uint8Array(64));
    expect(await say(ack(0x80800000))).toEqual(['data11:1']);
    const payload = encodeRequest(Api.getVersion, 0, new Uint8Array(40));
    expect(await say(encodeDataPacket(2, 0x80800001, payload))).toEqual(['ack1']);
    expect(await say(ack(0x80800001))).toEqual(['data2:0']);
    await version;
    link.dispose();
  });
});

describe('resynchronisation', () => {
  it('makes sure of the ids before the first request to a target it did not see start', async () => {
    const { clock, target, link, wire } = connect();
    target.exception(0xc0000005);
    await clock.advance(0);
    await clock.until(getVersion(link, 0));
    link.dispose();
    // Another debugger takes over; the target's ids are anywhere.
    const seen = record();
    const next = new KdLink(wire, seen.handler, { clock });
    next.start();
    expect((await clock.until(getVersion(next, 0))).minorVersion).toBe(9600);
    expect(seen.events).toEqual(['received 7']);
  });

  it('gets the state of a stopped target by RESET, once', async () => {
    const { say, link, events, clock } = byHand();
    const state = encodeDataPacket(PacketType.stateChange64, initialId, new Uint8Array(240));
    void link.reset();
    expect(await say()).toEqual(['reset']);
    expect(await say(reset, state)).toEqual(['ack0']);
    expect(events).toEqual(['received 7']);
    // Another RESET that was on its way: the same state again is no news.
    void link.reset();
    await say(reset, state);
    expect(events).toEqual(['received 7']);
    await clock.advance(1000);
    expect(events).toEqual(['received 7']);
  });

  it('holds back what may be older than its RESET, and takes it when no answer comes', async () => {
    const { say, link, events, clock, sent } = byHand();
    void link.reset();
    expect(await say(print(0x80800001))).toEqual(['reset']);
    expect(events).toEqual([]);
    await clock.advance(500);
    expect(sent.map(shortName)).toEqual(['ack1']);
    expect(events).toEqual(['received 3']);
    // A running target never answers: what comes later is not held.
    sent.length = 0;
    expect(await say(print(0x80800000))).toEqual(['ack0']);
  });

  it('sends a request again after a RESET was answered late', async () => {
    const { say, link, clock, sent } = byHand();
    void link.reset();
    await say(reset, encodeDataPacket(PacketType.stateChange64, initialId, new Uint8Array(240)));
    void link.reset();
    await say();
    void getVersion(link, 0).catch(() => {});
    expect(await say()).toEqual(['data2:0']);
    expect(await say(ack(initialId), reset)).toEqual([]);
    await clock.advance(400);
    expect(sent.map(shortName)).toEqual(['data2:0']);
    link.dispose();
  });

  it('tells a restart by a SYNC packet and by a RESET nobody asked for, and answers the latter', async () => {
    const { say, link, events } = byHand();
    expect(await say(print(0x80800800, 'boot 1'))).toEqual(['ack0']);
    const lost = getVersion(link, 0).catch((error: unknown) => error);
    await say();
    expect(await say(print(0x80800800, 'boot 2'))).toEqual(['ack0']);
    expect(await lost).toBeInstanceOf(LinkError);
    expect(await say(reset)).toEqual(['reset']);
    // The answer to our answer ends it.
    expect(await say(reset)).toEqual([]);
    expect(events).toEqual(['received 3', 'restarted', 'received 3', 'restarted']);
  });

  it('rejects everything when the wire closes', async () => {
    const { link, wire, clock, target } = connect();
    target.exception(0xc0000005);
    await clock.advance(0);
    target.silent = true;
    const pending = [getVersion(link, 0), getVersion(link, 0)].map((each) => each.catch((e: unknown) => e));
    wire.close();
    for (const each of pending) expect(await each).toBeInstanceOf(LinkError);
    await expect(getVersion(link, 0)).rejects.toBeInstanceOf(LinkError);
  });
});

describe('over a bad line', () => {
  it('carries out every request exactly once, in order', async () => {
    const rate = fc.constantFrom(0, 0.05, 0.15);
    await fc.assert(
      fc.asyncProperty(fc.nat(), rate, rate, rate, async (seed, drop, duplicate, damage) => {
        const { clock, target, link, events } = connect(noisyWirePair({ seed, drop, duplicate, damage }));
        target.poke(0x1000n, new Uint8Array(4096));
        target.exception(0xc0000005);
        await clock.until(
          new Promise<void>((resolve) => pollFor(() => events.includes('received 7'), resolve, clock)),
        );
        for (let i = 0; i < 12; i++) {
          const written = await clock.until(
            writeMemory(link, 'virtual', 0, 0x1000n + BigInt(i), Uint8Array.of(i + 1)),
          );
          expect(written).toBe(1);
        }
        const { bytes } = await clock.until(readMemory(link, 'virtual', 0, 0x1000n, 4000));
        expect([...bytes.subarray(0, 13)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0]);
        const writes = target.log.filter(({ api }) => api === Api.writeVirtualMemory);
        expect(writes.map(({ value }) => Number(value))).toEqual(
          Array.from({ length: 12 }, (_, i) => 0x1000 + i),
        );
        expect(events.filter((event) => event === 'received 7')).toHaveLength(1);
        link.dispose();
      }),
      { numRuns: 60 },
    );
  });

  it('delivers every print once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const line = noisyWirePair({ seed, drop: 0.1, duplicate: 0.1, damage: 0.1 });
        const { clock, target, link, payloads } = connect(line);
        const texts = Array.from({ length: 15 }, (_, i) => `line ${i}`);
        for (const text of texts) await clock.until(target.print(text));
        expect(payloads.map((payload) => Buffer.from(payload.subarray(16)).toString())).toEqual(texts);
        link.dispose();
      }),
      { numRuns: 40 },
    );
  });
});

function pollFor(done: () => boolean, resolve: () => void, clock: FakeClock): void {
  if (done()) resolve();
  else clock.after(100, () => pollFor(done, resolve, clock));
}

describe('hostile bytes', () => {
  it('never throws and never sends without end', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(reset, ack(initialId), print(0x80800800), print(0x80800000), print(0x80800001)),
      fc
        .tuple(fc.constantFrom(1, 2, 3, 7, 9, 10, 11), fc.uint8Array({ maxLength: 300 }))
        .map(([type, payload]) => encodeDataPacket(type, 0x80800800, payload)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        const { say, link, clock, sent } = byHand();
        const reply = getVersion(link, 0).catch((error: unknown) => error);
        const answers = await say(...pieces);
        await clock.advance(120_000);
        expect(answers.length + sent.length).toBeLessThan(pieces.length * 4 + 100);
        link.dispose();
        await reply;
      }),
      { numRuns: 100 },
    );
  });

  it('refuses files', () => {
    const asked = new Uint8Array(100).fill(7);
    const answer = refuseFileIo(asked)!;
    expect(Buffer.from(answer.subarray(4, 8)).toString('hex')).toBe('0f0000c0');
    expect(answer.length).toBe(64);
    expect(refuseFileIo(new Uint8Array(10))).toBeUndefined();
  });
});

describe('the system clock', () => {
  it('calls back later, unless disposed', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      systemClock.after(1, () => order.push('never')).dispose();
      systemClock.after(2, () => resolve());
      order.push('now');
    });
    expect(order).toEqual(['now']);
    expect(systemClock.now()).toBeGreaterThan(0);
  });
});
