/** Requests byte for byte, and what is made of answers, good and bad. */
import { describe, expect, it } from 'vitest';
import { dropBreakpoint, placeBreakpoint } from '../../../src/engine/kd/breakpoints';
import { continueException, continueSimple, idleDr7 } from '../../../src/engine/kd/control';
import { getContext } from '../../../src/engine/kd/context';
import { KdLink } from '../../../src/engine/kd/link';
import { Api, encodeRequest, ProtocolError, TargetStatusError } from '../../../src/engine/kd/manipulate';
import { readMemory, writeMemory } from '../../../src/engine/kd/memory';
import { readMsr, readPort, writePort } from '../../../src/engine/kd/msr';
import { encodeControlPacket, encodeDataPacket, PacketType } from '../../../src/engine/kd/packet';
import { decodeStateChange } from '../../../src/engine/kd/stateChange';
import { decodeDebugIo } from '../../../src/engine/kd/targetIo';
import { getVersion } from '../../../src/engine/kd/version';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import { FakeClock, settle } from '../../support/fakeClock';
import { FakeKdTarget } from '../../targets/fakeKdTarget';

const handler = { received: () => {}, restarted: () => {}, silent: () => {}, noise: () => {} };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));

/** A link whose other end is a list of answers; `sent` holds the requests' payloads. */
function scripted(...answers: Uint8Array[]) {
  const clock = new FakeClock();
  const [near, far] = memoryWirePair();
  const link = new KdLink(near, handler, { clock });
  link.start();
  const sent: string[] = [];
  let id = 1;
  far.data((packet) => {
    if (packet[0] !== 0x30) return;
    sent.push(hex(packet.subarray(16, -1)));
    const ours = new DataView(packet.buffer, packet.byteOffset).getUint32(8, true);
    void far.write(encodeControlPacket(PacketType.acknowledge, ours));
    const answer = answers.shift();
    if (answer) void far.write(encodeDataPacket(PacketType.stateManipulate, 0x80800000 + (id++ & 1), answer));
  });
  void far.write(encodeDataPacket(PacketType.debugIo, 0x80800800, new Uint8Array(16)));
  return { link, sent, ready: settle() };
}

/** A reply: header with status, then the union from `union` on, then data. */
function reply(api: number, status: number, union: string, data = new Uint8Array(0)): Uint8Array {
  const unionBytes = new Uint8Array(40);
  unionBytes.set(bytes(union));
  const payload = encodeRequest(api, 0, unionBytes, data);
  new DataView(payload.buffer).setUint32(8, status, true);
  return payload;
}

describe('requests as they go over the wire', () => {
  it('continue, as seen from other debuggers', async () => {
    const { link, sent, ready } = scripted();
    await ready;
    await continueException(link, 1, { step: false, handled: true, dr7: idleDr7 });
    await continueException(link, 0, { step: true, handled: false, dr7: 0x405n });
    await continueSimple(link, 0);
    const header = (api: string, processor: string) => `${api}0000 0000${processor} 03010000 00000000`;
    const expected = [
      `${header('3c31', '0100')} 02000100 00000000 0004000000000000 0100000000000000 0000000000000000 ${'00'.repeat(8)}`,
      `${header('3c31', '0000')} 01000180 01000000 0504000000000000 0100000000000000 0000000000000000 ${'00'.repeat(8)}`,
      `${header('3631', '0000')} 02000100 ${'00'.repeat(36)}`,
    ];
    expect(sent).toEqual(expected.map((text) => text.replace(/\s/g, '')));
  });

  it('reads and writes of memory', async () => {
    const good = reply(Api.readVirtualMemory, 0, '00000000000000000400000004000000', bytes('01020304'));
    const partial = reply(
      Api.readPhysicalMemory,
      0xc0000001,
      '00000000000000000400000002000000',
      bytes('0506'),
    );
    const refused = reply(Api.writeVirtualMemory, 0xc0000001, '00000000000000000400000004000000');
    const { link, sent, ready } = scripted(good, partial, refused);
    await ready;
    expect(await readMemory(link, 'virtual', 2, 0xfffff80000001000n, 4)).toEqual({
      bytes: bytes('01020304'),
      ended: false,
    });
    expect(sent[0]!.slice(0, 64)).toBe(
      '3031000000000200030100000000000000100000' + '00f8ffff' + '0400000000000000',
    );
    expect(await readMemory(link, 'physical', 0, 0n, 4)).toEqual({ bytes: bytes('0506'), ended: true });
    expect(await writeMemory(link, 'virtual', 0, 0n, bytes('0a0b0c0d'))).toBe(0);
    expect(sent[2]!.slice(112)).toBe('0a0b0c0d');
  });
});

describe('answers that make no sense', () => {
  it('are errors of the target, in one line', async () => {
    const { link, ready } = scripted(
      bytes('46310000 00000000'),
      reply(Api.getVersion, 0xc0000002, ''),
      reply(Api.getContextEx, 0, '00000000d0040000d0040000', new Uint8Array(100)),
      reply(Api.getContext, 0, '', new Uint8Array(716)),
      reply(Api.readVirtualMemory, 0, '000000000000000004000000ffffffff', new Uint8Array(3000)),
    );
    await ready;
    await expect(getVersion(link, 0)).rejects.toBeInstanceOf(ProtocolError);
    await expect(getVersion(link, 0)).rejects.toBeInstanceOf(TargetStatusError);
    await expect(getContext(link, 0, 0x4d0, undefined)).rejects.toThrow(
      `The target's register record has 716 bytes where 1232 are expected.`,
    );
    expect((await readMemory(link, 'virtual', 0, 0n, 4)).bytes).toHaveLength(4);
  });

  it('never throw in the decoders', () => {
    for (let length = 0; length < 300; length++) {
      const payload = new Uint8Array(length).fill(0xff);
      decodeDebugIo(payload);
      expect(decodeStateChange(payload) === undefined).toBe(length < 240);
    }
    const huge = new Uint8Array(240).fill(0xff);
    new DataView(huge.buffer).setUint32(0, 0x3031, true);
    expect(decodeStateChange(huge)).toMatchObject({
      kind: 'unloadAll',
      path: '',
      processor: 2047,
      processorCount: 2048,
    });
  });
});

describe('against the fake target', () => {
  it('ports, MSRs and breakpoints', async () => {
    const clock = new FakeClock();
    const [near, far] = memoryWirePair();
    const target = new FakeKdTarget(far, { clock });
    const link = new KdLink(near, handler, { clock });
    link.start();
    target.exception(0x80000003);
    await clock.advance(0);
    await clock.until(writePort(link, 0, 0x80, 2, 0x1234));
    expect(target.ports.get(0x80)).toBe(0x1234);
    target.ports.set(0x70, 0xaabbccdd);
    expect(await clock.until(readPort(link, 0, 0x70, 1))).toBe(0xdd);
    expect(await clock.until(readPort(link, 0, 0x70, 4))).toBe(0xaabbccdd);
    expect(await clock.until(readMsr(link, 0, 0xc0000080))).toBe(0xd01n);
    target.poke(0x3000n, [0x90]);
    const handle = await clock.until(placeBreakpoint(link, 0, 0x3000n));
    expect(handle).toBe(1);
    expect(await clock.until(placeBreakpoint(link, 0, 0x3000n))).toBeUndefined();
    expect(await clock.until(dropBreakpoint(link, 0, 1))).toBe(true);
    expect(await clock.until(dropBreakpoint(link, 0, 1))).toBe(false);
  });

  it('waits longer on a slow line', async () => {
    const clock = new FakeClock();
    const [near, far] = memoryWirePair();
    const target = new FakeKdTarget(far, { clock });
    let silent = false;
    const link = new KdLink(
      near,
      { ...handler, silent: () => (silent = true) },
      { clock, bytesPerSecond: 100 },
    );
    link.start();
    target.exception(0x80000003);
    await clock.advance(10_000);
    await clock.until(getVersion(link, 0));
    // 400 bytes of data take over 4 s at this rate.
    target.silent = true;
    const write = writeMemory(link, 'virtual', 0, 0n, new Uint8Array(400)).catch((error: unknown) => error);
    await clock.advance(5000);
    expect(link.counters.retransmissions).toBe(0);
    await clock.advance(60_000);
    expect(silent).toBe(true);
    await write;
  });
});
