/** Points 36 to 50: several people in one session. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VskdProcess } from '../support/vskdProcess';
import { inRoom, point } from './support/point';
import { prompt, type Room } from './support/room';
import { allTransports } from './support/transports';
import { answer, atPrompt, mark, settled, type Trial } from './support/trial';

const asctime = '\\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}';

async function leave(client: VskdProcess): Promise<void> {
  client.endInput();
  assert.equal((await client.exit()).code, 0);
}

/** `by` types a command; what each of three shows of it: its line, then the output. */
async function shown({ h, a, b }: Room, by: VskdProcess, command: string): Promise<Map<VskdProcess, string>> {
  const end = mark();
  by.type(`${command}\n.echo ${end}\n`);
  const all = await Promise.all(
    [h, a, b].map(async (each): Promise<[VskdProcess, string]> => {
      const text = await each.sees(new RegExp(`^${end}$`, 'm'));
      const lines = text.split('\n');
      const from = lines.findIndex((line) => line.endsWith(`kd> ${command}`));
      const to = lines.findIndex((line) => line.endsWith(`kd> .echo ${end}`));
      return [each, lines.slice(from, to).join('\n')];
    }),
  );
  return new Map(all);
}

/** A command that runs on the host's machine until `finish` is called. */
function longCommand(trial: Trial): { command: string; finish(): void } {
  const file = join(trial.folder, mark());
  writeFileSync(file, '');
  const script = join(trial.folder, `${mark()}.js`);
  writeFileSync(
    script,
    `const { existsSync } = require('node:fs');
     const look = () => existsSync(${JSON.stringify(file)}) ? setTimeout(look, 20) : console.log('long done');
     console.log('long begins');
     look();`,
  );
  return { command: `.shell "${process.execPath}" "${script}"`, finish: () => rmSync(file) };
}

export const sessionPoints = [
  inRoom(36, 'a join is announced', async ({ trial, door, h, b, identity }) => {
    const c = await trial.another(h, door);
    const line = new RegExp(`^${identity} connected at ${asctime}$`, 'm');
    await Promise.all([h.sees(line), b.sees(line)]);
    await leave(c);
  }),

  inRoom(37, 'who joins sees what was before', async ({ trial, door, h, a, b }) => {
    const before = mark();
    a.type(`.echo ${before}\n`);
    await Promise.all([h, a, b].map((each) => each.sees(new RegExp(`^${before}$`, 'm'))));
    const c = await trial.another(h, door);
    await settled(c);
    assert.match(c.stdout, /^vscode-kd Kernel Debugger Version/m);
    assert.match(c.stdout, new RegExp(`kd> \\.echo ${before}\\n${before}\\n`));
    await leave(c);
  }),

  inRoom(38, 'a command of a client has its author for the others', async (room) => {
    const { h, a, b, author } = room;
    const views = await shown(room, a, 'r');
    const own = views.get(a) ?? '';
    assert.match(own, new RegExp(`^${prompt}r\\nrax=[^]*rip=[^]*efl=`));
    const registers = own.slice(own.indexOf('\n'));
    for (const other of [h, b]) {
      const view = views.get(other) ?? '';
      assert.match(view, new RegExp(`^${author}r\\n`));
      assert.equal(view.slice(view.indexOf('\n')), registers);
    }
  }),

  inRoom(39, 'a command of the host has none', async (room) => {
    const views = await shown(room, room.h, 'r');
    assert.match(views.get(room.h) ?? '', new RegExp(`^${prompt}r\\nrax=`));
    assert.equal(new Set(views.values()).size, 1);
  }),

  inRoom(40, 'twenty commands of two at once', async ({ h, a, b }) => {
    const numbers = Array.from({ length: 10 }, (_, index) => index);
    const lines = (who: string) => numbers.map((n) => `.echo ${who}${n};r;.echo ${who}${n} end\n`).join('');
    const done = mark();
    a.type(`${lines('a')}.echo ${done}a\n`);
    b.type(`${lines('b')}.echo ${done}b\n`);
    const ends = new RegExp(`(?=[^]*^${done}a$)(?=[^]*^${done}b$)[^]*^${done}.$`, 'm');
    const texts = await Promise.all([h, a, b].map((each) => each.sees(ends)));
    const orders = texts.map((text) => {
      const blocks = text
        .split(/^(?:\[.*\] )?(?:\d+: )?kd> /m)
        .filter((block) => /^\.echo [ab]\d;/.test(block));
      return blocks.map((block) => {
        const [, name = ''] = /^\.echo (\w+);/.exec(block) ?? [];
        assert.match(block, new RegExp(`^.*\\n${name}\\nrax=[^]*efl=[^]*\\n${name} end\\n`));
        assert.equal(block.match(/^rax=/gm)?.length, 1);
        return name;
      });
    });
    const [order = []] = orders;
    for (const other of orders) assert.deepEqual(other, order);
    for (const who of ['a', 'b'])
      assert.deepEqual(
        order.filter((name) => name.startsWith(who)),
        numbers.map((n) => who + n),
      );
  }),

  inRoom(41, 'a command waits for the one that runs', async ({ trial, door, h, a }) => {
    const c = await trial.another(h, door, { terminal: true });
    await c.sees(atPrompt);
    const { command, finish } = longCommand(trial);
    h.type(`${command}\n`);
    await c.sees(/^long begins/m);
    const later = mark();
    c.type(`.echo ${later}`);
    await c.sees(/\*BUSY\* /);
    c.type('\r');
    a.type(`.wall now\n`);
    await h.sees(/now$/m);
    assert.doesNotMatch(h.stdout, new RegExp(`^${later}`, 'm'));
    finish();
    const rest = await h.sees(new RegExp(`^${later}$`, 'm'));
    assert.match(rest, /^long done$/m);
    c.type('\x02\r');
    assert.equal((await c.exit()).code, 0);
  }),

  inRoom(42, '.echo is for all, comments for nobody', async ({ h, a, b }) => {
    const said = mark();
    const secret = mark();
    a.type(`* ${secret}\n$$ ${secret}\n.echo ${said}\n`);
    const texts = await Promise.all([h, b].map((each) => each.sees(new RegExp(`^${said}$`, 'm'))));
    for (const text of texts) assert.doesNotMatch(text, new RegExp(secret));
    await a.sees(new RegExp(`^${said}$`, 'm'));
  }),

  inRoom(43, '.clients lists everybody', async ({ h, a, identity }) => {
    for (const each of [h, a]) {
      const text = await answer(each, '.clients');
      const line = (who: string) => new RegExp(`^${who}, last active ${asctime}$`, 'gm');
      assert.equal(text.match(line(identity))?.length, 2, text);
      assert.equal(text.match(line('[^\\s\\\\]+\\\\\\S+'))?.length, 1, text);
    }
  }),

  inRoom(44, 'a client lets the target go and breaks in', async ({ trial, door, h, b, author }) => {
    const c = await trial.another(h, door, { terminal: true });
    await c.sees(atPrompt);
    c.type('g\r');
    await Promise.all([h, b].map((each) => each.sees(new RegExp(`^${author}g$`, 'm'))));
    await untilRuns(h);
    c.type('\x03');
    await Promise.all([h, b].map((each) => each.sees(/^Break instruction exception/m)));
    await c.sees(atPrompt);
    c.type('\x02\r');
    assert.equal((await c.exit()).code, 0);
  }),

  inRoom(45, 'breakpoints belong to the session', async ({ h, a, b }) => {
    a.type('bp nt!KeSetEvent\n');
    await h.sees(/kd> bp nt!KeSetEvent$/m);
    assert.match(await answer(b, 'bl'), /^ *0 e .*nt!KeSetEvent/m);
    await answer(h, 'bc *');
    assert.doesNotMatch(await answer(a, 'bl'), /KeSetEvent/);
  }),

  inRoom(46, '.sympath of a client is the host’s', async ({ h, a }) => {
    const path = `/symbols/${mark()}`;
    assert.match(await answer(a, `.sympath ${path}`), new RegExp(path));
    assert.match(await answer(h, '.sympath'), new RegExp(`^Symbol search path is: ${path}$`, 'm'));
  }),

  // The source windows of the last part are a matter of the workbench.
  inRoom(47, 'source paths of the host and of one client', async ({ trial, door, h, a, b }) => {
    const [x, y] = [`/src/${mark()}`, `/src/${mark()}`];
    await answer(a, `.srcpath ${x}`);
    assert.match(await answer(h, '.srcpath'), new RegExp(`^Source search path is: ${x}$`, 'm'));
    const c = await trial.another(h, door, { terminal: true });
    await c.sees(atPrompt);
    const local = (path: string) => new RegExp(`Local source search path is: ${path}\\r*\\n`);
    c.type(`.lsrcpath ${y}\r`);
    await c.sees(local(y));
    assert.match(await answer(h, '.srcpath'), new RegExp(`^Source search path is: ${x}$`, 'm'));
    c.type('.lsrcfix\r');
    await c.sees(local('srv\\*'));
    await settled(b, h, a);
    for (const other of [h, a, b]) assert.doesNotMatch(other.stdout, new RegExp(y));
    c.type('\x02\r');
    assert.equal((await c.exit()).code, 0);
  }),

  inRoom(48, '.lsrcpath in -c or a script is refused', async ({ trial, door, h }) => {
    const file = join(trial.folder, mark());
    writeFileSync(file, '.lsrcpath /elsewhere\n');
    for (const args of [
      ['-c', '.lsrcpath /elsewhere'],
      ['-cf', file],
    ]) {
      const c = await trial.another(h, door, { args });
      await c.sees(/\.lsrcpath acts at one client alone.*refused in -c and in scripts/);
      await leave(c);
    }
  }),

  // Safer than the original: without trust=full a client's .shell is refused.
  point(49, '.shell of a client runs at the host, until .noshell', allTransports, async (trial) => {
    const { h, a } = await trial.session();
    const word = mark();
    assert.match(
      await answer(a, `.shell echo ${word}`),
      /^\.shell acts on the machine of the debugging server/m,
    );
    const { client: trusted } = await trial.byNewDoor(h, ',trust=full');
    const text = await answer(
      trusted,
      process.platform === 'win32' ? `.shell echo ${word}` : '.shell echo $PPID',
    );
    assert.match(text, new RegExp(`^${process.platform === 'win32' ? word : h.pid}$`, 'm'));
    await answer(a, '.noshell');
    for (const each of [h, a, trusted])
      assert.match(await answer(each, '.shell hostname'), /^Shell commands are off/m);
  }),

  point(50, '-noio leaves the session to the clients', allTransports, async (trial) => {
    const door = await trial.door();
    let h: VskdProcess | undefined;
    const open = () => {
      h = trial.vskd(['-server', door.server, '-k', 'demo:', '-b', '-noio']);
      h.type('.echo nobody listens\n');
    };
    const a = trial.transport.clientFirst
      ? await trial.join(door, {}, open)
      : await joinSilent(trial, door, open);
    const text = await answer(a, 'r');
    assert.match(text, /^rax=/m);
    assert.doesNotMatch(a.stdout, /nobody listens/);
    a.type('qq\n');
    assert.equal((await a.exit()).code, 0);
    const end = await h?.exit();
    assert.deepEqual([end?.code, end?.stdout], [0, '']);
    // On a slow machine it says what it waits for at the start.
    assert.match(end?.stderr ?? '', /^(?:vskd: waiting: the link to the target is not open yet [^\n]*\n)?$/);
  }),
];

/** The state is told to everybody; a command that waits for a stop is told so. */
async function untilRuns(h: VskdProcess): Promise<void> {
  await settled(h);
}

/** A host that says nothing when it is ready is joined as soon as it lets us. */
async function joinSilent(
  trial: Trial,
  door: Parameters<Trial['join']>[0],
  open: () => void,
): Promise<VskdProcess> {
  open();
  for (let tries = 0; tries < 40; tries++) {
    const client = trial.client(door);
    const inside = await client.sees(/ connected at /).then(
      () => true,
      () => false,
    );
    if (inside) return client;
  }
  throw new Error('the host never opened its server');
}
