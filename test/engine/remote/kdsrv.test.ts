import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { registeredServers } from '../../../src/engine/remote/discovery/registry';
import { listServers } from '../../../src/engine/remote/discovery';
import { hostSession } from '../../../src/engine/remote/host';
import { startKdServer, type KdServer, type KdServerOptions } from '../../../src/engine/remote/kdsrv';
import { Watcher } from '../session/support/harness';
import { pipeTarget } from '../../cli/support/pipeTarget';
import { ownRuntimeFolder } from '../../support/runtimeFolder';
import { temporaryFolder } from '../../support/temporary';
import { openPtyPair } from '../../support/ptyPair';
import { describeWith } from '../../support/tools';
import { newCertificate, ownConfiguration } from './support/certificates';
import { anyPort, at, closeAll, dial, host, joinAs, later, stranger } from './support/hosted';

afterEach(closeAll);

const password = 'password=Secret12';

async function lend(
  options: Partial<KdServerOptions> = {},
): Promise<KdServer & { log: string[]; port: number }> {
  ownRuntimeFolder();
  const log: string[] = [];
  const server = await startKdServer({
    server: `${anyPort},${password}`,
    log: (line) => log.push(line),
    ...options,
  });
  later(() => server.dispose());
  return { ...server, log, port: Number(/Port=(\d+)/.exec(server.clientString)?.[1] ?? 0) };
}

const through = (port: number, trans: string, secret = `,${password}`) =>
  `kdsrv:server=@{${at(port)}${secret}},trans=@{${trans}}`;

async function debug(kernel: string): Promise<Watcher> {
  const hosted = await hostSession({
    kernel,
    initialBreak: true,
    identity: { machine: 'DESK', user: 'ann' },
  });
  later(() => hosted.dispose());
  return new Watcher(hosted.client);
}

const failure = (kernel: string) =>
  hostSession({ kernel }).then(
    () => 'opened',
    (error: Error) => error.message,
  );

describe('a KD connection server', () => {
  it('lends a pipe of its machine, and takes the link back when the debugger leaves', async () => {
    const target = await pipeTarget();
    const lab = await lend();
    expect(lab.text).toBe(
      'KD connection server started.  Debuggers can connect with this command line\n' +
        `<debugger> -k kdsrv:server=@{tcp:Port=${lab.port},Password=*,Server=127.0.0.1},` +
        'trans=@{com:port=COM1,baud=115200}\n',
    );
    const link = target.connection.slice(target.connection.indexOf('com:'));
    const desk = await debug(through(lab.port, link));
    await expect.poll(() => desk.client.state.targetState, { timeout: 10_000 }).toBe('stopped');
    expect(await desk.run('r rip')).toBe(true);
    expect(lab.log[0]).toMatch(/^DESK\\ann \(tcp 127\.0\.0\.1:\d+\) uses pipe '.*'\.$/);
    expect(await failure(through(lab.port, link.replace(',reconnect', '')))).toMatch(
      /^pipe '.*' is in use by DESK\\ann \(tcp 127\.0\.0\.1:\d+\)\.$/,
    );
    await closeAll();
    expect(lab.log.at(-1)).toMatch(/^DESK\\ann \(.*\) has left pipe '.*'/);
  });

  it('is reached again after the network or its machine failed', async () => {
    const target = await pipeTarget();
    const lab = await lend();
    const link = target.connection.slice(target.connection.indexOf('com:'));
    const desk = await debug(through(lab.port, link));
    const state = () => desk.client.state.targetState;
    await expect.poll(state, { timeout: 10_000 }).toBe('stopped');
    await lab.dispose();
    await expect.poll(state, { timeout: 10_000 }).not.toBe('stopped');
    const again = await startKdServer({ server: `tcp:port=${lab.port},bind=127.0.0.1,${password}` });
    later(() => again.dispose());
    const detail = () => desk.client.state.detail;
    await expect
      .poll(detail, { timeout: 10_000 })
      .toMatch(/^Opened com:pipe.* through 127.0.0.1:\d+; waiting/);
    await desk.client.request('breakIn', {});
    await expect.poll(state, { timeout: 10_000 }).toBe('stopped');
    // And when the target is switched off and on behind it.
    await target.switchOff();
    await expect.poll(state, { timeout: 10_000 }).toBe('connecting');
    await expect.poll(detail).toContain('Waiting to reconnect... (There is no pipe');
    await target.switchOn();
    await expect.poll(detail, { timeout: 10_000 }).toContain('; waiting for the target.');
    await desk.client.request('breakIn', {});
    await expect.poll(state, { timeout: 10_000 }).toBe('stopped');
  });

  it('has a demo machine for each who asks', async () => {
    const lab = await lend({ server: anyPort });
    expect(lab.text).toContain('Warning: this server asks for no password');
    const desks = await Promise.all([
      debug(through(lab.port, 'demo:', '')),
      debug(through(lab.port, 'demo:', '')),
    ]);
    for (const desk of desks) {
      await expect.poll(() => desk.client.state.targetState, { timeout: 20_000 }).toBe('stopped');
      expect(await desk.run('r rip')).toBe(true);
    }
  });

  it('encrypts like a debugging server, and its certificate is looked at in the same way', async () => {
    ownConfiguration();
    await newCertificate();
    const lab = await lend({ server: `ssl:proto=tls,certuser=lab,port=0,bind=127.0.0.1,${password}` });
    const address = `port=${lab.port},server=127.0.0.1,${password}`;
    const desk = await debug(`kdsrv:server=@{ssl:proto=tls,certuser=lab,${address}},trans=@{demo:}`);
    await expect.poll(() => desk.client.state.targetState, { timeout: 20_000 }).toBe('stopped');
    expect(desk.text).toContain(`The certificate of 127.0.0.1:${lab.port} is new here`);
    expect(await failure(`kdsrv:server=@{tcp:${address}},trans=@{demo:}`)).toContain(
      'use ssl: instead of tcp:',
    );
    const plain = await lend();
    const wrong = `ssl:proto=tls,certuser=lab,port=${plain.port},server=127.0.0.1,${password}`;
    expect(await failure(`kdsrv:server=@{${wrong}},trans=@{demo:}`)).toContain('use tcp: instead of ssl:');
  });

  it('is listed as what it is, unless it is hidden', async () => {
    const lab = await lend();
    expect(await listServers('localhost')).toBe(
      `Servers on localhost:\nRemote Kernel Debugger Server - tcp:Port=${lab.port},Password=*\n`,
    );
    await lab.dispose();
    expect(await registeredServers()).toEqual([]);
    await lend({ server: `${anyPort},hidden` });
    expect(await registeredServers()).toEqual([]);
  });

  it('refuses who does not know the password, and what is no target link', async () => {
    const lab = await lend();
    expect(await failure(through(lab.port, 'demo:', ''))).toContain('Error 0x80004005');
    expect(await failure(through(lab.port, 'demo:', ',password=wrong'))).toContain('Error 0x80004005');
    expect(await failure(through(lab.port, 'com:port=/dev/watchdog'))).toBe(
      "'/dev/watchdog' has no name of a serial port; the KD connection server lends it only when started with -allow.",
    );
    expect(await failure(through(lab.port, 'com:port=/dev/tty/../watchdog'))).toContain(
      'no name of a serial port',
    );
    expect(await failure(through(lab.port, 'com:pipe,port=/etc/passwd'))).toContain("'/etc/passwd'");
    expect(await failure('kdsrv:server=@{tcp:clicon=a,port=1},trans=@{demo:}')).toContain(
      "'CliCon' does not go",
    );
    expect(await failure('kdsrv:server=@{tcp:port=1},trans=@{demo:}')).toContain(
      'The name of the server is missing',
    );
    expect(lab.log.every((line) => /was refused: /.test(line))).toBe(true);
  });

  it('opens nothing but serial ports for who has proved nothing', async () => {
    const lab = await lend({ server: anyPort });
    const port = await stranger(() => {});
    for (const trans of [`com:ipport=${port},port=127.0.0.1`, 'com:pipe,port=/run/docker.sock']) {
      expect(await failure(through(lab.port, trans, ''))).toContain(
        'only with a password (password= in its string) or when started with -allow.',
      );
    }
  });

  it('lends only what -allow names, when it names something', async () => {
    const target = await pipeTarget();
    const link = target.connection.slice(target.connection.indexOf('com:'));
    const lab = await lend({ server: anyPort, allowed: [link] });
    const desk = await debug(through(lab.port, link, ''));
    await expect.poll(() => desk.client.state.targetState, { timeout: 10_000 }).toBe('stopped');
    expect(await failure(through(lab.port, 'demo:', ''))).toContain(
      'was started with -allow, and not for the demo',
    );
    await expect(startKdServer({ server: anyPort, allowed: ['net:port=50000,key=1.2.3.4'] })).rejects.toThrow(
      'not net',
    );
  });

  it('and a debugging server are told apart', async () => {
    const lab = await lend({ server: anyPort });
    await expect(joinAs('ann', at(lab.port))).rejects.toThrow(
      `127.0.0.1:${lab.port} is a KD connection server; use it with -k kdsrv:`,
    );
    const h = await host(anyPort);
    expect(await failure(through(h.port, 'demo:', ''))).toBe(
      `127.0.0.1:${h.port} is a debugging server; join its session with -remote instead of -k kdsrv:.`,
    );
  });

  it('takes only what it understands at its start', async () => {
    for (const [server, text] of [
      ['tcp:port=5,clicon=a', "'CliCon' does not go with a KD connection server"],
      ['tcp:port=5,password=a,observer=b', "'Observer' does not go"],
      ['tcp:port=5,trust=full', "'Trust' does not go"],
      ['udp:port=5', 'Unknown transport'],
    ] as const) {
      await expect(startKdServer({ server })).rejects.toThrow(text);
    }
  });

  it('is not harmed by peers that talk nonsense, or stop talking', async () => {
    const lab = await lend({ server: anyPort, heartbeat: { interval: 50, limit: 300 } });
    const greeting = 'vscode-kd-session 1\n{"machine":"DESK","user":"eve"}\n';
    const says = async (text: string | Buffer) => {
      const socket = await dial(lab.port);
      const got: Buffer[] = [];
      socket.on('data', (bytes: Buffer) => got.push(bytes));
      const closed = once(socket, 'close');
      socket.write(greeting);
      socket.write(text);
      await closed;
      return Buffer.concat(got).toString('latin1');
    };
    const version = /session (\d+)/.exec(await says('{}\n'))?.[1];
    expect(version).toBe('1');
    expect(await says('{"trans":5}\n')).toContain('it expects a target link (trans=)');
    expect(await says('nonsense\n')).toContain('"error"');
    expect(await says(`{"trans":"${'x'.repeat(100_000)}`)).toContain('"error"');
    expect(await says('{"trans":"kdsrv:server=@{tcp:server=a,port=1},trans=@{demo:}"}\n')).toContain(
      'not kdsrv',
    );
    const open = '{"trans":"demo:"}\n';
    // Nonsense in the frames, then silence in the middle of one.
    expect(await says(Buffer.concat([Buffer.from(open), Buffer.from([9, 0, 0])]))).toContain('"link"');
    expect(await says(Buffer.concat([Buffer.from(open), Buffer.from([1, 255, 255, 0])]))).toContain('"link"');
    await expect.poll(() => lab.log.at(-1)).toContain('has left the demo machine: the debugger is silent.');
    const desk = await debug(through(lab.port, 'demo:', ''));
    await expect.poll(() => desk.client.state.targetState, { timeout: 20_000 }).toBe('stopped');
  });
});

describeWith('socat', 'a KD connection server with a serial port', () => {
  it('takes what the string leaves out from its environment', async () => {
    const pair = await openPtyPair(temporaryFolder());
    later(() => pair.close());
    const before = process.env._NT_DEBUG_PORT;
    process.env._NT_DEBUG_PORT = pair.a;
    later(() => {
      if (before === undefined) delete process.env._NT_DEBUG_PORT;
      else process.env._NT_DEBUG_PORT = before;
    });
    const lab = await lend({ allowed: ['com:'] });
    const hosted = await hostSession({ kernel: through(lab.port, 'com:') });
    later(() => hosted.dispose());
    expect(lab.log).toEqual([expect.stringContaining(`uses ${join(pair.a)} at 115200 baud.`)]);
    expect(await failure(through(lab.port, 'com:'))).toContain('is in use by');
  });
});
