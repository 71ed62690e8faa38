import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeControlPacket,
  encodeDataPacket,
  PacketParser,
  PacketType,
  type KdPacket,
} from '../../../src/engine/kd/packet';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));

function parser() {
  const seen = { packets: [] as KdPacket[], damaged: 0, noise: [] as number[] };
  const parse = new PacketParser({
    packet: (packet) => seen.packets.push(packet),
    damaged: () => seen.damaged++,
    noise: (byte) => seen.noise.push(byte),
  });
  return { seen, parse };
}

describe('encoding, byte for byte', () => {
  it.each([
    ['RESET', encodeControlPacket(PacketType.reset), '69696969 0600 0000 00000000 00000000'],
    [
      'ACK of the first packet',
      encodeControlPacket(PacketType.acknowledge, 0x80800000),
      '69696969 0400 0000 00008080 00000000',
    ],
    ['RESEND', encodeControlPacket(PacketType.resend), '69696969 0500 0000 00000000 00000000'],
    [
      'GetVersion',
      encodeDataPacket(
        PacketType.stateManipulate,
        0x80800000,
        bytes(`46310000 00000000 03010000 ${'00'.repeat(44)}`),
      ),
      `30303030 0200 3800 00008080 7b000000 46310000 00000000 03010000 ${'00'.repeat(44)} aa`,
    ],
  ])('%s', (_name, packet, expected) => {
    expect(hex(packet)).toBe(expected.replace(/\s/g, ''));
  });
});

describe('parsing', () => {
  const print = encodeDataPacket(PacketType.debugIo, 0x80800800, Buffer.from('hello'));

  it('finds a packet behind partial leaders', () => {
    for (const before of [
      '30',
      '3030',
      '303030',
      '69',
      '6969 30',
      '30 69',
      '696969',
      '30303030',
      '69696969 62',
    ]) {
      const { seen, parse } = parser();
      parse.push(bytes(before));
      parse.push(print);
      expect(seen.packets.map(({ id }) => id)).toEqual([0x80800800]);
      expect(hex(Uint8Array.from(seen.noise))).toBe(before.replace(/\s/g, ''));
      expect(seen.damaged).toBe(0);
    }
    const { seen, parse } = parser();
    parse.push(bytes('30'));
    parse.push(encodeControlPacket(PacketType.reset));
    expect(seen.packets.map(({ type }) => type)).toEqual([PacketType.reset]);
  });

  it.each([
    ['checksum', 12, 0xff],
    ['payload', 18, 0xff],
    ['trailer', 21, 0x00],
    ['length', 7, 0x7f],
  ])('reports a damaged %s and goes on with the next packet', (_name, offset, value) => {
    const { seen, parse } = parser();
    const broken = print.slice();
    broken[offset] = value;
    parse.push(broken);
    parse.push(print);
    expect(seen.damaged).toBe(1);
    expect(seen.packets).toHaveLength(1);
  });

  it('looks again at what a packet that never ended has swallowed', () => {
    const { seen, parse } = parser();
    const long = encodeDataPacket(PacketType.debugIo, 0x80800000, new Uint8Array(3000));
    parse.push(long.subarray(0, 40));
    parse.push(print);
    expect(seen.packets).toHaveLength(0);
    expect(parse.midPacket).toBe(true);
    parse.abandon();
    expect(seen.packets).toHaveLength(1);
    expect(parse.midPacket).toBe(false);
  });

  const packet = fc.oneof(
    fc.record({
      type: fc.constantFrom(1, 2, 3, 7, 9, 10, 11),
      id: fc.constantFrom(0x80800000, 0x80800001, 0x80800800),
      payload: fc.uint8Array({ maxLength: 4000, size: 'max' }),
    }),
    fc.record({ type: fc.constantFrom(4, 5, 6), id: fc.nat(), payload: fc.constant(undefined) }),
  );
  // Text as firmware writes it: no leader can begin in it.
  const garbage = fc
    .uint8Array({ maxLength: 50 })
    .map((all) => all.filter((byte) => byte !== 0x30 && byte !== 0x69));

  function inChunks(all: Uint8Array, cuts: number[], push: (chunk: Uint8Array) => void) {
    let at = 0;
    for (const cut of cuts) {
      push(all.subarray(at, at + cut));
      at += cut;
    }
    push(all.subarray(at));
  }

  it('gives back what was encoded, in any portions and with garbage between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(garbage, packet), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 600 })),
        (items, cuts) => {
          const all = Buffer.concat(
            items.flatMap(([noise, { type, id, payload }]) => [
              noise,
              payload ? encodeDataPacket(type, id, payload) : encodeControlPacket(type, id),
            ]),
          );
          const { seen, parse } = parser();
          inChunks(all, cuts, (chunk) => parse.push(chunk));
          expect(seen.damaged).toBe(0);
          expect(seen.packets.map(({ type, id }) => [type, id])).toEqual(
            items.map(([, { type, id }]) => [type, id]),
          );
          seen.packets.forEach((got, i) => {
            expect(Buffer.compare(got.payload, items[i]![1].payload ?? new Uint8Array(0))).toBe(0);
          });
          expect(seen.noise).toEqual(items.flatMap(([noise]) => [...noise]));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never throws and keeps no more than one packet, whatever comes', () => {
    const leaders = fc.constantFrom(
      bytes('30303030'),
      bytes('69696969'),
      bytes('30303030 0200 0010 00008080'),
      bytes('30303030 0300 0000 00008080 00000000'),
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(leaders, fc.uint8Array({ maxLength: 300 })), { maxLength: 80 }),
        (chunks) => {
          const { parse } = parser();
          for (const chunk of chunks) parse.push(chunk);
          // Giving up takes away at least one byte each time.
          for (let i = 0; parse.midPacket; i++) {
            expect(i).toBeLessThan(5000);
            parse.abandon();
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
