/** Points 28 to 33: reverse connections. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { servers } from './servers';
import { point } from './support/point';
import { nextPorts } from './support/ports';
import type { TransportName } from './support/transports';
import { settled, type Trial } from './support/trial';

const reverse: readonly TransportName[] = ['reverse', 'sslReverse'];

/** The transport's strings with another scheme: `server=` where a reverse connection has `clicon=`. */
const dialling = (client: string) => client.replace('clicon=', 'server=');
const withoutClicon = (server: string) => server.replace(/clicon=[^,]*,/, '');

/** A server of the other kind that waits for clients, on a port of its own. */
async function waitingServer(trial: Trial) {
  const door = await trial.door();
  return { ...door, server: withoutClicon(door.server) };
}

export const reversePoints = [
  point(28, 'either side may be first', reverse, async (trial) => {
    const { h, a } = await trial.session();
    await settled(a, h);
    const door = await trial.door();
    h.type(`.server ${door.server}\n`);
    await h.sees(/Connecting to 127\.0\.0\.1:\d+; the client must be waiting there/);
    const b = await trial.join(door);
    await settled(b, h, a);
  }),

  point(29, 'nobody else joins', reverse, async (trial) => {
    const { h, a, door } = await trial.session();
    const refused = await trial.client({ ...door, client: dialling(door.client) }).exit();
    assert.match(refused.stderr, /^vskd: [^\n]+\n$/);
    assert.equal(refused.code, 1);
    // Nobody calls this one, for as long as it waits.
    const waiting = await trial.client(door, { args: ['-timeout', '2'] }).exit();
    assert.match(waiting.stderr, /The session was not reached within 2 s/);
    assert.equal(waiting.code, 1);
    await settled(a, h);
  }),

  point(30, 'it is in no list', reverse, async (trial) => {
    const { h } = await trial.session();
    const { stdout, code } = await trial.runVskd(['-QR', 'localhost']);
    assert.deepEqual([stdout, code], ['No visible servers on localhost.\n', 0]);
    await settled(h);
  }),

  point(31, 'clicon at one side only does not join', reverse, async (trial) => {
    const plain = await waitingServer(trial);
    const h = await trial.host([plain.server]);
    const a = await trial.client(plain).exit();
    assert.match(a.stderr, /waits for clients; join it with Server= instead of CliCon=/);
    assert.equal(a.code, 1);
    const door = await trial.door();
    h.type(`.server ${door.server}\n`);
    await h.sees(/Connecting to/);
    const b = await trial.client({ ...door, client: dialling(door.client) }).exit();
    assert.match(b.stderr, /^vskd: [^\n]+\n$/);
    assert.equal(b.code, 1);
    await settled(h);
  }),

  point(32, 'the server does not dial again by itself', reverse, async (trial) => {
    const { h, a, door } = await trial.session();
    a.endInput();
    assert.equal((await a.exit()).code, 0);
    let list: string[];
    do list = await servers(h);
    while (list[0] !== '0 - <Disabled, exit pending>');
    assert.equal(list.length, 1);
    const again = await trial.join(door, {}, () => h.type(`.server ${door.server}\n`));
    await settled(again, h);
    assert.equal((await servers(h))[1], `1 - Debugger Server - ${door.shown}`);
  }),

  point(33, 'a client listens on a free port of a range', reverse, async (trial) => {
    const ports = await nextPorts(6);
    const [taken = 0, actual = 0] = ports;
    await occupy(trial, taken);
    const door = await trial.door();
    const at = (text: string, port: string) => text.replace(/port=\d+/, `port=${port}`);
    const client = trial.client({ ...door, client: at(door.client, `${taken}:${ports.at(-1)}`) });
    await client.complains(new RegExp(`is to call port ${actual};`));
    const h = await trial.host([at(door.server, String(actual))]);
    await client.sees(/ connected at /);
    await settled(client, h);
  }),
];

/** Keeps a port busy until the end of the trial. */
export async function occupy(trial: Trial, port: number): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  trial.onEnd(() => new Promise<void>((resolve) => server.close(() => resolve())));
}
