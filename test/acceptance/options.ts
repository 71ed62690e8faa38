/** Points 15 to 27: the options of server and client strings. */
import assert from 'node:assert/strict';
import { occupy } from './reverse';
import { servers } from './servers';
import { point } from './support/point';
import { nextPort, nextPorts } from './support/ports';
import { allTransports, type Door, listening, nextName, type TransportName } from './support/transports';
import { answer, settled, type Trial } from './support/trial';
import type { VskdProcess } from '../support/vskdProcess';

const sockets: readonly TransportName[] = ['tcp', 'tcp6', 'ssl'];
const pipes: readonly TransportName[] = ['npipe', 'spipe'];
const encrypted: readonly TransportName[] = ['ssl', 'spipe'];

async function refuses(h: VskdProcess, server: string, why: RegExp): Promise<void> {
  const before = await servers(h);
  const text = await answer(h, `.server ${server}`);
  assert.match(text, why);
  assert.doesNotMatch(text, /Server started/);
  assert.deepEqual(await servers(h), before);
}

async function accepts(h: VskdProcess, server: string): Promise<void> {
  assert.match(await answer(h, `.server ${server}`), /^Server started\./m);
}

export const optionPoints = [
  point(15, 'a range of ports takes the first free one', sockets, async (trial) => {
    const ports = await nextPorts(10);
    const [first = 0, second = 0, third = 0] = ports;
    await occupy(trial, first);
    await occupy(trial, second);
    const door = await trial.door();
    const at = (text: string, port: string) => text.replace(/port=\d+/i, (key) => key.slice(0, 5) + port);
    const h = await trial.host([at(door.server, `${first}:${ports.at(-1)}`)]);
    const shown = `Debugger Server - ${at(door.shown, `${third}:${ports.at(-1)}`)}`;
    assert.deepEqual(await servers(h), [`0 - ${shown}`]);
    const { stdout } = await trial.runVskd(['-QR', 'localhost']);
    assert.equal(stdout, `Servers on localhost:\n${shown}\n`);
    await settled(await trial.join({ ...door, client: at(door.client, String(third)) }), h);
  }),

  point(16, '%x and %d in a pipe name', pipes, async (trial) => {
    const door = await trial.door();
    const h = await trial.host([]);
    const hex = h.pid.toString(16);
    const named = (text: string, name: string) => text.replace(/pipe=.*/i, (key) => key.slice(0, 5) + name);
    const base = nextName();
    await accepts(h, named(door.server, `${base}_%x`));
    await accepts(h, named(door.server, `${base}_%d_%d`));
    const [first = '', second = ''] = await servers(h);
    assert.equal(first, `0 - Debugger Server - ${named(door.shown, `${base}_${hex}`)}`);
    assert.match(second, new RegExp(`Pipe=${base}_${h.pid}_\\d+$`));
    await settled(await trial.join({ ...door, client: named(door.client, `${base}_${hex}`) }), h);
  }),

  point(17, 'a pipe name in use is refused', pipes, async (trial) => {
    const door = await trial.door();
    const h = await trial.host([door.server]);
    await refuses(h, door.server, /Pipe name '\S+' is in use/);
    await refuses(await trial.host([]), door.server, /Pipe name '\S+' is in use/);
  }),

  point(18, 'spaces and quotation marks in a pipe name are refused', pipes, async (trial) => {
    const door = await trial.door();
    const h = await trial.host([]);
    for (const bad of [' b', '"', '"b"']) {
      await refuses(h, door.server + bad, /Pipe/);
    }
  }),

  point(19, 'a password of 13 characters is refused', allTransports, async (trial) => {
    const h = await trial.host([]);
    const door = await trial.door();
    await refuses(h, `${door.server},password=abcdefghijklm`, /Password.*1 to 12 letters and digits/s);
    assert.doesNotMatch(h.stdout, /abcdefghijklm/);
    await accepts(h, `${door.server},password=abcdefghijkl`);
  }),

  point(20, 'no or a wrong password is refused, with 0x80004005', allTransports, async (trial) => {
    const password = 'Secret12';
    const right = { string: `,password=${password}` };
    const { h, door } = await trial.session(right.string, {}, right);
    for (const string of ['', `,password=${password.toLowerCase()}`]) {
      const { client } = await stranger(trial, h, door, right.string, string);
      const { code, stderr } = await client.exit(30);
      assert.match(stderr, /Error 0x80004005/);
      assert.equal(code, 1);
    }
    await settled(h);
    if (trial.transport.single) await settled((await trial.byNewDoor(h, right.string, right)).client, h);
    else await settled(await trial.join(door, right), h);
  }),

  point(21, 'COM2 and 2 are one port', ['com'], async (trial) => {
    const h = await trial.host([]);
    const first = await answer(h, '.server com:port=2,baud=115200,channel=1');
    const second = await answer(h, '.server com:port=com2,baud=9600,channel=2');
    if (/Server started/.test(first)) {
      // There is such a port, and it is open already.
      assert.match(second, /Port 'com2' is open at 115200 baud already/);
      return;
    }
    const same = (text: string) => text.slice(0, text.indexOf('\n')).replace(/'(?:com)?2'/g, "'2'");
    assert.match(same(first), /ttyS1|COM2|'2' names no serial port/);
    assert.equal(same(second), same(first));
  }),

  point(22, 'channels go from 0 to 254', ['com'], async (trial) => {
    const { a, b } = await trial.cable();
    const h = await trial.host([]);
    const on = (port: string, channel: number) => `com:port=${port},baud=115200,channel=${channel}`;
    await refuses(h, on(a, 255), /Channel/);
    await refuses(h, on(a, -1), /Channel/);
    for (const channel of [0, 254]) {
      await accepts(h, on(a, channel));
      const client = await trial.join({ server: on(a, channel), shown: '', client: on(b, channel) });
      await settled(client, h);
    }
  }),

  point(23, 'two channels of one port serve two clients', ['com'], async (trial) => {
    const { h, a, door } = await trial.session();
    const b = await trial.another(h, door);
    await settled(a, h, b);
    await settled(b, h, a);
  }),

  point(24, 'proto and a certificate are needed', encrypted, async (trial) => {
    const door = await trial.door();
    const h = await trial.host([]);
    await refuses(h, door.server.replace(/proto=[^,]*,/, ''), /Proto/);
    await refuses(h, door.server.replace(/certuser=[^,]*,/, ''), /certificate/);
    await accepts(h, door.server);
    await settled(await trial.join(door), h);
  }),

  point(25, 'another proto, or none, does not join', encrypted, async (trial) => {
    const { h, a, door } = await trial.session();
    const plain = door.client.replace(/^ssl:.*?(?=server)/, 'tcp:').replace(/^spipe:.*?(?=server)/, 'npipe:');
    assert.match(plain, /^(tcp|npipe):server=/);
    for (const client of [door.client.replace('tls1', 'tls13'), plain]) {
      const { code, stderr } = await trial.client({ ...door, client }).exit();
      assert.match(stderr, /^vskd: [^\n]+\n$/);
      assert.equal(code, 1);
    }
    await settled(a, h);
  }),

  point(26, 'ipversion=6 and IcfEnable are accepted', ['tcp', 'npipe'], async (trial) => {
    const h = await trial.host([]);
    if (trial.transport.name === 'npipe') {
      const door = await trial.door(',IcfEnable');
      await accepts(h, door.server);
      await settled(await trial.join(door), h);
      return;
    }
    const port = await nextPort();
    const server = `tcp:port=${port},ipversion=6,IcfEnable`;
    await accepts(h, server);
    const door = { server, shown: '', client: `tcp:server=localhost,port=${port},ipversion=6` };
    await settled(await trial.join(door), h);
  }),

  point(27, 'hidden servers are in no list', listening, async (trial) => {
    const { h, a } = await trial.session(',hidden');
    const { stdout, code } = await trial.runVskd(['-QR', 'localhost']);
    assert.deepEqual([stdout, code], ['No visible servers on localhost.\n', 0]);
    await settled(a, h);
  }),
];

/** A client that should be refused, by the open server, or a new one where that takes only one. */
async function stranger(trial: Trial, h: VskdProcess, door: Door, server: string, string: string) {
  if (!trial.transport.single) return { client: trial.client(door, { string }) };
  const own = await trial.door(server);
  const open = () => answer(h, `.server ${own.server}`);
  if (!trial.transport.clientFirst) await open();
  const client = trial.client(own, { string });
  if (trial.transport.clientFirst) {
    await client.complains(/is to call port \d+/);
    await open();
  }
  return { client };
}
