/** A command that prints much, many who read it, and one who does not: all get all of it but the one, who is told. */
import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import type { Command } from '../../../src/engine/command/command';
import { hostEngine } from '../../../src/engine/remote/hostEngine';
import { encodeMessage, MessageParser } from '../../../src/engine/session/framing';
import type { OutputItem } from '../../../src/engine/session/protocol';
import type { CommandLanguage } from '../../../src/engine/session/session';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import type { Wire } from '../../../src/engine/wire/wire';
import { FakeEngine, fakeLanguage } from '../session/support/fakeEngine';
import { anyPort, at, closeAll, joinAs, later, portOf } from './support/hosted';

afterEach(closeAll);

const lineLength = 100;
const line = (i: number) => `${String(i).padStart(lineLength - 1, '.')}\n`;

/** `flood N` prints N numbered lines in pieces and waits for its readers. */
const flood: Command = {
  name: 'flood',
  syntax: 'flood N',
  summary: '',
  tier: 3,
  family: 'test',
  whileRunning: 'run',
  async run({ write, drained }, args) {
    for (let i = 0; i < Number(args); i += 100) {
      write(Array.from({ length: 100 }, (_, k) => line(i + k)).join(''));
      await drained();
    }
  },
};

const plainLanguage = fakeLanguage();
const language: CommandLanguage = {
  ...plainLanguage,
  find: (text) =>
    text.startsWith('flood ') ? { command: flood, args: text.slice(6) } : plainLanguage.find(text),
};

describe('much output', () => {
  it('reaches all in order while one reads nothing, and little of it waits', async () => {
    const engine = new FakeEngine();
    const hosted = await hostEngine(engine, language, 'fake:', { servers: [anyPort] });
    later(() => hosted.dispose());
    const { session, client: host } = hosted;
    const size = 12 << 20;
    const lines = Math.ceil(size / lineLength / 100) * 100;

    const readers = await Promise.all(
      Array.from({ length: 9 }, async (_, i) => {
        const { client } = await joinAs(`user${i}`, at(portOf(hosted)));
        let next = 0;
        let broken = 0;
        let done = () => {};
        const finished = new Promise<void>((resolve) => (done = resolve));
        client.on('output', ({ text, kind }) => {
          if (kind !== 'normal') return;
          for (const each of text.split('\n').slice(0, -1)) if (`${each}\n` !== line(next++)) broken++;
          if (next >= lines) done();
        });
        return { finished, result: () => ({ next, broken }) };
      }),
    );

    // One whose wire takes two writes and then nothing.
    const [near, far] = memoryWirePair();
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    let writes = 0;
    const stuck: Wire = {
      data: far.data,
      closed: far.closed,
      close: () => far.close(),
      write: async (bytes) => {
        if (++writes > 2) await gate;
        await far.write(bytes);
      },
    };
    session.addClient(stuck, { identity: 'DEV\\slow', remote: true });
    const parser = new MessageParser(false);
    const slow: OutputItem[] = [];
    near.data((bytes) => {
      for (const { method, params } of parser.push(bytes))
        if (method === 'output') slow.push(params as OutputItem);
    });
    await near.write(encodeMessage({ jsonrpc: '2.0', id: 1, method: 'attach', params: { historyItems: 0 } }));

    let most = 0;
    const watch = setInterval(() => {
      for (const { outbox } of session.clients) while (outbox.isBehind(most)) most += 64 * 1024;
    }, 5);
    const running = host.request('execute', { text: `flood ${lines}` });
    await Promise.all(readers.map(({ finished }) => finished));
    expect((await running).ok).toBe(true);
    clearInterval(watch);
    for (const { result } of readers) expect(result()).toEqual({ next: lines, broken: 0 });
    expect(most).toBeLessThan(9 << 20);

    open();
    expect((await host.request('execute', { text: '.echo end' })).ok).toBe(true);
    while (!slow.some(({ text }) => text === 'end\n')) await nextEvent(near.data);
    const shown = slow.flatMap(({ text }) => text.match(/^\.+\d+$/gm) ?? []).length;
    const told = slow.map(({ text }) => Number(/^\.\.\. (\d+) lines left out/.exec(text)?.[1] ?? 0));
    expect(shown).toBeLessThan(lines);
    // The lines that show the commands are left out with the rest.
    expect(told.reduce((sum, each) => sum + each, shown)).toBeGreaterThanOrEqual(lines);
  });

  it('ends at once when it is cancelled while it waits', async () => {
    const hosted = await hostEngine(new FakeEngine(), language, 'fake:');
    later(() => hosted.dispose());
    const { session, client: host } = hosted;
    const [near, far] = memoryWirePair();
    const never: Wire = {
      data: far.data,
      closed: far.closed,
      close: () => far.close(),
      // Slow enough to be waited for, quick enough not to be given up.
      write: (bytes) => new Promise((resolve) => setTimeout(resolve, bytes.length > 8192 ? 200 : 0)),
    };
    session.addClient(never, { identity: 'DEV\\slow', remote: true });
    await near.write(encodeMessage({ jsonrpc: '2.0', id: 1, method: 'attach', params: {} }));
    const running = host.request('execute', { text: 'flood 100000' });
    while (!session.clients.some(({ outbox }) => outbox.isBehind(2 << 20)))
      await nextEvent((listener) => host.on('output', listener));
    expect(await host.request('cancel', {})).toEqual({ cancelled: true });
    expect((await running).ok).toBe(false);
  });
});
