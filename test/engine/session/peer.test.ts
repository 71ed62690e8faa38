/** The heartbeat of a connection that outlives its links: when silence counts, and when it does not. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connectRpc, defaultHeartbeat, type Heartbeat } from '../../../src/engine/session/peer';
import { ResumableWire } from '../../../src/engine/session/resumableWire';
import { memoryWirePair } from '../../../src/engine/wire/memory';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function silentPeer(heartbeat: Heartbeat) {
  const [near, far] = memoryWirePair();
  const wire = new ResumableWire(near);
  const peer = connectRpc(wire, {
    onRequest: () => Promise.resolve(null),
    onEvent: () => {},
    onClosed: () => {},
    summary: () => new Uint8Array(0),
    heartbeat,
  });
  return { wire, far, peer };
}

it('gives a new connection its full time, however long the one before was silent', async () => {
  const { wire, peer } = silentPeer({ interval: 1000, limit: 4000 });
  await vi.advanceTimersByTimeAsync(5000);
  expect(wire.isUp).toBe(false);
  await vi.advanceTimersByTimeAsync(900);
  const [again] = memoryWirePair();
  wire.attach(again, wire.received);
  await vi.advanceTimersByTimeAsync(3900);
  expect(wire.isUp).toBe(true);
  await vi.advanceTimersByTimeAsync(300);
  expect(wire.isUp).toBe(false);
  peer.drop(new Error('over'));
});

it.each([0, 1, 1000, 1999])(
  'takes a peer for gone within 15 s, last heard %i ms after a ping',
  async (late) => {
    const { wire, far, peer } = silentPeer(defaultHeartbeat);
    await vi.advanceTimersByTimeAsync(2000 + late);
    await far.write(Buffer.from('C'));
    await vi.advanceTimersByTimeAsync(11_900);
    expect(wire.isUp).toBe(true);
    await vi.advanceTimersByTimeAsync(15_000 - 11_900 - 900);
    expect(wire.isUp).toBe(false);
    peer.drop(new Error('over'));
  },
);
