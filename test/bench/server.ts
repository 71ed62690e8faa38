/** The process that owns the session: the demo machine, a debugging server on tcp, and an echo beside it. */
import { commandLanguage } from '../../src/engine/command/language';
import { createEngine } from '../../src/engine/command/engineImpl';
import { hostEngine } from '../../src/engine/remote/hostEngine';
import { openTarget, parseKernelConnection } from '../../src/engine/target/connection';
import { listenTcp } from '../../src/engine/wire/tcp';
import { serve } from './child';
import { flood } from './flood';

const language = {
  ...commandLanguage,
  find: (text: string) =>
    text.startsWith('flood ') ? { command: flood, args: text.slice(6) } : commandLanguage.find(text),
};

async function start() {
  const target = openTarget(parseKernelConnection('demo:'), { initialBreak: true });
  const hosted = await hostEngine(createEngine(target), language, 'demo:', {
    servers: ['tcp:port=0,bind=127.0.0.1'],
  });
  // As every front end does; what nobody listens to is kept.
  hosted.client.on('output', () => {});
  const stopped = () => hosted.client.state.prompt !== '' && !hosted.client.state.busy;
  if (!stopped()) {
    await new Promise<void>((resolve) => {
      const subscription = hosted.client.on('state', () => {
        if (!stopped()) return;
        subscription.dispose();
        resolve();
      });
    });
  }
  return hosted;
}

const hosted = start();
let sampler: NodeJS.Timeout | undefined;
let base = 0;
let peak = 0;

serve({
  async port() {
    const { servers } = await hosted;
    return Number(/Port=(\d+)/.exec(servers.infos()[0]?.spec ?? '')?.[1]);
  },
  /** Answers every `request` bytes with `answer` bytes; returns the port. */
  async echo({ request, answer }: { request: number; answer: number }) {
    const bytes = Buffer.alloc(answer, '.');
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (wire) => {
      let come = 0;
      wire.data((chunk) => {
        for (come += chunk.length; come >= request; come -= request) wire.write(bytes).catch(() => {});
      });
      wire.closed(() => {});
    });
    return listener.address.port;
  },
  /** Milliseconds of each of `count` runs at the server. */
  async local({ text, count }: { text: string; count: number }) {
    const { client } = await hosted;
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const started = performance.now();
      await client.request('execute', { text });
      times.push(performance.now() - started);
    }
    return times;
  },
  /** Runs a command; returns the seconds it took. */
  async run(text: string) {
    const { client } = await hosted;
    const started = performance.now();
    await client.request('execute', { text });
    return (performance.now() - started) / 1000;
  },
  async watchMemory() {
    globalThis.gc?.();
    base = peak = process.memoryUsage.rss();
    clearInterval(sampler);
    sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
    return null;
  },
  /** Bytes that the process grew by at most. */
  async memory() {
    clearInterval(sampler);
    return peak - base;
  },
});
