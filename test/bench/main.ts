/**
 * Measures remote sessions: what a command by a client costs beside the same command at the server and a bare echo of
 * the same bytes, and what happens when a command prints much to many clients, one of which hardly reads.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { joinSession } from '../../src/engine/remote/client';
import { encodeMessage } from '../../src/engine/session/framing';
import { connectTcp } from '../../src/engine/wire/tcp';
import type { Wire } from '../../src/engine/wire/wire';
import { Child } from './child';

const repetitions = 1000;

export async function main(folder: string, small: boolean): Promise<number> {
  const one = await oneCommand(folder);
  const many = await manyClients(folder, small ? 20 : 100, (small ? 25 : 50) * 1_000_000);
  return one && many ? 0 : 1;
}

async function oneCommand(folder: string): Promise<boolean> {
  const server = Child.start(join(folder, 'server.js'));
  try {
    const port = await server.ask<number>('port');
    const { client, dispose } = await joinSession(`tcp:port=${port},server=127.0.0.1`, { historyItems: 0 });
    let ok = true;
    print(`One command, ${repetitions} times over tcp on loopback; medians in microseconds`);
    print(
      '  command        client    server      echo     ratio  (client / (server + echo), wanted: 1.2 at most)',
    );
    for (const text of ['r', 'k', 'lm', '? 1+1']) {
      const asked = JSON.stringify({ jsonrpc: '2.0', id: 1000, method: 'execute', params: { text } });
      const request = Buffer.byteLength(asked) + 'Content-Length: 80\r\n\r\n'.length;
      const answer = await bytesOf(port, text);
      const echo = await connectTcp({
        host: '127.0.0.1',
        port: await server.ask<number>('echo', { request, answer }),
      });
      const execute = () => client.request('execute', { text });
      // Alternating, so that whatever else the machine does meets all three alike.
      const times = { client: [] as number[], server: [] as number[], echo: [] as number[] };
      for (let i = 0; i < 10; i++) {
        times.echo.push(...(await timed(() => bounce(echo, request, answer), repetitions / 10)));
        times.server.push(...(await server.ask<number[]>('local', { text, count: repetitions / 10 })));
        times.client.push(...(await timed(execute, repetitions / 10)));
      }
      echo.close();
      const [byClient, atServer, bare] = [median(times.client), median(times.server), median(times.echo)];
      const ratio = byClient / (atServer + bare);
      ok &&= ratio <= 1.2;
      const columns = [byClient, atServer, bare]
        .map((each) => (each * 1000).toFixed(0).padStart(10))
        .join('');
      print(
        `  ${text.padEnd(10)}${columns}${ratio.toFixed(2).padStart(10)}  ${request} bytes there, ${answer} back`,
      );
    }
    await dispose();
    return ok;
  } finally {
    server.stop();
  }
}

/** Bytes that a client gets for a command, all messages together. */
async function bytesOf(port: number, text: string): Promise<number> {
  const socket = await rawClient(port);
  let bytes = 0;
  let tail = '';
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      tail = (tail + chunk.toString('latin1')).slice(-4096);
      if (tail.includes('"id":2,')) resolve();
    });
  });
  socket.write(encodeMessage({ jsonrpc: '2.0', id: 2, method: 'execute', params: { text } }));
  await answered;
  // The state that follows the answer.
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  return bytes;
}

/** A client that reads nothing by itself; it has joined. */
async function rawClient(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  let text = '';
  const until = async (part: string) => {
    while (!text.includes(part)) text += String((await once(socket, 'data'))[0]);
  };
  socket.write('vscode-kd-session 1\n{"machine":"DEV","user":"slow"}\n');
  await until('"welcome"');
  socket.write(encodeMessage({ jsonrpc: '2.0', id: 1, method: 'attach', params: { historyItems: 0 } }));
  await until('"id":1,');
  return socket;
}

function bounce(wire: Wire, request: number, answer: number): Promise<void> {
  return new Promise((resolve) => {
    let come = 0;
    const subscription = wire.data((bytes) => {
      come += bytes.length;
      if (come < answer) return;
      subscription.dispose();
      resolve();
    });
    wire.write(Buffer.alloc(request, '.')).catch(() => {});
  });
}

async function manyClients(folder: string, count: number, bytes: number): Promise<boolean> {
  print(`\n${count} clients, a command that prints ${bytes / 1e6} MB`);
  print('                               command   first has all   last has all   server grew');
  const without = await oneFlood(folder, count, bytes, false);
  const beside = await oneFlood(folder, count, bytes, true);
  return without && beside;
}

async function oneFlood(folder: string, count: number, bytes: number, withSlow: boolean): Promise<boolean> {
  const server = Child.start(join(folder, 'server.js'));
  const clients = Child.start(join(folder, 'clients.js'));
  let slow: Slow | undefined;
  try {
    const port = await server.ask<number>('port');
    await clients.ask('join', { port, count });
    if (withSlow) slow = new Slow(await rawClient(port));
    await clients.ask('expect', bytes);
    await server.ask('watchMemory');
    const [command, { seconds, error }] = await Promise.all([
      server.ask<number>('run', `flood ${bytes}`),
      clients.ask<{ seconds?: number[]; error?: string }>('finished'),
    ]);
    const grew = (await server.ask<number>('memory')) / 1e6;
    if (!seconds) throw new Error(error);
    const columns = [`${command.toFixed(1)} s`, `${Math.min(...seconds).toFixed(1)} s`];
    columns.push(`${Math.max(...seconds).toFixed(1)} s`, `${grew.toFixed(0)} MB`);
    const name = withSlow ? 'beside one that reads 1 KB/s' : 'all read';
    print(`  ${name.padEnd(28)}${columns.map((each, i) => each.padStart([8, 16, 15, 14][i] ?? 0)).join('')}`);
    const told = slow === undefined ? undefined : await slow.leftOut();
    if (slow) print(`  the slow one was told: ${told ?? 'nothing'}`);
    return grew < 64 && (slow === undefined || told !== undefined);
  } finally {
    slow?.close();
    server.stop();
    clients.stop();
  }
}

/** Reads 1 KB/s while it matters. */
class Slow {
  private readonly timer: NodeJS.Timeout;
  private text = '';

  constructor(private readonly socket: Socket) {
    socket.pause();
    this.timer = setInterval(() => this.take(1024), 1000);
  }

  /** Reads on at full speed; the line that says how much was left out. */
  leftOut(): Promise<string | undefined> {
    clearInterval(this.timer);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), 10_000);
      this.socket.on('data', (bytes) => {
        this.text = (this.text + bytes.toString()).slice(-200_000);
        const found = /\.\.\. \d+ lines left out[^"\\]*/.exec(this.text)?.[0];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      });
      this.socket.resume();
    });
  }

  close(): void {
    clearInterval(this.timer);
    this.socket.destroy();
  }

  private take(bytes: number): void {
    const chunk = this.socket.read(bytes) as Buffer | null;
    // A sign of life: it reads slowly, it is not dead.
    this.socket.write(encodeMessage({ jsonrpc: '2.0', method: 'alive', params: {} }));
    this.text += chunk?.toString() ?? '';
  }
}

async function timed(run: () => Promise<unknown>, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await run();
    times.push(performance.now() - started);
  }
  return times;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
