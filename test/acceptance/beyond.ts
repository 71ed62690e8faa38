/** Points 61 to 65: what this debugger adds. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { breakableProxy } from './support/proxy';
import { inRoom, point } from './support/point';
import { allTransports } from './support/transports';
import { answer, mark, settled } from './support/trial';

const password = 'Secret12';
const observer = 'Looker12';

export const beyondPoints = [
  point(61, 'observers look, and .role changes who may do what', allTransports, async (trial) => {
    const open = `,password=${password},observer=${observer}`;
    const { h, a } = await trial.session(open, {}, { string: `,password=${observer}` });
    assert.match(await answer(a, 'lm'), /^start +end +module name$/m);
    for (const command of ['g', 'bp nt!KeSetEvent', '.role 1 control', '.server tcp:port=0', 'qq'])
      assert.match(await answer(a, command), /is refused: you observe this session/, command);
    const number = /^ +(\d+) observe /m.exec(await answer(h, '.role'))?.[1] ?? '';
    await answer(h, `.role ${number} control`);
    await answer(a, 'bp nt!KeSetEvent');
    assert.match(await answer(h, 'bl'), /KeSetEvent/);
    await answer(h, `.role ${number} observe`);
    assert.match(await answer(a, 'bc *'), /is refused: you observe/);
    h.type(`.role ${number} kick\n`);
    const { stdout } = await a.exit();
    assert.match(stdout, /^You were removed from the session by /m);
    await settled(h);
    assert.doesNotMatch(await answer(h, '.clients'), /, observes/);
  }),

  point(62, 'trust=full is for the host to give', allTransports, async (trial) => {
    const { h, a } = await trial.session();
    const word = mark();
    assert.match(
      await answer(a, `.shell echo ${word}`),
      /is refused to remote clients \(unless .* trust=full\)/,
    );
    const own = await trial.door(',trust=full');
    assert.match(
      await answer(a, `.server ${own.server}`),
      /'Trust=full' concerns the machine of the debugging server/,
    );
    const { client: b } = await trial.byNewDoor(h, ',trust=full');
    assert.match(await answer(b, `.shell echo ${word}`), new RegExp(`^${word}$`, 'm'));
    await h.sees(new RegExp(`^${word}$`, 'm'));
  }),

  point(63, 'a client comes back after the network broke', ['tcp', 'tcp6', 'ssl'], async (trial) => {
    const door = await trial.door();
    const proxy = await breakableProxy(trial, Number(/port=(\d+)/.exec(door.server)?.[1]));
    const client = door.client.replace(/port=\d+/, `port=${proxy.port}`);
    const { h, a } = await trial.session('', {}, {}, { ...door, client });
    const words = Array.from({ length: 60 }, () => mark());
    for (const [index, word] of words.entries()) {
      if (index === 20 || index === 40) proxy.breakNow();
      h.type(`.echo ${word};r\n`);
      await h.sees(new RegExp(`^${word}$`, 'm'));
    }
    await a.sees(new RegExp(`^${words.at(-1)}\\nrax=[^]*efl=`, 'm'), 30);
    const got = [...a.stdout.matchAll(/^(mark-\d+)\nrax=/gm)].map(([, word]) => word);
    assert.deepEqual(got, words);
    assert.match(a.stdout, /is lost \(.*\); trying to get back/);
    assert.match(a.stdout, /^Back in the session of /m);
    await settled(a, h);
  }),

  inRoom(64, '.wall reaches everybody', async ({ h, a, b, identity }) => {
    const word = mark();
    a.type(`.wall ${word} for all\n`);
    const line = new RegExp(`^\\*\\*\\* ${identity}: ${word} for all$`, 'm');
    await Promise.all([h, a, b].map((each) => each.sees(line)));
  }),

  point(65, '-audit records who, when and from where', allTransports, async (trial) => {
    const file = join(trial.folder, 'audit');
    const { h, a } = await trial.session(
      `,password=${password}`,
      { args: ['-audit', file] },
      { string: `,password=${password}` },
    );
    const said = mark();
    await answer(a, `.echo ${said}`);
    const typed = await trial.door(`,password=${observer}`);
    await answer(a, `.server ${typed.server}`);
    a.endInput();
    await a.exit();
    h.type('q\n');
    await h.exit();
    const text = readFileSync(file, 'utf8');
    const entries = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const from = new RegExp(`^${trial.transport.word} \\S`);
    const found = (event: string, fits: (entry: Record<string, string>) => boolean = () => true) => {
      const entry = entries.find((each) => each['event'] === event && fits(each));
      assert.ok(entry, `${event} in ${text}`);
      assert.match(entry['time'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      return entry;
    };
    const fromClient = (entry: Record<string, string>) => from.test(entry['from'] ?? '');
    found('join', fromClient);
    const command = found('command', (entry) => fromClient(entry) && (entry['command'] ?? '').includes(said));
    assert.match(command['who'] ?? '', /^[^\s\\]+\\\S+$/);
    found('serverStart');
    found('leave', fromClient);
    found('end');
    assert.doesNotMatch(text, new RegExp(`${password}|${observer}`));
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o077, 0);
  }),
];
