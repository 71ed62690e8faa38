import { afterEach, describe, expect, it } from 'vitest';
import { startRepeater, type Repeater, type RepeaterOptions } from '../../../src/engine/remote/repeater';
import { registeredServers } from '../../../src/engine/remote/discovery/registry';
import { freePort } from '../../support/freePort';
import { ownRuntimeFolder } from '../../support/runtimeFolder';
import { openPtyPair } from '../../support/ptyPair';
import { temporaryFolder } from '../../support/temporary';
import { describeWhen, describeWith } from '../../support/tools';
import { anyPort, at, closeAll, dial, host, joinAs, later, portOf, stranger } from './support/hosted';

afterEach(closeAll);

async function repeater(
  options: RepeaterOptions,
): Promise<Repeater & { readonly log: string[]; port: number }> {
  const log: string[] = [];
  const started = await startRepeater({ ...options, log: (line) => log.push(line) });
  later(() => started.dispose());
  return { ...started, log, port: Number(/Port=(\d+)/.exec(started.clientString)?.[1] ?? 0) };
}

describe('a repeater', () => {
  it('takes clients to the server, passwords unseen, and names them as they name themselves', async () => {
    ownRuntimeFolder();
    const h = await host(`${anyPort},hidden,password=Secret12`);
    const r = await repeater({ server: anyPort, client: at(h.port), persistent: true });
    expect(r.text).toBe(
      `Repeater started, to 127.0.0.1:${h.port}.  Client can connect with this command line\n` +
        `<debugger> -remote tcp:Port=${r.port},Server=127.0.0.1\n`,
    );
    const a = await joinAs('ann', `${at(r.port)},password=Secret12`);
    const b = await joinAs('bob', `${at(r.port)},password=Secret12`);
    expect(await a.run('r')).toBe(true);
    await b.sees('r');
    await h.host.run('.clients');
    expect(h.host.text).toMatch(/^DEV\\ann \(tcp 127\.0\.0\.1:\d+\)/m);
    await expect(joinAs('eve', `${at(r.port)},password=wrong`)).rejects.toThrow('Error 0x80004005');
    expect(await b.run('r')).toBe(true);
    expect(await registeredServers()).toEqual([]);
    await h.hosted.dispose();
    await a.client.closed;
  });

  it('ends when a side has closed', async () => {
    const h = await host(anyPort);
    const r = await repeater({ server: anyPort, client: at(h.port) });
    const a = await joinAs('ann', at(r.port));
    expect(await a.run('r')).toBe(true);
    await a.client.leave();
    expect(await r.ended).toBeUndefined();
    expect(r.log.at(-1)).toBe('The repeater ends, because a side has closed (-p keeps it).');
    await expect(joinAs('bob', at(r.port))).rejects.toThrow('Nothing listens');
    expect(await h.host.run('r')).toBe(true);
  });

  it('ends with the reason when there is no server, but for -p', async () => {
    const none = await freePort();
    const once = await repeater({ server: anyPort, client: at(none) });
    const stays = await repeater({ server: anyPort, client: at(none), persistent: true });
    await expect(joinAs('ann', at(stays.port))).rejects.toThrow('closed the connection at once');
    await expect(joinAs('ann', at(stays.port))).rejects.toThrow('closed the connection at once');
    expect(stays.log.filter((line) => line.includes(`Nothing listens on 127.0.0.1:${none}`))).toHaveLength(2);
    await expect(joinAs('ann', at(once.port))).rejects.toThrow('closed the connection at once');
    expect(await once.ended).toContain(`Nothing listens on 127.0.0.1:${none}`);
  });

  it('works in a chain', async () => {
    const h = await host(anyPort);
    const first = await repeater({ server: anyPort, client: at(h.port) });
    const second = await repeater({ server: anyPort, client: at(first.port) });
    const a = await joinAs('ann', at(second.port));
    expect(await a.run('r')).toBe(true);
    await a.client.leave();
    await Promise.all([first.ended, second.ended]);
  });

  it('calls a client that waits, and is called by a server, when the strings say clicon', async () => {
    const h = await host();
    const [clientPort, serverPort] = [await freePort(), await freePort()];
    const r = await repeater({
      server: `tcp:port=${clientPort},clicon=127.0.0.1`,
      client: `tcp:port=${serverPort},clicon=127.0.0.1`,
    });
    await h.host.run(`.server tcp:port=${serverPort},clicon=127.0.0.1`);
    const a = await joinAs('ann', `tcp:port=${clientPort},clicon=127.0.0.1`);
    expect(await a.run('r')).toBe(true);
    await a.client.leave();
    expect(await r.ended).toBeUndefined();
  });

  it('refuses what makes no sense', async () => {
    const refusal = (server: string, client: string) =>
      startRepeater({ server, client }).then(
        () => 'started',
        (error: Error) => error.message,
      );
    expect(await refusal('tcp:port=0,password=Secret12', at(1))).toContain(
      "'Password' does not belong in the -s",
    );
    expect(await refusal('tcp:port=0', `${at(1)},password=Secret12`)).toContain('in the -c string');
    expect(await refusal('ssl:proto=tls1,certuser=x,port=0', at(1))).toContain('use tcp: in its strings');
    expect(await refusal('tcp:port=0', 'spipe:proto=tls1,certuser=x,pipe=a,server=b')).toContain(
      'use npipe:',
    );
    expect(await refusal('com:port=2,baud=9600,channel=1', 'com:port=COM2,baud=9600,channel=2')).toBe(
      'Both sides of a repeater cannot use the same serial port (COM2).',
    );
    expect(await refusal('tcp:port=0', 'tcp:port=1')).toContain('The name of the server is missing');
    expect(await refusal('bad', at(1))).toContain('has no transport');
    const h = await host(anyPort);
    expect(await refusal(`tcp:port=${h.port},bind=127.0.0.1`, at(1))).toContain(`Port ${h.port} is in use`);
  });

  it('relays bytes of any kind, and sends away who comes when it is full', async () => {
    const echo = await stranger((socket) => socket.pipe(socket));
    const r = await repeater({ server: anyPort, client: at(echo), persistent: true });
    const sockets = await Promise.all(Array.from({ length: 64 }, () => dial(r.port)));
    for (const socket of sockets) {
      const bytes = Buffer.from([0, 255, 10, 13, 26]);
      socket.write(bytes);
      const [back] = (await new Promise((resolve) => socket.once('data', (...got) => resolve(got)))) as [
        Buffer,
      ];
      expect(back).toEqual(bytes);
    }
    const late = await dial(r.port);
    await new Promise((resolve) => late.once('close', resolve).resume());
    expect(r.log.at(-1)).toContain('64 connections are open already');
  });

  it('ends everything when it is told to', async () => {
    const h = await host(anyPort);
    const stop = new AbortController();
    const r = await repeater({ server: anyPort, client: at(h.port), persistent: true, signal: stop.signal });
    const a = await joinAs('ann', at(r.port));
    const lost = new Promise((resolve) => a.client.closed(resolve));
    stop.abort();
    await lost;
    expect(await r.ended).toBeUndefined();
  });
});

describeWhen(process.platform !== 'win32', 'Unix-domain sockets', 'a repeater between transports', () => {
  it('shows the protocol of its own leg', async () => {
    ownRuntimeFolder();
    const h = await host('npipe:pipe=lab');
    const r = await repeater({ server: anyPort, client: 'npipe:pipe=lab,server=localhost' });
    const a = await joinAs('ann', at(r.port));
    await a.run('.clients');
    expect(a.text).toMatch(/^DEV\\ann \(npipe lab\)/m);
    expect(portOf(h.hosted)).toBe(0);
  });
});

describeWith('socat', 'a repeater on a serial line', () => {
  it('reaches a server by a channel, and is reached by one', async () => {
    const pair = await openPtyPair(temporaryFolder());
    later(() => pair.close());
    const serial = (port: string, channel: number) => `com:port=${port},baud=115200,channel=${channel}`;
    const h = await host(serial(pair.a, 7));
    const outward = await repeater({ server: anyPort, client: serial(pair.b, 7) });
    const a = await joinAs('ann', at(outward.port));
    expect(await a.run('r')).toBe(true);
    await h.host.run('.clients');
    expect(h.host.text).toContain(`DEV\\ann (com ${pair.a} channel 7)`);

    await h.host.run(`.server ${anyPort}`);
    const inward = await repeater({ server: serial(pair.a, 8), client: at(portOf(h.hosted, 1)) });
    const b = await joinAs('bob', serial(pair.b, 8));
    expect(await b.run('r')).toBe(true);
    await b.client.leave();
    await inward.ended;
    await a.client.leave();
    await outward.ended;
  });
});
