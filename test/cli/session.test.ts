/** Sessions of the built program on the demo machine: with pipes, on a terminal, and two of them over tcp. */
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary';
import { describeWith } from '../support/tools';
import { freePort, runVskd, vskd, vskdOnTerminal } from './support/vskd';

const started = /Server started\. {2}Client can connect with any of these command lines\r?\n/;

describe('with piped input', () => {
  it('breaks in, prints prompt, command and output, and exits with 0 on q', async () => {
    const { code, stdout, stderr } = await runVskd(['-k', 'demo:'], 'r\nlm\nk\nq\n');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^vscode-kd Kernel Debugger Version/);
    expect(stdout).toMatch(/\n(\d+: )?kd> r\nrax=[0-9a-f]{16} rbx=/);
    expect(stdout).toMatch(/\n(\d+: )?kd> lm\nstart +end +module name\n/);
    expect(stdout).toMatch(/\n(\d+: )?kd> k\n(?: # )?Child-SP +RetAddr +Call Site\n/);
    expect(stdout).toMatch(/\n(\d+: )?kd> q\n/);
    expect(code).toBe(0);
  });

  it('ends as with q at the end of the input', async () => {
    const { code, stdout } = await runVskd(['-k', 'demo:'], '.echo last');
    expect(stdout).toMatch(/kd> \.echo last\nlast\n/);
    expect(code).toBe(0);
  });

  it('runs -c, then the file of -cf, then the input, and writes the log', async () => {
    const folder = temporaryFolder();
    const log = join(folder, 'kd.log');
    writeFileSync(join(folder, 'start.txt'), '.echo two\n\n.echo three\n');
    const args = ['-k', 'demo:', '-logo', log, '-c', '.echo one', '-cf', join(folder, 'start.txt')];
    const { code, stdout } = await runVskd(args, '.echo four\nq\n');
    expect(code).toBe(0);
    const echoes = [...stdout.matchAll(/^(one|two|three|four)$/gm)].map(([word]) => word);
    expect(echoes).toEqual(['one', 'two', 'three', 'four']);
    expect(readFileSync(log, 'utf8')).toBe(stdout);
  });

  it('cleans up and says so by its exit code when it is ended by a signal', async () => {
    const host = vskd(['-server', 'tcp:port=0', '-k', 'demo:', '-b']);
    await host.sees(started);
    host.signal('SIGTERM');
    expect(await host.exit()).toMatchObject({ code: 143, stderr: '' });
  });
});

describeWith(['python3', 'stty'], 'on a terminal', () => {
  it('shows a prompt; lm, r, u, k, t, g, Ctrl+C and q work', async () => {
    const kd = vskdOnTerminal(['-k', 'demo:', '-b']);
    await kd.sees(/kd> /, 30);
    for (const [command, answer] of [
      ['lm', /module name/],
      ['r', /rip=/],
      ['u', /[0-9a-f`]{17} +[0-9a-f]{2,}/],
      ['k', /Call Site/],
      ['t', /[0-9a-f`]{17} +[0-9a-f]{2,}/],
    ] as const) {
      kd.type(`${command}\r`);
      await kd.sees(answer);
      await kd.sees(/kd> /);
    }
    kd.type('g\r');
    await kd.sees(/g\r\n/);
    kd.type('\x03');
    await kd.sees(/Break instruction exception|kd> /);
    await kd.sees(/kd> /);
    kd.type('q\r');
    expect((await kd.exit()).code).toBe(0);
  });

  it('marks what is typed while the target runs and runs it after the stop', async () => {
    const kd = vskdOnTerminal(['-k', 'demo:', '-b']);
    await kd.sees(/kd> /, 30);
    kd.type('g\r');
    await kd.sees(/g\r\n/);
    kd.type('r');
    await kd.sees(/\*BUSY\* r/);
    kd.type('\r\x03');
    await kd.sees(/rip=/);
    kd.type('\x02\r');
    expect((await kd.exit()).code).toBe(0);
  });
});

describe('two in one session', () => {
  async function hosted(password = ''): Promise<{ host: ReturnType<typeof vskd>; port: number }> {
    const port = await freePort();
    const host = vskd(['-server', `tcp:port=${port}${password}`, '-k', 'demo:']);
    await host.sees(started);
    await host.sees(new RegExp(`0: <debugger> -remote tcp:Port=${port},.*Server=${hostname()}\\n`));
    return { host, port };
  }

  it('shares commands with their author, breaks in, leaves and ends', async () => {
    const { host, port } = await hosted();
    const client = vskd(['-remote', `tcp:Port=${port},Server=localhost`]);
    await host.sees(/.+\\.+ \(tcp .+:\d+\) connected at /);
    host.type('.echo from the host\n');
    await host.sees(/kd> \.echo from the host\nfrom the host\n/, 30);
    await client.sees(/\n(\d+: )?kd> \.echo from the host\nfrom the host\n/, 30);
    client.type('.echo from the client\n');
    await client.sees(/\n(\d+: )?kd> \.echo from the client\nfrom the client\n/);
    await host.sees(/\n\[.+\\.+ \(tcp .+:\d+\)\] (\d+: )?kd> \.echo from the client\nfrom the client\n/);
    client.endInput();
    expect(await client.exit()).toMatchObject({ code: 0, stderr: '' });

    const second = vskd(['-remote', `tcp:Port=${port},Server=localhost`]);
    await second.sees(/from the client/);
    second.type('qq\n');
    expect((await second.exit()).code).toBe(0);
    expect((await host.exit()).code).toBe(0);
  });

  it('does not stop the target of others unless told to', async () => {
    const { host, port } = await hosted();
    host.type('g\n');
    await host.sees(/kd> g\n/, 30);
    const args = ['-remote', `tcp:Port=${port},Server=localhost`];
    expect((await runVskd(args, '.echo quiet\n')).stdout).toMatch(/^quiet$/m);
    const breaker = await runVskd([...args, '-bonc'], 'r\n');
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
    const client = vskd(['-remote', `tcp:Port=${port},Server=localhost`]);
    await client.sees(/connected at/);
    host.signal('SIGKILL');
    const { code, stderr } = await client.exit();
    expect(stderr).toMatch(/^vskd: The session was lost: [^\n]+\n$/);
    expect(code).toBe(1);
  });

  it('serves clients alone with -noio', async () => {
    const port = await freePort();
    const log = join(temporaryFolder(), 'kd.log');
    const host = vskd(['-server', `tcp:port=${port}`, '-k', 'demo:', '-b', '-noio', '-logo', log]);
    const client = await reached(port);
    client.type('r\nqq\n');
    expect((await client.exit()).code).toBe(0);
    expect(await host.exit()).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(log, 'utf8')).toMatch(/kd> r\nrax=/);
  });

  /** A client of a host that tells nobody when it is ready. */
  async function reached(port: number): Promise<ReturnType<typeof vskd>> {
    for (let tries = 0; tries < 40; tries++) {
      const client = vskd(['-remote', `tcp:Port=${port},Server=localhost`]);
      const joined = await client.sees(/connected at/).then(
        () => true,
        () => false,
      );
      if (joined) return client;
    }
    throw new Error('the host never opened its server');
  }
});
