/** What every transport promises at session level, over real sockets, pipes, TLS and pseudo-terminals. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import { devicePath } from '../../../src/engine/remote/channels/ports';
import { pipePath } from '../../../src/engine/remote/transports/pipeNames';
import { openSerial } from '../../../src/engine/wire/serial';
import { freePort } from '../../support/freePort';
import { openPtyPair } from '../../support/ptyPair';
import { temporaryFolder } from '../../support/temporary';
import { describeWith } from '../../support/tools';
import { newCertificate, ownConfiguration } from './support/certificates';
import { closeAll, host, joinAs, later } from './support/hosted';

/** A place for a server, new for each test. */
interface Place {
  /** After `.server`. */
  readonly server: string;
  /** After `-remote`. */
  readonly client: string;
  /** What a client is called, behind its name. */
  readonly peer: RegExp;
  /** Another place of the same kind that can be used beside it. */
  readonly beside: Omit<Place, 'beside' | 'dial'>;
  /** A bare connection to the server; undefined where connections are not bytes. */
  readonly dial?: () => Promise<Socket>;
}

/** Bytes of the big output, and whether several clients fit on one server. */
interface Kind {
  place(): Promise<Place>;
  readonly big: number;
  readonly several: boolean;
}

const pipes = () => `kd-${process.pid}-${Math.random().toString(36).slice(2)}`;

async function overTcp(scheme: string, options: string): Promise<Place> {
  const place = (port: number) => ({
    server: `${scheme}:${options}port=${port},bind=127.0.0.1`,
    client: `${scheme}:${options}port=${port},server=127.0.0.1`,
    peer: new RegExp(`\\(${scheme} 127\\.0\\.0\\.1:\\d+\\)$`),
  });
  const port = await freePort();
  return {
    ...place(port),
    beside: place(await freePort()),
    dial: () => dialled(connect({ host: '127.0.0.1', port })),
  };
}

async function overPipe(scheme: string, options: string): Promise<Place> {
  const place = (name: string) => ({
    server: `${scheme}:${options}pipe=${name}`,
    client: `${scheme}:${options}pipe=${name},server=localhost`,
    peer: new RegExp(`\\(${scheme} ${name}\\)$`),
  });
  const name = pipes();
  return {
    ...place(name),
    beside: place(pipes()),
    dial: async () => dialled(connect({ path: await pipePath(name) })),
  };
}

async function dialled(socket: Socket): Promise<Socket> {
  socket.on('error', () => {});
  later(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Strings with a certificate that is known by its thumbprint. */
async function withCertificate(over: (options: string) => Promise<Place>): Promise<Place> {
  await newCertificate('lab');
  return over('proto=tls,certuser=lab,');
}

const kinds: Record<string, Kind> = {
  tcp: { place: () => overTcp('tcp', ''), big: 10e6, several: true },
  npipe: { place: () => overPipe('npipe', ''), big: 10e6, several: true },
  ssl: { place: () => withCertificate((options) => overTcp('ssl', options)), big: 10e6, several: true },
  spipe: { place: () => withCertificate((options) => overPipe('spipe', options)), big: 10e6, several: true },
};

const com: Kind = {
  place: async () => {
    const pair = await openPtyPair(temporaryFolder());
    later(() => pair.close());
    const place = (channel: number) => ({
      server: `com:port=${pair.a},baud=115200,channel=${channel}`,
      client: `com:port=${pair.b},baud=115200,channel=${channel}`,
      peer: new RegExp(`\\(com ${pair.a} channel ${channel}\\)$`),
    });
    return { ...place(0), beside: place(254) };
  },
  big: 10e6,
  several: false,
};

beforeEach(() => {
  ownConfiguration();
  const before = process.env.XDG_RUNTIME_DIR;
  process.env.XDG_RUNTIME_DIR = temporaryFolder();
  later(() => {
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
  });
});
afterEach(closeAll);

function conforms(kind: Kind): void {
  it('joins with the line the server printed, and shares commands both ways', async () => {
    const { server, client, peer } = await kind.place();
    const { host: h } = await host(server, { hostName: 'localhost' });
    const printed = /^0: <debugger> -remote (.*)$/m.exec(h.text)?.[1] ?? '';
    const port = /port=([^,]*)/i;
    // The two ends of a line have different names; everything else is just what was printed.
    const line = printed.startsWith('com:') ? printed.replace(port, port.exec(client)![0]) : printed;
    const a = await joinAs('ann', line);
    expect(a.client.info.identity).toMatch(peer);
    await h.sees('DEV\\ann (');
    expect(await a.run('.echo from a')).toBe(true);
    await h.sees('\nfrom a\n');
    expect(await h.run('.echo from h')).toBe(true);
    await a.sees('\nfrom h\n');
  });

  it('asks for the password, and says when it is wrong', async () => {
    const { server, client } = await kind.place();
    const { host: h } = await host(`${server},password=Secret12`);
    for (const wrong of ['', ',password=secret12']) {
      await expect(joinAs('eve', client + wrong)).rejects.toThrow('Error 0x80004005');
    }
    const a = await joinAs('ann', `${client},password=Secret12`);
    expect(await a.run('r')).toBe(true);
    expect(h.text).not.toContain('Secret12');
  });

  it('carries 10 MB of output whole and in order', async () => {
    const { server, client } = await kind.place();
    const { host: h } = await host(server);
    const a = await joinAs('ann', client);
    const command = `spew ${Math.ceil(kind.big / 1024)}`;
    expect(await h.run(command)).toBe(true);
    const last = h.items.at(-1)!.seq;
    while (a.items.at(-1)!.seq < last) {
      await nextEvent((listener) => a.client.on('output', listener), undefined, AbortSignal.timeout(20_000));
    }
    const mine = a.text.slice(a.text.indexOf(`${command}\n`));
    expect(mine).toBe(h.text.slice(h.text.indexOf(`${command}\n`)));
    expect(mine.length).toBeGreaterThan(kind.big * 0.9);
    expect(await a.run('r')).toBe(true);
  });

  it('serves a second server of the session beside the first', async () => {
    const { server, client, beside } = await kind.place();
    const { host: h } = await host(server);
    expect(await h.run(`.server ${beside.server}`)).toBe(true);
    const a = await joinAs('ann', client);
    const b = await joinAs('bob', beside.client);
    expect(b.client.info.identity).toMatch(beside.peer);
    await a.run('.echo to all');
    await b.sees('\nto all\n');
    expect(await h.run('.endsrv 1')).toBe(true);
    expect(await b.run('.echo still here')).toBe(true);
    await a.sees('still here');
    await expect(joinAs('eve', beside.client)).rejects.toThrow(
      /Nothing listens|has a pipe|listens on channel/,
    );
  });

  it('refuses an address in use and starts no second server', async () => {
    const { server } = await kind.place();
    const { host: h, hosted } = await host(server);
    expect(await h.run(`.server ${server}`)).toBe(false);
    expect(h.text).toMatch(/is in use/);
    expect(hosted.servers.infos()).toHaveLength(1);
  });

  it('says that nobody is there', async () => {
    const { client } = await kind.place();
    const begin = Date.now();
    await expect(joinAs('ann', client)).rejects.toThrow(/Nothing listens|has a pipe|Nobody answers/);
    expect(Date.now() - begin).toBeLessThan(12_000);
  });

  it('tells the session when a client leaves, and clients when the session ends', async () => {
    const { server, client } = await kind.place();
    const { host: h, hosted } = await host(server);
    const a = await joinAs('ann', client);
    const left = nextEvent((listener) => h.client.on('clientLeft', listener));
    await a.client.leave();
    await left;
    const b = await joinAs('bob', client);
    const ended = nextEvent<Error | undefined>(b.client.closed);
    await hosted.dispose();
    expect(await ended).toBeUndefined();
  });
}

function boundsStrangers(kind: Kind): void {
  it('turns strangers away who send too much, nothing, half or nonsense', async () => {
    const { server, client, dial } = await kind.place();
    const { host: h } = await host(server, { handshakeTime: 500 });
    const strangers = await Promise.all(Array.from({ length: 4 }, () => dial!()));
    const [flood, nonsense, half] = strangers;
    flood!.write(Buffer.alloc(1 << 20, 0x41));
    nonsense!.write('GET / HTTP/1.1\r\n\r\n');
    half!.write(Buffer.from([0x16, 0x03]));
    for (const socket of strangers) {
      socket.resume();
      if (!socket.closed) await once(socket, 'close');
    }
    expect(h.client.state.clients).toHaveLength(1);
    expect(await (await joinAs('ann', client)).run('r')).toBe(true);
  });

  it('has at most 64 of them at the door', async () => {
    const { server, client, dial } = await kind.place();
    const { host: h } = await host(server);
    const a = await joinAs('ann', client);
    const sockets = await Promise.all(Array.from({ length: 64 }, () => dial!()));
    await expect(joinAs('bob', client)).rejects.toThrow();
    expect(await a.run('.echo alive')).toBe(true);
    const closed = sockets.map((socket) => once(socket.resume(), 'close'));
    for (const socket of sockets) socket.end();
    await Promise.all(closed);
    await joinAs('bob', client);
    await h.sees('DEV\\bob');
  });

  it('notices a connection that breaks off', async () => {
    const { server, client } = await kind.place();
    const heartbeat = { interval: 50, limit: 400 };
    const { host: h } = await host(server, { heartbeat });
    const a = await joinAs('ann', client, { heartbeat });
    const b = await joinAs('bob', client, { heartbeat });
    const left = nextEvent((listener) => h.client.on('clientLeft', listener));
    a.client.close();
    await left;
    expect(await b.run('.echo on')).toBe(true);
    expect(h.client.state.clients).toHaveLength(2);
  });
}

for (const [name, kind] of Object.entries(kinds)) {
  describe(`transport: ${name}`, () => {
    conforms(kind);
    boundsStrangers(kind);
  });
}

describeWith('socat', 'transport: com', () => {
  conforms(com);

  it('takes one client per channel, and drops one that never says hello', async () => {
    const { server, client } = await com.place();
    const { host: h } = await host(server, { handshakeTime: 300 });
    const a = await joinAs('ann', client);
    await expect(joinAs('bob', client)).rejects.toThrow(/Channel 0 of .* is in use by another client/);
    expect(await a.run('r')).toBe(true);
    const left = nextEvent((listener) => h.client.on('clientLeft', listener));
    await a.client.leave();
    await left;
    await joinAs('bob', client);
  });

  it('shares one line with clients of other servers, at one rate', async () => {
    const { server, client, beside } = await com.place();
    const first = await host(server);
    const second = await host(beside.server);
    const [a, b] = await Promise.all([joinAs('ann', client), joinAs('bob', beside.client)]);
    await Promise.all([a.run('.echo one'), b.run('.echo two')]);
    expect(first.host.text).toContain('\none\n');
    expect(first.host.text).not.toContain('\ntwo\n');
    expect(second.host.text).toContain('\ntwo\n');
    expect(
      await first.host.run(`.server ${server.replace('115200', '9600').replace('channel=0', 'channel=3')}`),
    ).toBe(false);
    expect(first.host.text).toContain('is open at 115200 baud already');
  });

  it('is a port like any other to those who want all of it', async () => {
    const { server } = await com.place();
    await host(server);
    const path = devicePath(/port=([^,]*)/.exec(server)![1]!);
    await expect(openSerial({ path, baudRate: 115200 })).rejects.toThrow('is in use by another program');
  });
});
