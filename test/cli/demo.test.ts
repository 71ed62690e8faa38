/** The procedure of the user guide, word for word, with the built program on the embedded demo machine. */
import { expect, it } from 'vitest';
import { describeWith } from '../support/tools';
import { freePort, runVskd, vskd, vskdOnTerminal } from './support/vskd';

const prompt = /(\d+: )?kd> /;

it('runs commands from a pipe and exits with 0', async () => {
  const { code, stdout, stderr } = await runVskd(['-k', 'demo:'], 'r\nlm\nk\nq\n', 60);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^vscode-kd Kernel Debugger Version/);
  expect(stdout).toMatch(/^(\d+: )?kd> r\nrax=[0-9a-f]{16} rbx=/m);
  expect(stdout).toMatch(/^(\d+: )?kd> lm\nstart +end +module name\n.+ nt +\(.+\n/m);
  expect(stdout).toMatch(/^(\d+: )?kd> k\n # Child-SP +RetAddr +Call Site\n00 .+ nt!/m);
  expect(stdout).toMatch(/^(\d+: )?kd> q\n/m);
  expect(code).toBe(0);
});

describeWith(['python3', 'stty'], 'on a terminal', () => {
  it('breaks in, opens a server, shows a prompt and lets a second terminal join', async () => {
    const port = await freePort();
    const host = vskdOnTerminal(['-server', `tcp:port=${port}`, '-k', 'demo:', '-b']);
    await host.sees(/Server started\. {2}Client can connect with any of these command lines\r*\n/);
    await host.sees(new RegExp(`^0: <debugger> -remote tcp:Port=${port},Server=\\S+\\r*\\n`, 'm'));
    await host.sees(prompt, 60);
    for (const [command, answer] of [
      ['lm', /module name/],
      ['r', /rip=/],
      ['u', /^[0-9a-f`]{17} [0-9a-f]{2,} /m],
      ['k', /Call Site/],
      ['t', /^[0-9a-f`]{17} [0-9a-f]{2,} /m],
    ] as const) {
      host.type(`${command}\r`);
      await host.sees(answer);
      await host.sees(prompt);
    }
    const client = vskdOnTerminal(['-remote', `tcp:Port=${port},Server=localhost`]);
    await host.sees(/\S+\\\S+ \(tcp \S+\) connected at /);
    await client.sees(/connected at [^]*kd> /);
    client.type('r\r');
    await host.sees(/\[\S+\\\S+ \(tcp \S+\)\] (\d+: )?kd> r/);
    await host.sees(/rip=/);
    await client.sees(/rip=/);

    host.type('g\r');
    host.type('.echo it runs\r');
    await client.sees(/^it runs\r*\n/m);
    host.type('\x03');
    await host.sees(/Break instruction exception[^]*kd> /);
    await client.sees(/Break instruction exception[^]*kd> /);

    client.type('\x02\r');
    expect((await client.exit()).code).toBe(0);
    host.type('q\r');
    expect((await host.exit()).code).toBe(0);
  });
});

it('takes .server at the prompt, as the procedure has it', async () => {
  const port = await freePort();
  const host = vskd(['-k', 'demo:']);
  host.type(`.server tcp:port=${port}\n`);
  await host.sees(/Server started\. {2}Client can connect with any of these command lines\n/, 60);
  await host.sees(new RegExp(`^0: <debugger> -remote tcp:Port=${port},Server=\\S+\\n`, 'm'));
  const joined = await runVskd(['-remote', `tcp:port=${port},server=localhost`], '.clients\nlm\n');
  expect(joined.stdout).toMatch(/^\S+\\\S+ \(tcp \S+\), last active /m);
  expect(joined.stdout).toMatch(/module name\n/);
  expect(joined.code).toBe(0);
  host.type('q\n');
  expect((await host.exit()).code).toBe(0);
});
