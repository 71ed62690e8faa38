/** Two vskd processes in one session over each transport, and what is left when one of them is killed. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPtyPair } from '../support/ptyPair';
import { temporaryFolder } from '../support/temporary';
import { describeWith } from '../support/tools';
import { freePort, vskd, type Vskd } from './support/vskd';

type Environment = Record<string, string>;

interface Place {
  readonly server: string;
  readonly client: string;
}

async function certificate(environment: Environment): Promise<string> {
  const made = await vskd(['-newcert', 'lab'], environment).exit();
  expect(made.code).toBe(0);
  return 'proto=tls,certuser=lab,';
}

async function tcp(scheme: string, options: string): Promise<Place> {
  const port = await freePort();
  return {
    server: `${scheme}:${options}port=${port},bind=127.0.0.1`,
    client: `${scheme}:${options}port=${port},server=127.0.0.1`,
  };
}

const pipe = (scheme: string, options: string): Promise<Place> =>
  Promise.resolve({
    server: `${scheme}:${options}pipe=kd-${process.pid}`,
    client: `${scheme}:${options}pipe=kd-${process.pid},server=localhost`,
  });

const places: Record<string, (environment: Environment) => Promise<Place>> = {
  tcp: () => tcp('tcp', ''),
  npipe: () => pipe('npipe', ''),
  ssl: async (environment) => tcp('ssl', await certificate(environment)),
  spipe: async (environment) => pipe('spipe', await certificate(environment)),
  com: async () => {
    const pair = await openPtyPair(temporaryFolder());
    onTestFinished(() => pair.close());
    return {
      server: `com:port=${pair.a},baud=115200,channel=7`,
      client: `com:port=${pair.b},baud=115200,channel=7`,
    };
  },
};

function folders(): Environment {
  return { XDG_CONFIG_HOME: temporaryFolder(), XDG_RUNTIME_DIR: temporaryFolder() };
}

function host(place: Place, environment: Environment): Vskd {
  return vskd(['-server', place.server, '-k', 'demo:', '-b'], environment);
}

function suite(name: string): void {
  it('goes on without a killed client, and takes the next one', async () => {
    const environment = folders();
    const place = await places[name]!(environment);
    const server = host(place, environment);
    await server.sees(/Client can connect/);
    const first = vskd(['-remote', place.client], environment);
    await server.sees(/\(.*\) connected at/, 30);
    first.type('.echo from the client\n');
    await server.sees(/\nfrom the client\n/);
    first.signal('SIGKILL');
    await first.exit();
    const second = vskd(['-remote', place.client], environment);
    await server.sees(/\(.*\) connected at/, 20);
    second.type('.clients\n');
    await second.sees(/\.clients\n(?:.*last active.*\n)+/, 20);
    second.endInput();
    await second.exit();
    server.endInput();
    expect((await server.exit(30)).code).toBe(0);
    // No socket is left.
    const left = join(environment.XDG_RUNTIME_DIR!, 'vscode-kd');
    if (name.endsWith('pipe'))
      expect(readdirSync(left).filter((file) => file.startsWith('pipe'))).toEqual([]);
  });

  it('tells the client when the server was killed, and the address can be used again', async () => {
    const environment = folders();
    const place = await places[name]!(environment);
    const server = host(place, environment);
    await server.sees(/Client can connect/);
    const client = vskd(['-remote', place.client], environment);
    await server.sees(/\(.*\) connected at/, 30);
    // The server knows of the client before the client has its answer.
    await client.sees(/Kernel Debugger Version/, 30);
    server.signal('SIGKILL');
    await server.exit();
    if (name !== 'com') await client.sees(/is lost|was lost|broke|gone|closed/, 20);
    client.signal('SIGKILL');
    await client.exit();
    const again = host(place, environment);
    await again.sees(/Client can connect/);
    again.endInput();
    expect((await again.exit(30)).code).toBe(0);
  });
}

describe.each(['tcp', 'npipe', 'ssl', 'spipe'])('vskd over %s', suite);
describeWith('socat', 'vskd over com', () => {
  suite('com');

  it('has two servers and two clients on one line', async () => {
    const environment = folders();
    const pair = await openPtyPair(temporaryFolder());
    onTestFinished(() => pair.close());
    const at = (port: string, channel: number) => `com:port=${port},baud=115200,channel=${channel}`;
    const servers = [1, 2].flatMap((channel) => ['-server', at(pair.a, channel)]);
    const server = vskd([...servers, '-k', 'demo:', '-b'], environment);
    await server.sees(/Channel=2\n/);
    const clients: Vskd[] = [];
    for (const channel of [1, 2]) {
      clients.push(vskd(['-remote', at(pair.b, channel)], environment));
      await server.sees(/\(com .*\) connected at/, 20);
    }
    for (const [index, client] of clients.entries()) {
      client.type(`.echo from ${index}\n`);
      for (const each of [server, ...clients]) await each.sees(new RegExp(`\\nfrom ${index}\\n`));
    }
    const busy = await vskd(['-remote', at(pair.b, 2)], environment).exit();
    expect(busy.stderr).toMatch(/Channel 2 of .* is in use by another client/);
    // The first one has the port itself; the other one comes back without it.
    for (const client of clients.reverse()) {
      client.endInput();
      await client.exit();
    }
    server.endInput();
    await server.exit(30);
  });
});
