/** Clients whose network breaks come back and miss nothing; what is left out is told; nobody else comes in their place. */
import { createHmac, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import type { EngineHostOptions } from '../../../src/engine/remote/hostEngine';
import type { SessionState } from '../../../src/engine/session/protocol';
import type { Watcher } from '../session/support/harness';
import { anyPort, at, closeAll, dial, host, joinAs } from './support/hosted';
import { Network } from './support/network';

afterEach(closeAll);

const quick = { interval: 50, limit: 200 };

async function scene(options: EngineHostOptions = {}, server = anyPort) {
  const all = await host(server, { heartbeat: quick, ...options });
  const network = await Network.to(all.port);
  return { ...all, network };
}

async function state(watcher: Watcher, accept: (state: SessionState) => boolean): Promise<void> {
  if (accept(watcher.client.state)) return;
  const listen = (listener: (state: SessionState) => void) => watcher.client.on('state', listener);
  await nextEvent<SessionState>(listen, accept, AbortSignal.timeout(10_000));
}

const isAway = ({ clients }: SessionState) => clients.some(({ away }) => away);
const seqs = (watcher: Watcher) => {
  const all = watcher.items.map(({ seq }) => seq);
  return all.filter((seq, i) => seq !== all[i - 1]);
};

describe('a client whose network breaks', () => {
  it.each(['', ',password=Secret12'])('gets all it missed, and its answers (server %j)', async (password) => {
    const { host: h, network } = await scene({}, anyPort + password);
    const a = await joinAs('ann', at(network.port) + password, { heartbeat: quick });
    await h.run('.echo before');
    await a.sees('before\n');
    network.block();
    await state(h, isAway);
    expect(await h.run('.clients')).toBe(true);
    expect(h.text).toMatch(/DEV\\ann \(tcp .*\), last active .*, away\n/);
    const asked = a.run('.echo asked while away');
    for (let i = 0; i < 50; i++) expect(await h.run(`.echo missed ${i}`)).toBe(true);
    const b = await joinAs(
      'bob',
      at(
        network.port === 0
          ? 0
          : Number(/Port=(\d+)/.exec(h.client.state.servers[0]?.clientString ?? '')?.[1]),
      ) + password,
    );
    expect(await b.run('.echo bob is here')).toBe(true);
    network.mend();
    expect(await asked).toBe(true);
    await a.sees('asked while away\n');
    await a.sees('Back in the session of 127.0.0.1');
    for (let i = 0; i < 50; i++) expect(a.text.split(`missed ${i}\n`)).toHaveLength(3);
    const numbers = seqs(a);
    expect(numbers).toEqual(Array.from(numbers, (_, i) => (numbers[0] ?? 0) + i));
    await state(h, ({ clients }) => clients.length === 3 && !clients.some(({ away }) => away));
  });

  it('is told so when that happens before it has joined', async () => {
    const { hosted, network } = await scene();
    // The host hears of the joining before the client has its answer.
    hosted.client.on('clientJoined', () => network.block());
    await expect(joinAs('ann', at(network.port))).rejects.toThrow(
      /^Joining the session of .* failed: .*closed/,
    );
  });

  it('comes back from a connection that fell silent, before the server has noticed', async () => {
    const { host: h, network } = await scene({ heartbeat: { interval: 1000, limit: 60_000 } });
    const a = await joinAs('ann', at(network.port), { heartbeat: quick });
    network.silence();
    await h.run('.echo into the void');
    await a.sees('no sign of life for 0.2 s');
    network.mend();
    await a.sees('into the void');
    expect(await a.run('.echo here again')).toBe(true);
    await h.sees('here again\n');
  });

  it('survives many cuts in the middle of much output', async () => {
    const { host: h, network } = await scene();
    const a = await joinAs('ann', at(network.port), { heartbeat: quick });
    for (let i = 0; i < 8; i++) {
      const spew = h.run('spew 300');
      network.cut();
      expect(await spew).toBe(true);
      const times = () => a.items.filter(({ text }) => text.startsWith('Back in the session')).length;
      while (times() <= i) await nextEvent((listener) => a.client.on('output', listener));
    }
    await h.run('.echo the end');
    await a.sees('the end\n');
    expect(a.text.match(/^x{1023}$/gm)).toHaveLength(2400);
  });

  it('is told how much was left out when it was too much to keep', async () => {
    const { host: h, network } = await scene({ outbox: { output: 300_000, other: 1 << 20 } });
    const a = await joinAs('ann', at(network.port), { heartbeat: quick });
    network.block();
    await state(h, isAway);
    for (let i = 0; i < 10; i++) await h.run('spew 200');
    network.mend();
    await h.run('.echo the end');
    await a.sees('the end\n');
    const lost = [...a.text.matchAll(/^\.\.\. (\d+) lines left out/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
    expect(lost).toBeGreaterThan(0);
    const shown = (a.text.match(/^x{1023}$/gm) ?? []).length + (a.text.match(/> spew 200$/gm) ?? []).length;
    expect(shown + lost).toBe(10 * 201);
  });

  it('is not listed any more soon after its connection was closed, and may still come back', async () => {
    const { host: h, network } = await scene({ away: { listed: 30, kept: 10_000 } });
    const a = await joinAs('ann', at(network.port), { heartbeat: quick });
    network.block();
    await state(h, ({ clients }) => clients.length === 1);
    await h.run('.clients');
    expect(h.text.split('DEV\\ann')).toHaveLength(2); // announced, not listed
    network.mend();
    await state(h, ({ clients }) => clients.length === 2);
    expect(await a.run('.echo back')).toBe(true);
  });

  it('is let go after its time, and told', async () => {
    const { host: h, hosted, network } = await scene({ away: { listed: 10, kept: 100 } });
    const a = await joinAs('ann', at(network.port), { heartbeat: quick });
    const closed = nextEvent(a.client.closed);
    network.block();
    await state(h, ({ clients }) => clients.length === 1);
    while (hosted.session.clientCount > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    network.mend();
    expect(String(await closed)).toContain('does not know this client any more');
  });

  it('ends when the server is gone, and when it leaves by itself', async () => {
    const { hosted, host: h, network, port } = await scene();
    const a = await joinAs('ann', at(port), { heartbeat: quick });
    const b = await joinAs('bob', at(network.port), { heartbeat: quick, resumeTime: 300 });
    network.block();
    expect(String(await nextEvent(b.client.closed))).toContain('could not be reached again');
    await a.client.leave();
    await state(
      h,
      ({ clients }) => clients.length <= 2 && !clients.some(({ identity }) => identity.includes('ann')),
    );
    const c = await joinAs('cat', at(port), { heartbeat: quick });
    const ended = nextEvent((listener) => c.client.on('ended', listener));
    await hosted.session.end('over');
    await ended;
    expect(await nextEvent(c.client.closed)).toBeUndefined();
  });

  it('does not come back when it was sent away, and can do without', async () => {
    const { hosted, network } = await scene();
    const a = await joinAs('ann', at(network.port), { heartbeat: quick });
    const ended = nextEvent<{ reason: string }>((listener) => a.client.on('ended', listener));
    const closed = nextEvent(a.client.closed);
    const b = await joinAs('bob', at(network.port), { heartbeat: quick, resume: false });
    const lost = nextEvent(b.client.closed);
    network.cut();
    expect(await lost).toBeInstanceOf(Error);
    await a.sees('Back in the session');
    hosted.session.clients.find(({ info }) => info.identity.includes('ann'))?.end('sent away');
    expect((await ended).reason).toBe('sent away');
    expect(await closed).toBeUndefined();
  });
});

describe('somebody else', () => {
  it('cannot take the place of a client with what crossed the wire', async () => {
    const { host: h, port } = await scene();
    await joinAs('ann', at(port));
    for (const key of [randomBytes(32), Buffer.alloc(32)]) {
      const socket = await dial(port);
      let text = '';
      socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
      const until = async (pattern: RegExp) => {
        while (!pattern.test(text))
          await nextEvent(
            (listener: (x: unknown) => void) => (socket.once('data', listener), { dispose: () => {} }),
          );
      };
      socket.write('vscode-kd-session 1\n{"resume":"00112233445566778899aabbccddeeff","nonce":"x"}\n');
      await until(/"refused":"gone"/);
      const proof = createHmac('sha256', key).update('client x y').digest('base64');
      socket.write(`${JSON.stringify({ proof, received: 0 })}\n`);
    }
    expect(await h.run('.echo alive')).toBe(true);
  });
});
