/** The adapter as a program, over standard input and output and over a port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { frame } from '../../src/adapter/framing';
import { bundleAdapter, type AdapterBundle } from '../support/adapterBundle';
import { DapClient, spawnAdapter } from '../support/dapClient';

let bundle: AdapterBundle;
const started: ChildProcess[] = [];

beforeAll(async () => {
  bundle = await bundleAdapter();
});
afterAll(() => bundle.remove());
afterEach(() => {
  for (const process of started.splice(0)) process.kill('SIGKILL');
});

function adapter(): { client: DapClient; process: ChildProcess; exited: Promise<unknown[]> } {
  const spawned = spawnAdapter(bundle.program);
  started.push(spawned.process);
  return { ...spawned, exited: once(spawned.process, 'exit') };
}

/** A server on a free port of this machine that does what `greet` does to whoever connects. */
async function listen(greet: (socket: Socket) => void): Promise<{ port: number; close(): void }> {
  const server = createServer(greet).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

describe('the adapter on standard input and output', () => {
  it('answers, and ends when the client disconnects', async () => {
    const { client, exited } = adapter();
    expect(await client.request('initialize', { adapterID: 'kd' })).toMatchObject({
      supportsReadMemoryRequest: true,
    });
    await client.request('disconnect');
    expect(await exited).toEqual([0, null]);
  });

  it('ends when its input does, and on SIGTERM', async () => {
    const first = adapter();
    await first.client.request('initialize', {});
    first.process.stdin?.end();
    expect(await first.exited).toEqual([0, null]);
    const second = adapter();
    await second.client.request('initialize', {});
    second.process.kill('SIGTERM');
    expect(await second.exited).toEqual([0, null]);
  });

  it.each([
    ['launch', { target: 'con:port=1' }, /Unknown transport 'con'/],
    ['launch', { target: 'com:pipe,port=/nowhere/kd.sock' }, /\/nowhere\/kd\.sock/],
    ['launch', { target: 'demo:', server: 'tcp:prt=1' }, /Unknown option 'prt'/],
    ['launch', {}, /'target' is missing/],
    ['attach', { remote: 'tcp:Port=1,Server=127.0.0.1' }, /127\.0\.0\.1:1/],
    ['attach', { remote: 'tcp:Port=x,Server=127.0.0.1' }, /Port/],
  ])('%s %j fails with one line, and lets another try', async (request, args, message) => {
    const { client } = adapter();
    await client.request('initialize', {});
    const answer = await client.response(client.send(request, args));
    expect(answer.body.error).toMatchObject({ showUser: true });
    expect(answer.body.error.format).toMatch(message);
    expect(answer.body.error.format).not.toMatch(/\n|Internal error|\bat .*\.js/);
    await client.request('disconnect');
  });

  it('says that what listens is no debugging server', async () => {
    const web = await listen((socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const { client } = adapter();
    expect(await client.failure('attach', { remote: `tcp:Port=${web.port},Server=127.0.0.1` })).toContain(
      'no debugging server of this kind',
    );
    web.close();
  });

  it('does not die of anything that is sent to it', async () => {
    const { client, process } = adapter();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
      fc.jsonValue().map((value) => {
        const text = JSON.stringify(value);
        return Buffer.from(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
      }),
      fc
        .constantFrom('Content-Length: -1\r\n\r\n', 'Content-Length: 99999999999\r\n\r\n', '\r\n\r\n')
        .map(Buffer.from),
      fc
        .record({
          seq: fc.jsonValue(),
          type: fc.constant('request'),
          command: fc.jsonValue(),
          arguments: fc.jsonValue(),
        })
        .map((value) => {
          const text = JSON.stringify(value);
          return Buffer.from(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
        }),
    );
    fc.assert(
      fc.property(bytes, (each) => client.sendRaw(each)),
      { numRuns: 500 },
    );
    // Ends whatever frame the garbage began.
    client.sendRaw(Buffer.alloc(8192, '\n'));
    // A number that none of the garbage has.
    client.sendRaw(frame({ type: 'request', seq: 98765432, command: 'initialize' }));
    expect(await client.response(98765432)).toMatchObject({ success: true });
    expect(process.exitCode).toBeNull();
  });
});

describe('the adapter on a port', () => {
  it('serves each connection as a session of its own', async () => {
    const child = spawn(process.execPath, [bundle.program, '--server=0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    started.push(child);
    const [line] = (await once(child.stderr, 'data')) as [Buffer];
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1]);
    for (let i = 0; i < 2; i++) {
      const socket = connect(port, '127.0.0.1');
      const client = new DapClient(socket, socket);
      await client.request('initialize', {});
      const closed = once(socket, 'close');
      await client.request('disconnect');
      await closed;
    }
  });

  it('says how it is used', async () => {
    const child = spawn(process.execPath, [bundle.program, '--port=x'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    started.push(child);
    const [line] = (await once(child.stderr, 'data')) as [Buffer];
    expect(line.toString()).toBe('Usage: adapter.js [--server=PORT]\n');
    expect(await once(child, 'exit')).toEqual([1, null]);
  });
});
