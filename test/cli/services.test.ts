import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary';
import { freePort, vskd, type Vskd } from './support/vskd';

/** Where servers of one test are registered. */
const own = () => ({ XDG_RUNTIME_DIR: temporaryFolder() });

async function list(host: string, environment: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await vskd(['-QR', host], environment).exit();
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

async function started(
  args: readonly string[],
  environment: Record<string, string>,
): Promise<[Vskd, string]> {
  const process = vskd(args, environment);
  return [process, /Port=(\d+)/.exec(await process.sees(/Port=\d+.*\n/))?.[1] ?? ''];
}

describe('vskd -QR', () => {
  it('lists the visible servers of this machine, each as what it is, as long as they live', async () => {
    const environment = own();
    const port = await freePort();
    expect(await list('localhost', environment)).toBe('No visible servers on localhost.\n');
    const lab = vskd(
      ['-server', `tcp:port=${port}`, '-server', 'tcp:port=0,hidden', '-k', 'demo:'],
      environment,
    );
    await lab.sees(/Client can connect[^]*1: <debugger>/);
    const [kd, kdPort] = await started(
      ['-kdsrv', 'tcp:port=0,bind=127.0.0.1,password=Secret12'],
      environment,
    );
    const lines =
      `Debugger Server - tcp:Port=${port}\n` +
      `Remote Kernel Debugger Server - tcp:Port=${kdPort},Password=*\n`;
    expect(await list('localhost', environment)).toBe(`Servers on localhost:\n${lines}`);
    expect(await list(`\\\\${hostname()}`, environment)).toBe(`Servers on \\\\${hostname()}:\n${lines}`);
    lab.signal('SIGKILL');
    await lab.exit().catch(() => {});
    expect(await list('127.0.0.42', environment)).not.toContain('Debugger Server - tcp:Port=' + port);
    kd.signal('SIGTERM');
    expect((await kd.exit()).code).toBe(143);
    expect(await list('localhost', environment)).toBe('No visible servers on localhost.\n');
  });

  it('says in one line why another machine cannot be asked', async () => {
    const { code, stdout, stderr } = await vskd(['-QR', 'no-such-machine.invalid']).exit();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^vskd: .*no-such-machine\.invalid.*\n$/);
  });
});

describe('vskd -repeater', () => {
  it('takes clients to a session, asks for nothing, and ends when they have left', async () => {
    const environment = { ...own(), LAB_PASSWORD: 'a long password, with spaces' };
    const [, port] = await started(
      ['-server', 'tcp:port=0,bind=127.0.0.1,password=@env:LAB_PASSWORD', '-k', 'demo:'],
      environment,
    );
    const [repeater, between] = await started(
      ['-repeater', '-s', 'tcp:port=0,bind=127.0.0.1', '-c', `tcp:port=${port},server=127.0.0.1`],
      environment,
    );
    expect(await list('localhost', environment)).not.toContain(between);
    const client = vskd(
      ['-remote', `tcp:port=${between},server=127.0.0.1,password=@env:LAB_PASSWORD`, '-c', '.clients'],
      environment,
    );
    await client.sees(new RegExp(`${hostname()}\\\\.* \\(tcp 127\\.0\\.0\\.1:\\d+\\)`));
    client.endInput();
    expect((await client.exit()).code).toBe(0);
    const { code, stdout } = await repeater.exit();
    expect(code).toBe(0);
    expect(stdout).toContain('The repeater ends, because a side has closed (-p keeps it).\n');
  });

  it('complains in one line', async () => {
    const { code, stderr } = await vskd(['-repeater', '-s', 'tcp:port=0', '-c', 'ssl:x']).exit();
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^vskd: Unknown option 'x'.*\n$/)]);
  });
});

describe('vskd -kdsrv', () => {
  it('lends the demo machine to a debugger, which comes back when it was gone', async () => {
    const environment = own();
    const [lab, port] = await started(['-kdsrv', 'tcp:port=0,bind=127.0.0.1,password=Secret12'], environment);
    const kernel = `kdsrv:server=@{tcp:port=${port},server=127.0.0.1,password=Secret12},trans=@{demo:}`;
    const desk = vskd(['-k', kernel, '-c', 'r rip'], environment);
    await desk.sees(/rip=/);
    expect(lab.stdout).toContain(' uses the demo machine.\n');
    expect(desk.stdout).not.toContain('Secret12');
    lab.signal('SIGKILL');
    await lab.exit().catch(() => {});
    await desk.sees(/Waiting to reconnect/);
    const again = vskd(['-kdsrv', `tcp:port=${port},bind=127.0.0.1,password=Secret12`], environment);
    await again.sees(/ uses the demo machine\.\n/);
    desk.signal('SIGINT');
    await desk.exit();
    await again.sees(/ has left the demo machine/);
  });

  it('is no session, and says so', async () => {
    const environment = own();
    const [, port] = await started(['-kdsrv', 'tcp:port=0,bind=127.0.0.1'], environment);
    const { code, stderr } = await vskd(['-remote', `tcp:port=${port},server=127.0.0.1`], environment).exit();
    expect(code).toBe(1);
    expect(stderr).toContain('is a KD connection server; use it with -k kdsrv:');
  });
});
