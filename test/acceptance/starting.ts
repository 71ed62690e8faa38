/** Points 1 to 10: starting servers, joining them, and what the command line refuses. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { parseClientString } from '../../src/engine/remote/sessionString';
import { inRoom, point } from './support/point';
import { nextPort } from './support/ports';
import { allTransports, listening, type Door } from './support/transports';
import { settled, type Trial } from './support/trial';

const started = 'Server started\\.  Client can connect with any of these command lines\\n';
/** A serial port has another name at each end, so its printed string is not the client's. */
const printable = listening.filter((name) => name !== 'com');

/** A host whose `.server` has printed what a client gives. */
async function printed(trial: Trial) {
  const h = await trial.host([]);
  const door = await trial.door();
  h.type(`.server ${door.server}\n`);
  const text = await h.sees(new RegExp(`^${started}0: <debugger> -remote .*\\n`, 'm'));
  const line = /^0: <debugger> -remote (.*)\n/m.exec(text)?.[1] ?? '';
  return { h, door, line };
}

/** `tcp:server=HOST,port=N` from `tcp:Port=N,Server=HOST`. */
function turned(client: string): string {
  const at = client.indexOf(':') + 1;
  const options = client.slice(at).split(',').reverse();
  return (
    client.slice(0, at) + options.map((each) => each.replace(/^[^=]+/, (key) => key.toLowerCase())).join(',')
  );
}

export const startingPoints = [
  point(1, '.server says how to connect', allTransports, async (trial) => {
    const { door, line } = await printed(trial);
    const reverse = trial.transport.clientFirst;
    const host = reverse || door.shown.startsWith('com:') ? '' : `,Server=${hostname()}`;
    const expected = reverse ? door.shown.replace(/CliCon=.*/, `CliCon=${hostname()}`) : door.shown;
    assert.equal(line, expected + host);
  }),

  point(2, 'a client joins with exactly the printed text', printable, async (trial) => {
    const { h, door, line } = await printed(trial);
    const a = await trial.join({ ...door, client: line });
    await settled(a, h);
  }),

  point(3, 'keys in lower case and any order', allTransports, async (trial) => {
    const door = await trial.door();
    assert.match(door.client, /server=|clicon=|com:/);
    const { h, a } = await trial.session('', {}, {}, { ...door, client: turned(door.client) });
    await settled(a, h);
    const big = await trial.door();
    const upper = big.client.replace(/(?<=[:,])[a-z]+(?==)/g, (key) => key.toUpperCase());
    const open = () => h.type(`.server ${big.server}\n`);
    if (!trial.transport.clientFirst) {
      open();
      await h.sees(/Client can connect/);
    }
    const b = await trial.join({ ...big, client: upper }, {}, trial.transport.clientFirst ? open : undefined);
    await settled(b, h);
  }),

  point(
    4,
    '\\\\ before the host, on the command line and in the dialog',
    allTransports.filter((name) => name !== 'com'),
    async (trial) => {
      const door = await trial.door();
      const client = door.client.replace(/((?:server|clicon)=)/, '$1\\\\');
      assert.notEqual(client, door.client);
      const { h, a } = await trial.session('', {}, {}, { ...door, client });
      await settled(a, h);
      // The dialog calls this function and tells the user when something was dropped; the dialog itself is tested in
      // the workbench.
      assert.equal(parseClientString(client).cleaned, true);
      assert.equal(parseClientString(door.client).cleaned, false);
    },
  ),

  // Connect to Remote Session reads what is pasted with the function that -remote uses, so the pasted forms are tried
  // there; the dialog itself is tested in the workbench.
  point(5, 'a pasted line joins', printable, async (trial) => {
    const { h, door, line } = await printed(trial);
    for (const pasted of [line, `0: <debugger> -remote ${line}`, `-remote "${line}"`]) {
      const parsed = parseClientString(pasted);
      assert.deepEqual(parsed.values, parseClientString(line).values, pasted);
      assert.equal(parsed.cleaned, pasted !== line, pasted);
    }
    const a = await trial.join({ ...door, client: `0: <debugger> -remote ${line}` });
    await settled(a, h);
  }),

  point(6, '-server opens a server without typing', allTransports, async (trial) => {
    const door = await trial.door();
    let h = trial.transport.clientFirst ? undefined : hostUntyped(trial, door);
    await h?.sees(new RegExp(`^${started}0: <debugger> -remote `, 'm'));
    const a = await trial.join(door, {}, h ? undefined : () => (h = hostUntyped(trial, door)));
    await settled(a);
    assert.match(a.stdout, new RegExp(`^${started}0: <debugger> -remote `, 'm'));
  }),

  point(7, '-server must be first', ['tcp'], async (trial) => {
    const port = await nextPort();
    for (const args of [
      ['-k', 'demo:', '-server', `tcp:port=${port}`],
      ['-v', '-remote', `tcp:port=${port},server=localhost`],
    ]) {
      const { code, stderr } = await trial.runVskd(args);
      assert.match(stderr, /^vskd: '-(?:server|remote)' must come first, before '-[kv]'\.\n$/);
      assert.equal(code, 2);
    }
  }),

  point(8, '-remote with -k, -z or -p is refused', ['tcp'], async (trial) => {
    const remote = ['-remote', `tcp:port=${await nextPort()},server=localhost`];
    for (const more of [
      ['-k', 'demo:'],
      ['-z', 'memory.dmp'],
      ['-p', '4'],
    ]) {
      const { code, stderr } = await trial.runVskd([...remote, ...more]);
      assert.match(stderr, new RegExp(`^vskd: '${more[0]}' [^\\n]+\\n$`));
      assert.equal(code, 2);
    }
  }),

  inRoom(9, '-remote with -n or -v is accepted', async ({ trial, door, h }) => {
    for (const args of [['-n', '-v'], ['-nv']]) {
      const c = await trial.another(h, door, { args });
      await settled(c, h);
      c.endInput();
      assert.equal((await c.exit()).code, 0);
    }
  }),

  point(10, '.server of a client opens the server at the host', allTransports, async (trial) => {
    const { h, a } = await trial.session();
    const { client: b } = await trial.byNewDoor(a);
    await h.sees(/^1: <debugger> -remote /m);
    a.endInput();
    assert.equal((await a.exit()).code, 0);
    await settled(b, h);
    h.type('.servers\n');
    await h.sees(/^1 - Debugger Server - /m);
  }),
];

function hostUntyped(trial: Trial, { server }: Door) {
  return trial.vskd(['-server', server, '-k', 'demo:']);
}
