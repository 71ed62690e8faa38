/** Whatever a target sends: no crash, no endless wait, no endless talk, and `close` works. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UserError } from '../../../src/engine/base/errors';
import { encodeControlPacket, encodeDataPacket, PacketParser } from '../../../src/engine/kd/packet';
import { KdTarget } from '../../../src/engine/target/kdTarget';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import type { Wire } from '../../../src/engine/wire/wire';
import { FakeClock, settle } from '../../support/fakeClock';
import { seededRandom } from '../../support/noisyWire';
import { codeBase, FakeKdTarget } from '../../targets/fakeKdTarget';

const ids = fc.constantFrom(0x80800000, 0x80800001, 0x80800800);

/** A state change with random fields, so that every branch behind the decoder is reached. */
const stateChange = fc
  .record({
    state: fc.constantFrom(0x3030, 0x3031, 0x3032, 0x13030, 7),
    body: fc.uint8Array({ minLength: 0, maxLength: 300, size: 'max' }),
    code: fc.constantFrom(0x80000003, 0x80000004, 0x80000007, 0xc0000005),
  })
  .map(({ state, body, code }) => {
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    if (body.length >= 4) view.setUint32(0, state, true);
    if (body.length >= 36 && state === 0x3030) view.setUint32(32, code, true);
    return body;
  });

/** A reply with random fields to any of the requests we make. */
const reply = fc
  .record({
    api: fc.constantFrom(0x3130, 0x3132, 0x3134, 0x3135, 0x3137, 0x3146, 0x315f),
    body: fc.uint8Array({ minLength: 4, maxLength: 1500, size: 'max' }),
    good: fc.boolean(),
  })
  .map(({ api, body, good }) => {
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    view.setUint32(0, api, true);
    if (good && body.length >= 12) view.setUint32(8, 0, true);
    if (good && api === 0x3146 && body.length >= 26) view.setUint16(24, 0x8664, true);
    return body;
  });

const packet = fc.oneof(
  fc.tuple(fc.constant(7), ids, stateChange),
  fc.tuple(fc.constant(2), ids, reply),
  fc.tuple(fc.constantFrom(1, 3, 9, 10, 11), ids, fc.uint8Array({ maxLength: 100 })),
);
const chunk = fc.oneof(
  packet.map(([type, id, payload]) => encodeDataPacket(type, id, payload)),
  fc.tuple(fc.constantFrom(4, 5, 6), ids).map(([type, id]) => encodeControlPacket(type, id)),
  fc.uint8Array({ maxLength: 40 }),
);

it('survives any target', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(chunk, { minLength: 1, maxLength: 60 }),
      fc.boolean(),
      async (chunks, initialBreak) => {
        const clock = new FakeClock();
        const [near, far] = memoryWirePair();
        let sent = 0;
        far.data((bytes) => (sent += bytes.length));
        const target = new KdTarget(
          { name: 'x', open: () => Promise.resolve(near) },
          { clock, initialBreak },
        );
        const pending: Promise<unknown>[] = [];
        const attempt = (action: () => Promise<unknown>) =>
          pending.push(action().catch((error: unknown) => error));
        target.stopped(() => {
          attempt(() => target.readVirtual(0x1000n, 8192));
          attempt(() => target.readRegisters(0));
          target.insertBreakpoint(0x1234n);
          attempt(() => target.resume({ mode: sent % 2 ? 'go' : 'step' }));
        });
        target.start();
        await settle();
        for (const bytes of chunks) {
          await far.write(bytes).catch(() => {});
          await clock.advance(50);
        }
        await clock.advance(120_000);
        expect(sent).toBeLessThan(200_000);
        await clock.until(target.close());
        await clock.until(Promise.all(pending));
        expect(target.state).toBe('closed');
      },
    ),
    { numRuns: 150 },
  );
});

/** A wire behind which the bytes of packets' payloads are changed now and then, with valid checksums. */
function lyingWire(seed: number, share: number): [Wire, Wire] {
  const [near, nearInner] = memoryWirePair();
  const [farInner, far] = memoryWirePair();
  const random = seededRandom(seed);
  const say = (bytes: Uint8Array) => void nearInner.write(bytes).catch(() => {});
  const parser = new PacketParser({
    packet: ({ kind, type, id, payload }) => {
      if (kind === 'control') return say(encodeControlPacket(type, id));
      for (let i = 0; i < 4 && random() < share && payload.length > 0; i++) {
        payload[Math.floor(random() * Math.min(payload.length, 260))] = Math.floor(random() * 256);
      }
      const cut = random() < share / 4 ? Math.floor(random() * payload.length) : payload.length;
      say(encodeDataPacket(type, id, payload.subarray(0, cut)));
    },
    damaged: () => {},
    noise: () => {},
  });
  farInner.data((bytes) => parser.push(bytes));
  nearInner.data((bytes) => void farInner.write(bytes).catch(() => {}));
  nearInner.closed(() => farInner.close());
  return [near, far];
}

it('survives a target that lies in its answers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(0.02, 0.1, 0.5), async (seed, share) => {
      const clock = new FakeClock();
      const [near, far] = lyingWire(seed, share);
      const fake = new FakeKdTarget(far, { clock, processors: 2 });
      const target = new KdTarget(
        { name: 'x', open: () => Promise.resolve(near) },
        { clock, initialBreak: true },
      );
      target.start();
      target.insertBreakpoint(codeBase + 4n);
      const attempt = (action: () => Promise<unknown>) =>
        clock.until(action().catch((error: unknown) => expect(error).toBeInstanceOf(UserError)));
      for (let i = 0; i < 12; i++) {
        await clock.advance(3000);
        fake.setPc(0, codeBase);
        await attempt(() => target.readVirtual(codeBase - 100n, 9000));
        await attempt(() => target.writeVirtual(codeBase + 20n, Uint8Array.of(0x90)));
        await attempt(async () => target.writeRegisters(1, await target.readRegisters(1)));
        await attempt(() => target.resume({ mode: i % 2 ? 'go' : 'step', processor: i % 3 ? 0 : 1 }));
        target.breakIn();
      }
      await clock.until(target.close());
      expect(target.processorCount).toBeLessThanOrEqual(2048);
    }),
    { numRuns: 60 },
  );
});
