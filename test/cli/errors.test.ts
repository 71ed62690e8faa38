/** What goes wrong is said in one line, within seconds, with the right exit code. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/temporary';
import { freePort, type Result, runVskd, vskd } from './support/vskd';

/** Exactly one line, about the right thing, and nothing that looks like a stack trace. */
function expectOneLine(result: Result, code: number, message: RegExp): void {
  expect(result.stderr).toMatch(/^vskd: [^\n]+\n$/);
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toMatch(/\n\s+at |Error:|Internal/);
  expect(result.code).toBe(code);
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('wrong options', () => {
  it.each([
    [['-nonsense'], /Unknown option '-nonsense'/],
    [[], /Nothing to debug/],
    [['-k', 'demo:', '-server', 'tcp:port=5005'], /'-server' must come first, before '-k'/],
    [['-remote', 'tcp:server=a,port=1', '-k', 'demo:'], /'-k' cannot be combined with '-remote'/],
    [['-k', 'demo:', '-logo', '/nonexistent/x.log'], /Cannot write the log file/],
    [['-k', 'demo:', '-cf', '/nonexistent/x.txt'], /Cannot read the command file/],
  ])('%j', async (args, message) => {
    expectOneLine(await runVskd(args), 2, message);
  });

  it('prints version and help', async () => {
    const version = await runVskd(['-version']);
    expect(version.stdout).toMatch(/^vscode-kd Kernel Debugger Version \d+\.\d+\.\d+\n$/);
    expect(version).toMatchObject({ code: 0, stderr: '' });
    const help = await runVskd(['-?']);
    expect(help.stdout).toMatch(/^Usage: vskd/);
    expect(help.code).toBe(0);
  });
});

describe('no session', () => {
  it.each([
    ['foo:bar=1', /[Uu]nknown.*'foo'/],
    ['com:port=COM1,bawd=1', /'bawd'/],
    ['net:port=50000,key=1.2.3.4', /not supported yet/],
  ])('refuses -k %s', async (connection, message) => {
    expectOneLine(await runVskd(['-k', connection]), 1, message);
  });

  it.each([
    ['foo:bar=1', /[Uu]nknown.*'foo'/],
    ['tcp:server=localhost', /Port=/],
  ])('refuses -remote %s', async (connection, message) => {
    expectOneLine(await runVskd(['-remote', connection]), 1, message);
  });

  it('says that a pipe is missing', async () => {
    const pipe = join(temporaryFolder(), 'nothing');
    expectOneLine(await runVskd(['-k', `com:pipe,port=${pipe}`]), 1, /nothing/);
  });

  it('says that a port is busy', async () => {
    const port = await listening(createServer());
    const result = await runVskd(['-server', `tcp:port=${port}`, '-k', 'demo:']);
    expectOneLine(result, 1, new RegExp(`${port}`));
  });

  it('says that nobody listens', async () => {
    const port = await freePort();
    const result = await runVskd(['-remote', `tcp:server=localhost,port=${port}`]);
    expectOneLine(result, 1, new RegExp(`${port}`));
  });

  it('says that a server is not one of ours', async () => {
    const http = createHttpServer((_request, response) => response.end('hello'));
    const port = await listening(http);
    expectOneLine(await runVskd(['-remote', `tcp:server=localhost,port=${port}`]), 1, /debugging server/);
  });

  it('gives up on a server that says nothing, when told to', async () => {
    const port = await listening(createServer());
    const result = await runVskd(['-remote', `tcp:server=localhost,port=${port}`, '-timeout', '1']);
    expectOneLine(result, 1, /not reached within 1 s/);
  });

  it('stops trying on SIGTERM', async () => {
    const server = createServer();
    const port = await listening(server);
    const client = vskd(['-remote', `tcp:server=localhost,port=${port}`]);
    await once(server, 'connection');
    client.signal('SIGTERM');
    expect(await client.exit()).toMatchObject({ code: 143, stderr: '' });
  });
});
