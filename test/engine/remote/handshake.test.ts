import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import { UserError } from '../../../src/engine/base/errors';
import { AttemptLimiter } from '../../../src/engine/remote/attempts';
import { clientHandshake, serverHandshake } from '../../../src/engine/remote/handshake';
import { PasswordVerifier, resolvePassword } from '../../../src/engine/remote/password';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import { anyPort, at, closeAll, dial, host, joinAs, stranger } from './support/hosted';

afterEach(closeAll);

const identity = { machine: 'DEV', user: 'ann' };
const doorOpen = { delay: () => 0, proved: () => {}, hasRoom: () => true };

/** Both ends of a handshake over memory; gives what each end came to, and all bytes that crossed. */
async function shake(
  serverPassword?: string,
  clientPassword?: string,
  versions: { client?: number; server?: number } = {},
) {
  const [near, far] = memoryWirePair();
  const crossed: Uint8Array[] = [];
  const spy = (wire: typeof near) => ({
    ...wire,
    data: wire.data,
    closed: wire.closed,
    close: () => wire.close(),
    write: (bytes: Uint8Array) => {
      crossed.push(bytes.slice());
      return wire.write(bytes);
    },
  });
  const verifier = serverPassword === undefined ? undefined : await PasswordVerifier.create(serverPassword);
  const signal = AbortSignal.timeout(5000);
  const [server, client] = await Promise.allSettled([
    serverHandshake(spy(far), { verifier, signal, version: versions.server, ...doorOpen }),
    clientHandshake(spy(near), {
      where: 'H:1',
      identity,
      password: clientPassword,
      version: versions.client,
    }),
  ]);
  const text = Buffer.concat(crossed).toString('latin1');
  return {
    server: server.status,
    client: client.status === 'rejected' ? String(client.reason.message) : 'joined',
    text,
  };
}

describe('passwords', () => {
  it('admits who knows it, and nothing of it crosses the wire', async () => {
    const result = await shake('Secret12', 'Secret12');
    expect(result).toMatchObject({ server: 'fulfilled', client: 'joined' });
    expect(result.text).not.toContain('Secret12');
    expect((await shake('Secret12', 'Secret12')).text).not.toBe(result.text);
  });

  it.each([
    ['wrong', 'Secret12', 'Secret13'],
    ['of wrong case', 'Secret12', 'secret12'],
    ['missing', 'Secret12', undefined],
  ])('refuses one that is %s, without saying which', async (_what, server, client) => {
    expect(await shake(server, client)).toMatchObject({
      server: 'rejected',
      client: 'Error 0x80004005: H:1 refuses the connection; the password is missing or wrong.',
    });
  });

  it('does not trust a server that asks for none', async () => {
    expect((await shake(undefined, 'Secret12')).client).toContain('cannot prove to be the server you mean');
    expect((await shake()).client).toBe('joined');
  });

  it('come from the string, a file, the environment or the user', async () => {
    const path = joinPath(tmpdir(), `kd-password-${process.pid}`);
    const long = 'pässwörd with spaces, and more';
    await writeFile(path, `${long}\nsecond line\n`);
    expect(await resolvePassword(undefined)).toBeUndefined();
    expect(await resolvePassword('abc')).toBe('abc');
    expect(await resolvePassword(`@${path}`)).toBe(long);
    expect(await resolvePassword('@env:PW', { environment: { PW: long } })).toBe(long);
    expect(await resolvePassword('*', { ask: async () => 'typed' })).toBe('typed');
    await expect(resolvePassword('*')).rejects.toThrow("'Password=*' stands for the password");
    await expect(resolvePassword('@/no/such')).rejects.toThrow("The password file '/no/such' cannot be read");
    await expect(resolvePassword('@env:NONE')).rejects.toThrow("environment variable 'NONE' is empty");
    const environment = { PW: 'x'.repeat(129) };
    await expect(resolvePassword('@env:PW', { environment })).rejects.toThrow('longer than 128 characters');
  });

  it('are tried ever more slowly from one address', () => {
    let now = 1_000_000;
    const limiter = new AttemptLimiter(() => now);
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 9; i++) {
      const wait = limiter.begin('10.0.0.1');
      waits.push(wait);
      now += wait ?? 0;
    }
    expect(waits).toEqual([0, 250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
    expect(limiter.begin('10.0.0.2')).toBe(0);
    for (let i = 0; i < 20; i++) limiter.begin('2001:db8:1:2::' + i.toString(16));
    expect(limiter.begin('2001:db8:1:2:ffff::1')).toBeUndefined();
    limiter.succeeded('10.0.0.1');
    expect(limiter.begin('10.0.0.1')).toBe(0);
    for (let i = 0; i < 5000; i++) limiter.begin(`h${i}`);
    expect(limiter.begin('2001:db8:1:2::1')).toBe(0);
  });

  it('are refused unseen after many wrong ones over TCP, and the session goes on', async () => {
    const { port, host: h } = await host(`${anyPort},password=Secret12`);
    await expect(joinAs('eve', at(port))).rejects.toThrow('Error 0x80004005');
    await expect(joinAs('eve', `${at(port)},password=secret12`)).rejects.toThrow('Error 0x80004005');
    expect(await h.run('.echo alive')).toBe(true);
    await joinAs('ann', `${at(port)},password=Secret12`);
  });
});

describe('version check', () => {
  it.each([
    [1, 2],
    [2, 1],
  ])('names both versions: client %d, server %d', async (client, server) => {
    expect(await shake(undefined, undefined, { client, server })).toMatchObject({
      server: 'rejected',
      client:
        'The client is not using same version of remoting protocol as the server ' +
        `(client: ${client}, server: ${server}).`,
    });
  });
});

describe('joining what is no server of ours', () => {
  it('names an HTTP server', async () => {
    const server = createHttpServer((_request, response) => response.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(joinAs('ann', at(port))).rejects.toThrow(
      `What listens at 127.0.0.1:${port} is no debugging server of this kind (it says 'HTTP/1.1 400 Bad Request').`,
    );
    server.close();
  });

  it('names an SSH server, binary noise, silence and a closed door', async () => {
    const ssh = await stranger((socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'));
    await expect(joinAs('ann', at(ssh))).rejects.toThrow("(it says 'SSH-2.0-OpenSSH_9.6')");
    const noise = await stranger((socket) => socket.write(Buffer.from([0x16, 0x03, 0x1b, 0x5b])));
    await expect(joinAs('ann', at(noise))).rejects.toThrow("(it says '...[')");
    const shut = await stranger((socket) => socket.end());
    await expect(joinAs('ann', at(shut))).rejects.toThrow('closed the connection at once');
    const [near] = memoryWirePair();
    const options = { where: 'H:1', identity, password: undefined, greetingTime: 50 };
    await expect(clientHandshake(near, options)).rejects.toThrow('H:1 does not greet within 0.05 s');
  });

  it('can be given up', async () => {
    const silent = await stranger(() => {});
    const controller = new AbortController();
    const joining = joinAs('ann', at(silent), { signal: controller.signal });
    controller.abort(new UserError('enough'));
    await expect(joining).rejects.toThrow(/enough|Cancelled/);
  });

  it('says so in one line whatever the server sends', async () => {
    const first = fc.constantFrom('vscode-kd-session 1 open\n', 'vscode-kd-session 1 password\n', '');
    await fc.assert(
      fc.asyncProperty(first, fc.uint8Array({ maxLength: 300 }), async (greeting, noise) => {
        const [near, far] = memoryWirePair();
        const joining = clientHandshake(near, { where: 'H:1', identity, password: undefined });
        await far.write(Buffer.concat([Buffer.from(greeting), noise])).catch(() => {});
        far.close();
        const error: unknown = await joining.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(UserError);
        expect((error as Error).message).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 200 },
    );
  });
});

describe('strangers at the door', () => {
  it('are turned away, and harm nobody', async () => {
    const { port, host: h } = await host(anyPort, { handshakeTime: 300 });
    const http = await dial(port);
    http.write('GET / HTTP/1.1\r\n\r\n');
    const flood = await dial(port);
    flood.write(Buffer.alloc(1 << 20, 0x41));
    const long = await dial(port);
    long.write(`vscode-kd-session 1\n{"machine":"${'x'.repeat(100_000)}`);
    const silent = await dial(port);
    const half = await dial(port);
    half.write('vscode-kd-session 1\n{"machine":');
    for (const socket of [http, flood, long, silent, half]) {
      socket.resume();
      if (!socket.closed) await once(socket, 'close');
    }
    expect(await h.run('.echo alive')).toBe(true);
    expect(h.client.state.clients).toHaveLength(1);
  });

  it('are at most 64, and members still talk', async () => {
    const { port } = await host(anyPort);
    const a = await joinAs('ann', at(port));
    const sockets = await Promise.all(Array.from({ length: 64 }, () => dial(port)));
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    await expect(joinAs('bob', at(port))).rejects.toThrow('closed the connection at once');
    expect(await a.run('.echo alive')).toBe(true);
    const closed = sockets.map((socket) => once(socket, 'close'));
    for (const socket of sockets) socket.end();
    await Promise.all(closed);
    await joinAs('bob', at(port));
  });

  it('cannot steer terminals with their names', async () => {
    const { port, host: h } = await host(anyPort);
    const a = await joinAs('x\u001b[2J\n\\y', at(port));
    expect(a.client.info.identity).toMatch(/^DEV\\x\.\[2J \/y \(tcp 127\.0\.0\.1:\d+\)$/);
    await h.sees('[2J /y');
  });

  it('may send anything before the handshake is over', async () => {
    const first = fc.constantFrom(
      '',
      'vscode-kd-session 1\n',
      'vscode-kd-session 1\n{"machine":"m","login":"AAAA"}\n',
    );
    const verifier = await PasswordVerifier.create('pw');
    await fc.assert(
      fc.asyncProperty(first, fc.uint8Array({ maxLength: 300 }), async (start, noise) => {
        const [near, far] = memoryWirePair();
        near.data(() => {});
        const signal = AbortSignal.timeout(5000);
        const shaking = serverHandshake(far, { verifier, signal, ...doorOpen });
        await near.write(Buffer.concat([Buffer.from(start), noise])).catch(() => {});
        near.close();
        await expect(shaking).rejects.toThrow();
      }),
      { numRuns: 200 },
    );
  });
});

describe('a client', () => {
  it('that is killed is noticed and dropped', async () => {
    const { port, host: h } = await host(anyPort);
    const script = `
      const socket = require('net').connect(${port}, '127.0.0.1');
      const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'attach', params: {} });
      socket.write('vscode-kd-session 1\\n{"machine":"M","user":"victim"}\\n');
      socket.write('Content-Length: ' + call.length + '\\r\\n\\r\\n' + call);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
    const left = nextEvent<{ client: { identity: string } }>((listener) =>
      h.client.on('clientLeft', listener),
    );
    await h.sees('M\\victim');
    child.kill('SIGKILL');
    expect((await left).client.identity).toContain('M\\victim');
    expect(h.client.state.clients).toHaveLength(1);
  });

  it('that is half open is dropped by the heartbeat, and one that answers is not', async () => {
    const heartbeat = { interval: 30, limit: 200 };
    const { port, host: h } = await host(anyPort, { heartbeat });
    const a = await joinAs('ann', at(port), { heartbeat });
    const mute = await dial(port);
    const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'attach', params: {} });
    const left = nextEvent<{ client: { identity: string } }>((listener) =>
      h.client.on('clientLeft', listener),
    );
    mute.write('vscode-kd-session 1\n{"machine":"M","user":"mute"}\n');
    mute.write(`Content-Length: ${call.length}\r\n\r\n${call}`);
    await h.sees('M\\mute');
    expect((await left).client.identity).toContain('M\\mute');
    expect(await a.run('.echo alive')).toBe(true);
    expect(h.client.state.clients).toHaveLength(2);
  });

  it('learns that its server is gone', async () => {
    const silent = await stranger((socket) => {
      socket.write('vscode-kd-session 1 open\n{"welcome":true}\n');
      socket.once('data', () => {
        const answer = JSON.stringify({
          jsonrpc: '2.0',
          id: 0,
          result: {
            client: { id: 1, identity: 'x', remote: true, lastActive: 0 },
            banner: '',
            state: {},
            history: [],
          },
        });
        socket.write(`Content-Length: ${answer.length}\r\n\r\n${answer}`);
      });
    });
    const a = await joinAs('ann', at(silent), { heartbeat: { interval: 30, limit: 200 } });
    const pending = a.run('r');
    const reason = await nextEvent<Error | undefined>(a.client.closed);
    expect(reason?.message).toBe('no sign of life for 0.2 s.');
    await expect(pending).rejects.toThrow('no sign of life');
  });
});
