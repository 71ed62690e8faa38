/** Sessions of the built program: with pipes, on a terminal, and several of them over tcp. */
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary';
import { describeWith } from '../support/tools';
import { pipeTarget } from './support/pipeTarget';
import { freePort, runVskd, vskd, vskdOnTerminal, type Vskd } from './support/vskd';

const started = /Server started\. {2}Client can connect with any of these command lines\r?\n/;
const identity = /[^\s\\]+\\\S+ \(tcp \S+:\d+\)/.source;

describe('with piped input', () => {
  it('breaks in, prints prompt, command and output, and exits with 0 on q', async () => {
    const { connection } = await pipeTarget();
    const { code, stdout, stderr } = await runVskd(['-k', connection], 'r\nk\nq\n.echo too late\n');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^vscode-kd Kernel Debugger Version/);
    expect(stdout).toMatch(/\n0: kd> r\nrax=[0-9a-f]{16} rbx=/);
    expect(stdout).toMatch(/\n0: kd> k\n/);
    expect(stdout).toMatch(/\n0: kd> q\n/);
    expect(stdout).not.toContain('too late');
    expect(code).toBe(0);
  });

  it('ends as with q at the end of the input', async () => {
    const { connection } = await pipeTarget();
    const { code, stdout } = await runVskd(['-k', connection], '.echo last');
    expect(stdout).toMatch(/\n0: kd> \.echo last\nlast\n/);
    expect(code).toBe(0);
  });

  it('runs -c, then the file of -cf, then the input, and writes the log', async () => {
    const { connection } = await pipeTarget();
    const folder = temporaryFolder();
    const log = join(folder, 'kd.log');
    writeFileSync(join(folder, 'start.txt'), '.echo two\n\n.echo three\n');
    const args = ['-k', connection, '-logo', log, '-c', '.echo one', '-cf', join(folder, 'start.txt')];
    const { code, stdout } = await runVskd(args, '.echo four\nq\n');
    expect(code).toBe(0);
    const echoes = [...stdout.matchAll(/^(one|two|three|four)$/gm)].map(([word]) => word);
    expect(echoes).toEqual(['one', 'two', 'three', 'four']);
    expect(readFileSync(log, 'utf8')).toBe(stdout);
  });

  it('says what it waits for and can be ended meanwhile', async () => {
    const { connection } = await pipeTarget(false);
    const kd = vskd(['-k', connection]);
    kd.type('r\n');
    await kd.complains(/^vskd: waiting: .+ \(Ctrl\+C ends this\)\.\n/);
    kd.signal('SIGINT');
    expect(await kd.exit()).toMatchObject({ code: 130 });
  });

  it('gives up after -timeout', async () => {
    const { connection } = await pipeTarget(false);
    const { code, stderr } = await runVskd(['-k', connection, '-timeout', '1'], 'r\n');
    expect(stderr).toMatch(/^vskd: The target did not stop within 1 s: [^\n]+\n$/);
    expect(code).toBe(1);
  });

  it('cleans up and tells the signal by its exit code', async () => {
    const { connection } = await pipeTarget();
    const host = vskd(['-server', 'tcp:port=0', '-k', connection, '-b']);
    await host.sees(started);
    host.signal('SIGTERM');
    expect(await host.exit()).toMatchObject({ code: 143, stderr: '' });
  });

  it('stops when nobody reads its output any more', async () => {
    const { connection } = await pipeTarget();
    const kd = vskd(['-k', connection]);
    await kd.sees(/Version/);
    kd.stopReading();
    kd.type('r\nr\nr\n');
    expect(await kd.exit()).toMatchObject({ code: 0, stderr: '' });
  });
});

describeWith(['python3', 'stty'], 'on a terminal', () => {
  it('shows a prompt, runs commands and leaves with q', async () => {
    const { connection } = await pipeTarget();
    const kd = vskdOnTerminal(['-k', connection, '-b']);
    await kd.sees(/0: kd> /);
    kd.type('r\r');
    await kd.sees(/rax=[^>]+0: kd> /);
    kd.type('t\r');
    await kd.sees(/0: kd> /);
    kd.type('q\r');
    expect((await kd.exit()).code).toBe(0);
  });

  it('breaks in with Ctrl+C, also when something has been typed meanwhile', async () => {
    const { connection } = await pipeTarget();
    const kd = vskdOnTerminal(['-k', connection, '-b']);
    await kd.sees(/0: kd> /);
    kd.type('g\r');
    kd.type('.echo it runs\r');
    await kd.sees(/^it runs\r*\n/m);
    kd.type('r');
    await kd.sees(/\*BUSY\* .*r/);
    kd.type('\r');
    await kd.sees(/the command waits until it stops/);
    kd.type('\x03');
    await kd.sees(/rip=/);
    await kd.sees(/0: kd> /);
    kd.type('\x02\r');
    expect((await kd.exit()).code).toBe(0);
  });

  it('runs the file of -cfr again when the target was lost and is back', async () => {
    const target = await pipeTarget();
    const file = join(temporaryFolder(), 'start.txt');
    writeFileSync(file, '.echo the file\n');
    const kd = vskdOnTerminal(['-k', target.connection, '-b', '-cfr', file]);
    await kd.sees(/^the file\r*\n/m);
    await target.switchOff();
    await kd.sees(/Waiting to reconnect/);
    kd.type('\x03');
    await kd.sees(/will be stopped/);
    await target.switchOn();
    await kd.sees(/^the file\r*\n/m);
    kd.type('\x02\r');
    expect((await kd.exit()).code).toBe(0);
  });

  it('leaves with Ctrl+C twice while the target cannot be reached', async () => {
    const { connection } = await pipeTarget(false);
    const kd = vskdOnTerminal(['-k', connection]);
    await kd.sees(/Version/);
    kd.type('\x03');
    await kd.sees(/Ctrl\+C once more leaves/);
    kd.type('\x03');
    expect((await kd.exit()).code).toBe(0);
  });

  it('uses colours unless told not to', async () => {
    const { connection } = await pipeTarget();
    const colored = vskdOnTerminal(['-k', connection, '-b']);
    await colored.sees(/\x1b\[32m.+established.+\x1b\[0m/);
    const plain = vskdOnTerminal(['-k', connection, '-b'], { NO_COLOR: '1' });
    await plain.sees(/kd> /);
    expect(plain.stdout).not.toMatch(/\x1b\[3\dm/);
  });

  it('asks for a password that the string leaves open', async () => {
    const { port } = await hosted(',password=Secret');
    const client = vskdOnTerminal(['-remote', `tcp:Port=${port},Password=*,Server=localhost`]);
    await client.sees(/Password: /);
    client.type('Secret\r');
    await client.sees(/connected at/);
    expect(client.stdout).not.toContain('Secret');
    client.type('\x02\r');
    expect((await client.exit()).code).toBe(0);
  });
});

describe('two in one session', () => {
  it('shares commands with their author, leaves and ends', async () => {
    const { host, port } = await hosted();
    const client = joining(port);
    await host.sees(new RegExp(`${identity} connected at `));
    host.type('.echo from the host\n');
    await host.sees(/^0: kd> \.echo from the host\nfrom the host\n/m);
    await client.sees(/^0: kd> \.echo from the host\nfrom the host\n/m);
    client.type('.echo from the client\n');
    await client.sees(/^0: kd> \.echo from the client\nfrom the client\n/m);
    await host.sees(new RegExp(`\\[${identity}\\] 0: kd> \\.echo from the client\\nfrom the client\\n`));
    client.endInput();
    expect(await client.exit()).toMatchObject({ code: 0, stderr: '' });

    const second = joining(port);
    await second.sees(/^from the client$/m);
    second.type('qq\n');
    expect((await second.exit()).code).toBe(0);
    expect((await host.exit()).code).toBe(0);
  });

  it('does not stop the target of others unless told to', async () => {
    const { host, port } = await hosted();
    host.type('g\n');
    await host.sees(/0: kd> g\n/);
    const remote = ['-remote', `tcp:Port=${port},Server=localhost`];
    expect((await runVskd(remote, '.echo quiet\n')).stdout).toMatch(/^quiet$/m);
    const breaker = await runVskd([...remote, '-bonc'], 'r\n');
    expect(breaker.stdout).toMatch(/kd> r\nrax=/);
    await host.sees(/kd> r\nrax=/);
    host.type('q\n');
    expect((await host.exit()).code).toBe(0);
  });

  it('says that the password is wrong', async () => {
    const { port } = await hosted(',password=Secret');
    const wrong = await runVskd(['-remote', `tcp:port=${port},server=localhost,password=secret`]);
    expect(wrong.stderr).toMatch(/^vskd: [^\n]*0x80004005[^\n]*\n$/);
    expect(wrong.code).toBe(1);
    const right = await runVskd(
      ['-remote', `tcp:port=${port},server=localhost,password=Secret`],
      '.echo in\n',
    );
    expect(right.stdout).toMatch(/^in$/m);
    expect(right.code).toBe(0);
  });

  it('says that the session was lost', async () => {
    const { host, port } = await hosted();
    const client = joining(port);
    await client.sees(/connected at/);
    host.signal('SIGKILL');
    const { code, stderr } = await client.exit();
    expect(stderr).toMatch(/^vskd: The session was lost: [^\n]+\n$/);
    expect(code).toBe(1);
  });

  it('serves clients alone with -noio', async () => {
    const { connection } = await pipeTarget();
    const port = await freePort();
    const log = join(temporaryFolder(), 'kd.log');
    const host = vskd(['-server', `tcp:port=${port}`, '-k', connection, '-b', '-noio', '-logo', log]);
    host.type('.echo nobody listens\n');
    const client = await joined(port);
    client.type('r\nqq\n');
    expect((await client.exit()).code).toBe(0);
    expect(await host.exit()).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(log, 'utf8')).toMatch(/kd> r\nrax=/);
    expect(readFileSync(log, 'utf8')).not.toContain('nobody listens');
  });
});

/** A session with a debugging server that has said how to join it. */
async function hosted(serverOptions = ''): Promise<{ host: Vskd; port: number }> {
  const { connection } = await pipeTarget();
  const port = await freePort();
  const host = vskd(['-server', `tcp:port=${port}${serverOptions}`, '-k', connection]);
  await host.sees(started);
  await host.sees(new RegExp(`0: <debugger> -remote tcp:Port=${port},.*Server=${hostname()}\\n`));
  return { host, port };
}

function joining(port: number): Vskd {
  return vskd(['-remote', `tcp:Port=${port},Server=localhost`]);
}

/** A client of a host that tells nobody when it is ready: the first that gets in. */
async function joined(port: number): Promise<Vskd> {
  for (let tries = 0; tries < 40; tries++) {
    const client = joining(port);
    const inside = await client.sees(/connected at/).then(
      () => true,
      () => false,
    );
    if (inside) return client;
  }
  throw new Error('the host never opened its server');
}
