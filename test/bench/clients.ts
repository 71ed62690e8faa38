/** A process with many clients, each of which checks that it gets every line, in order. */
import { joinSession } from '../../src/engine/remote/client';
import type { SessionClient } from '../../src/engine/session/rpc';
import { serve } from './child';
import { floodLine, lineLength } from './flood';

const atOnce = 32;

let finished: Promise<number[]> = Promise.resolve([]);
let expectFlood: (bytes: number) => void = () => {};

serve({
  async join({ port, count }: { port: number; count: number }) {
    const readers: SessionClient[] = [];
    // A server takes so many newcomers at a time.
    for (let from = 0; from < count; from += atOnce) {
      const group = Array.from({ length: Math.min(atOnce, count - from) }, async (_, i) => {
        const clientIdentity = { machine: 'DEV', user: `user${from + i}` };
        const remote = `tcp:port=${port},server=127.0.0.1`;
        return (await joinSession(remote, { clientIdentity, historyItems: 0 })).client;
      });
      readers.push(...(await Promise.all(group)));
    }
    let started = performance.now();
    expectFlood = (bytes) => {
      const lines = Math.ceil(bytes / lineLength);
      started = performance.now();
      finished = Promise.all(
        readers.map(
          (client) =>
            new Promise<number>((resolve, reject) => {
              let next = 0;
              client.closed((error) => reject(error ?? new Error('ended')));
              const subscription = client.on('output', ({ text, kind }) => {
                if (kind !== 'normal') return;
                for (let at = 0; at < text.length; at += lineLength) {
                  if (text.slice(at, at + lineLength) !== floodLine(next++))
                    reject(new Error(`line ${next - 1} is missing or out of order`));
                }
                if (next < lines) return;
                subscription.dispose();
                resolve((performance.now() - started) / 1000);
              });
            }),
        ),
      );
      finished.catch(() => {});
    };
    return null;
  },
  async expect(bytes: number) {
    expectFlood(bytes);
    return null;
  },
  /** Seconds until each client had all. */
  async finished() {
    try {
      return { seconds: await finished };
    } catch (error) {
      return { error: String(error) };
    }
  },
});
