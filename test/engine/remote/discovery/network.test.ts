import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { announceServer, discoverServers, listServers } from '../../../../src/engine/remote/discovery';
import { announceOnNetwork, browseNetwork, judge } from '../../../../src/engine/remote/discovery/dnssd';
import { queryResponder, startResponder } from '../../../../src/engine/remote/discovery/responder';
import { freePort } from '../../../support/freePort';
import { ownRuntimeFolder } from '../../../support/runtimeFolder';

const debuggerServer = (port: number, advertise = true) => ({
  kind: 'debugger' as const,
  spec: `tcp:Port=${port}`,
  clientString: `tcp:Port=${port},Server=LAB`,
  advertise,
  port,
});

/** Something at `port` of loopback that says `text`. */
async function says(text: string | Buffer, end = true): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write(text);
    if (end) socket.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

describe('the responder', () => {
  it('tells the advertised servers while there is one, and only those', async () => {
    ownRuntimeFolder();
    const responderPort = await freePort();
    const network = { responderPort, multicast: { interface: '127.0.0.1', port: await freeUdpPort() } };
    const silent = await announceServer(debuggerServer(1, false), network);
    await expect(queryResponder('127.0.0.1', { port: responderPort })).rejects.toThrow(
      `127.0.0.1 does not tell its servers (port ${responderPort}); a server there needs the option 'advertise'.`,
    );
    const first = await announceServer(debuggerServer(2), network);
    const second = await announceServer(debuggerServer(3), network);
    const listed = await queryResponder('127.0.0.1', { port: responderPort });
    expect(listed.map(({ spec }) => spec).sort()).toEqual(['tcp:Port=2', 'tcp:Port=3']);
    // Of this machine all are told: the registry answers.
    expect(await listServers('localhost', undefined, network)).toContain('Debugger Server - tcp:Port=1\n');
    await first.dispose();
    expect(await queryResponder('127.0.0.1', { port: responderPort })).toEqual([
      { kind: 'debugger', spec: 'tcp:Port=3' },
    ]);
    await second.dispose();
    await silent.dispose();
    await expect(queryResponder('127.0.0.1', { port: responderPort })).rejects.toThrow('does not tell');
  });

  it('takes over when the process that had the port ends, and says when the port is not ours', async () => {
    ownRuntimeFolder();
    const port = await freePort();
    const first = await startResponder(port);
    const second = await startResponder(port);
    expect([...first.notices, ...second.notices]).toEqual([]);
    await first.dispose();
    await expect
      .poll(() => queryResponder('127.0.0.1', { port }).catch(() => 'none'), { timeout: 8000 })
      .toEqual([]);
    await second.dispose();
    const other = await says('HTTP/1.1 400 Bad Request\r\n\r\n');
    // Everywhere includes loopback only where the system says so.
    const third = await startResponder(other);
    if (third.notices.length > 0) expect(third.notices[0]).toContain(`until port ${other} is free here`);
    await third.dispose();
  });

  it('is not impressed by those who connect and say nothing, or a lot', async () => {
    ownRuntimeFolder();
    const port = await freePort();
    const responder = await startResponder(port);
    const sockets = Array.from({ length: 50 }, () => connect(port, '127.0.0.1'));
    const closed = sockets.map((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.on('connect', () => socket.write(Buffer.alloc(1 << 20)));
      return once(socket, 'close');
    });
    await Promise.all(closed);
    await expect
      .poll(() => queryResponder('127.0.0.1', { port }).catch(() => 'none'), { timeout: 4000 })
      .toEqual([]);
    await responder.dispose();
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n'],
    [''],
    ['vscode-kd-servers 2 0\n'],
    ['vscode-kd-servers 1 101\n'],
    ['vscode-kd-servers 1 999999999999\n'],
    ['vscode-kd-servers 1 1\nnonsense\n'],
    ['vscode-kd-servers 1 1\n{"kind":"x","spec":"y"}\n'],
    ['vscode-kd-servers 1 2\n{"kind":"debugger","spec":"y"}\n'],
    [`vscode-kd-servers 1 1\n{"kind":"debugger","spec":"${'x'.repeat(100_000)}"}\n`],
  ])('is not believed everything: %j', async (text) => {
    const port = await says(text);
    await expect(queryResponder('127.0.0.1', { port })).rejects.toThrow(
      `What answers at 127.0.0.1, port ${port}, is no list of servers.`,
    );
  });

  it('cannot steer the terminal of who asks', async () => {
    const port = await says('vscode-kd-servers 1 1\n{"kind":"debugger","spec":"\\u001b[2Jtcp:\\n"}\n');
    expect(await queryResponder('127.0.0.1', { port })).toEqual([{ kind: 'debugger', spec: '.[2Jtcp:' }]);
  });

  it('can be given up', async () => {
    const port = await says('', false);
    const stop = new AbortController();
    const asked = queryResponder('127.0.0.1', { port, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});

describe('DNS-SD', () => {
  const id = '0123456789abcdef';

  it('finds what is announced, through multicast on loopback', async () => {
    ownRuntimeFolder();
    const multicast = { interface: '127.0.0.1', port: await freeUdpPort() };
    const announced = await announceOnNetwork(
      { id, kind: 'debugger', spec: 'tcp:Port=5005,Password=*', host: 'LAB', port: 5005 },
      multicast,
    );
    const second = await announceOnNetwork(
      { id: 'fedcba9876543210', kind: 'kernel', spec: 'tcp:Port=5010', host: 'LAB', port: 5010 },
      multicast,
    );
    const [found] = await discoverServers({ timeout: 1500, multicast });
    expect(found?.label).toBe('LAB - tcp:Port=5005,Password=*');
    expect(found).toMatchObject({ host: 'LAB', origin: 'network' });
    expect(found?.clientString).toMatch(/^tcp:Port=5005,Password=\*,Server=\d+\.\d+\.\d+\.\d+$/);
    // One that ends takes no other with it.
    await second.dispose();
    const still = await discoverServers({ timeout: 1500, multicast });
    expect(still).toHaveLength(1);
    await announced.dispose();
  });

  it('lists a server of this machine once', async () => {
    ownRuntimeFolder();
    const multicast = { interface: '127.0.0.1', port: await freeUdpPort() };
    const announced = await announceServer(debuggerServer(7), { responderPort: await freePort(), multicast });
    expect(announced.notices).toEqual([]);
    const told: unknown[] = [];
    const found = await discoverServers({ timeout: 1000, multicast, found: (server) => told.push(server) });
    expect(found).toEqual([
      {
        label: `${hostname()} - tcp:Port=7`,
        clientString: 'tcp:Port=7,Server=LAB',
        host: hostname(),
        origin: 'machine',
      },
    ]);
    expect(told).toEqual(found);
    await announced.dispose();
  });

  it('outlives whatever is sent to it', async () => {
    const port = await freeUdpPort();
    const multicast = { interface: '127.0.0.1', port };
    const announced = await announceOnNetwork(
      { id, kind: 'debugger', spec: 'tcp:Port=5005', host: 'LAB', port: 5005 },
      multicast,
    );
    const found: string[] = [];
    const stop = new AbortController();
    const browsing = browseNetwork(({ spec }) => found.push(spec), stop.signal, multicast);
    const sender = createSocket('udp4');
    let seed = 1;
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.alloc((i * 37) % 9500);
      for (let k = 0; k < bytes.length; k++) bytes[k] = (seed = (seed * 1103515245 + 12345) >>> 0) >>> 24;
      // Half of them look like answers.
      if (i % 2 && bytes.length > 12) Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 9, 0, 0, 0, 9]).copy(bytes);
      await new Promise((resolve) => sender.send(bytes, port, '127.0.0.1', resolve));
    }
    sender.close();
    stop.abort();
    await browsing;
    await announced.dispose();
    expect(found.every((spec) => spec === 'tcp:Port=5005')).toBe(true);
  });

  it('judges what others say of themselves', () => {
    const referer = { address: '10.0.0.5', family: 'IPv4' as const, port: 5353, size: 100 };
    const txt = { id, kind: 'debugger', host: 'LAB', spec: 'tcp:Port=5005' };
    expect(judge({ txt, referer })?.clientString).toBe('tcp:Port=5005,Server=10.0.0.5');
    expect(judge({ txt: { ...txt, host: 'L\u202eAB\n' }, referer })?.host).toBe('L.AB');
    for (const bad of [
      { ...txt, id: '../../x' },
      { ...txt, kind: 'other' },
      { ...txt, spec: 'tcp:Port=5005,Server=evil' },
      { ...txt, spec: 'calc.exe' },
      { ...txt, spec: 'tcp:Port=5005\n-remote' },
      { ...txt, host: undefined },
      undefined,
    ]) {
      expect(judge({ txt: bad, referer })).toBeUndefined();
    }
    expect(judge({ txt, referer: undefined })).toBeUndefined();
  });

  it('does not announce what does not fit', async () => {
    const spec = `tcp:Port=5005,${'x'.repeat(300)}`;
    await expect(announceOnNetwork({ id, kind: 'debugger', spec, host: 'LAB', port: 5005 })).rejects.toThrow(
      'too long for DNS',
    );
  });
});
