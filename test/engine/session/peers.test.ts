/** Peers that behave badly: they harm nobody else, and what waits for them is bounded. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import { CancelledError } from '../../../src/engine/base/errors';
import { encodeMessage, MessageParser, type RpcMessage } from '../../../src/engine/session/framing';
import { Outbox } from '../../../src/engine/session/outbox';
import type { OutputItem } from '../../../src/engine/session/protocol';
import { SessionClient } from '../../../src/engine/session/rpc';
import type { Session } from '../../../src/engine/session/session';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import type { Wire } from '../../../src/engine/wire/wire';
import { fakeSession, join } from './support/harness';

let open: Session | undefined;
afterEach(async () => {
  await open?.end('test over');
  open = undefined;
});

function start() {
  const all = fakeSession();
  open = all.session;
  all.target.go('running');
  all.target.halt();
  return all;
}

/** A peer under the test's control: raw bytes in, messages out. */
function rawPeer(session: Session): { wire: Wire; closed: Promise<unknown>; messages: RpcMessage[] } {
  const [near, far] = memoryWirePair();
  session.addClient(far, { identity: 'EVE\\eve', remote: true });
  const messages: RpcMessage[] = [];
  const parser = new MessageParser(false);
  near.data((bytes) => messages.push(...parser.push(bytes)));
  return { wire: near, closed: nextEvent(near.closed), messages };
}

const call = (method: string, params: unknown = {}, id: unknown = 1) =>
  encodeMessage({ jsonrpc: '2.0', id, method, params });

describe('bad peers', () => {
  it('are dropped for bytes that are no messages, and the session goes on', async () => {
    const { session } = start();
    const host = await join(session);
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 300, maxLength: 600 }),
      fc.constantFrom(
        Buffer.from('Content-Length: 4294967295\r\n\r\n'),
        Buffer.from('Content-Length: 2\r\n\r\n{}'),
        encodeMessage({ jsonrpc: '2.0', id: 1, method: 'attach', params: [1] }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (noise) => {
        const { wire, closed } = rawPeer(session);
        await wire.write(noise).catch(() => {});
        await closed;
      }),
      { numRuns: 50 },
    );
    expect(await host.run('.echo alive')).toBe(true);
    expect(session.clientCount).toBe(1);
  });

  it('get an answer to every well-framed request, however odd', async () => {
    const { session } = start();
    const host = await join(session);
    const { wire, messages } = rawPeer(session);
    await wire.write(call('attach', {}, 0));
    const method = fc.constantFrom(
      'execute',
      'readMemory',
      'stack',
      'setBreakpoints',
      'resume',
      'cancel',
      'complete',
      'evaluate',
      'disassemble',
      '__proto__',
      'ping',
    );
    const params = fc.dictionary(
      fc.constantFrom(
        'text',
        'address',
        'count',
        'expressions',
        'kind',
        'owner',
        'processor',
        'offset',
        '__proto__',
      ),
      fc.oneof(fc.jsonValue(), fc.constantFrom('0x1000', '$$ x', '*', 5)),
    );
    let id = 0;
    await fc.assert(
      fc.asyncProperty(method, params, async (name, values) => {
        await wire.write(call(name, values, ++id));
      }),
      { numRuns: 200 },
    );
    await wire.write(call('ping', {}, 'last'));
    while (!messages.some((each) => each.id === 'last')) await nextEvent(wire.data);
    const pending = host.run('.echo alive');
    expect(await pending).toBe(true);
    const answered = new Set(messages.map((each) => each.id));
    for (let i = 0; i <= id; i++) expect(answered).toContain(i);
  });

  it('that send 100,000 requests at once are dropped', async () => {
    const { session } = start();
    const host = await join(session);
    const { wire, closed } = rawPeer(session);
    await wire.write(call('attach'));
    const echo = call('execute', { text: '.echo x' }, 7);
    const many = Buffer.concat(Array.from({ length: 1000 }, () => echo));
    for (let i = 0; i < 100; i++) await wire.write(many).catch(() => {});
    await closed;
    expect(await host.run('.echo alive')).toBe(true);
    expect(session.clientCount).toBe(1);
  });

  it('that must attach first do nothing before', async () => {
    const { session } = start();
    const { wire, messages } = rawPeer(session);
    await wire.write(call('execute', { text: '.echo x' }));
    while (messages.length === 0) await nextEvent(wire.data);
    expect(messages[0]).toMatchObject({ id: 1, error: { code: 1, message: "Send 'attach' first." } });
  });

  it('that read slowly lose output, are told, and slow nobody', async () => {
    const { session } = start();
    const host = await join(session);
    const fast = await join(session);
    // A wire whose reader takes nothing until it is let.
    const [near, far] = memoryWirePair();
    let allow = () => {};
    const gate = new Promise<void>((resolve) => (allow = resolve));
    let writes = 0;
    const slowWire: Wire = {
      data: far.data,
      closed: far.closed,
      close: () => far.close(),
      write: async (bytes) => {
        if (++writes > 2) await gate;
        await far.write(bytes);
      },
    };
    session.addClient(slowWire, {
      identity: 'X\\slow',
      remote: true,
      outbox: { output: 256 * 1024, other: 1 << 20 },
    });
    const parser = new MessageParser(false);
    const items: OutputItem[] = [];
    const messages: RpcMessage[] = [];
    near.data((bytes) => {
      for (const each of parser.push(bytes)) {
        messages.push(each);
        if (each.method === 'output') items.push(each.params as OutputItem);
      }
    });
    await near.write(call('attach', { historyItems: 0 }, 1));
    while (messages.length === 0) await nextEvent(near.data);
    for (let i = 0; i < 5; i++) expect(await host.run('spew 2000')).toBe(true);
    while ((fast.text.match(/x\n/g) ?? []).length < 10_000)
      await nextEvent((listener) => fast.client.on('output', listener));
    allow();
    await near.write(call('execute', { text: '.echo end' }, 2));
    while (!items.some(({ text }) => text === 'end\n')) await nextEvent(near.data);
    const left = items.flatMap(({ text }) =>
      [...(/^\.\.\. (\d+) lines left out/gm.exec(text)?.slice(1) ?? [])].map(Number),
    );
    expect(left.length).toBeGreaterThan(0);
    const lines = items.reduce((sum, { text }) => sum + (text.match(/x\n/g)?.length ?? 0), 0);
    const echoes = items.filter(({ text }) => text.includes('spew')).length;
    expect(lines + echoes + left.reduce((sum, each) => sum + each, 0)).toBe(10_000 + 5);
    const seqs = items.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  });
});

describe('a server that does not answer', () => {
  it('does not hold a request that is cancelled', async () => {
    const [near, far] = memoryWirePair();
    far.data(() => {});
    const attaching = SessionClient.attach(near, { signal: AbortSignal.timeout(20) });
    await expect(attaching).rejects.toThrow(CancelledError);
  });

  it('is told apart from one that closes', async () => {
    const [near, far] = memoryWirePair();
    far.data(() => far.close());
    await expect(SessionClient.attach(near)).rejects.toThrow('the debugging server closed the connection.');
  });
});

describe('Outbox', () => {
  const wireWith = (write: (bytes: Uint8Array) => Promise<void>): Wire => {
    const [near] = memoryWirePair();
    return { data: near.data, closed: near.closed, close: () => near.close(), write };
  };

  it('writes in batches, in order, and only the newest state', async () => {
    const batches: string[] = [];
    const wire = wireWith(async (bytes) => void batches.push(Buffer.from(bytes).toString()));
    const outbox = new Outbox(
      wire,
      () => Buffer.from('?'),
      () => {},
    );
    for (const [text, kind] of [
      ['a', 'output'],
      ['S1', 'state'],
      ['b', 'reply'],
      ['S2', 'state'],
      ['c', 'output'],
    ] as const) {
      outbox.send(Buffer.from(text), kind, 1);
    }
    await outbox.flush(1000);
    expect(batches).toEqual(['abS2c']);
  });

  it('gives up a peer that does not take what must arrive', async () => {
    const errors: Error[] = [];
    const outbox = new Outbox(
      wireWith(() => new Promise(() => {})),
      () => Buffer.from('?'),
      (error) => errors.push(error),
      {
        output: 1000,
        other: 1000,
      },
    );
    for (let i = 0; i < 30; i++) outbox.send(Buffer.alloc(100), 'reply');
    expect(errors.map(({ message }) => message)).toEqual(['too much waits to be sent to it']);
    await outbox.flush(1);
  });
});
