/** Points 51 to 58: who leaves, who stays, and what ends the session. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VskdProcess } from '../support/vskdProcess';
import { servers } from './servers';
import { inRoom, point } from './support/point';
import { identityOf } from './support/room';
import { allTransports, listening } from './support/transports';
import { answer, atPrompt, settled, type Trial } from './support/trial';

/** How many remote clients `.clients` lists. */
async function countClients(h: VskdProcess, trial: Trial): Promise<number> {
  const text = await answer(h, '.clients');
  return text.match(new RegExp(`^${identityOf(trial.transport.word)}, last active`, 'gm'))?.length ?? 0;
}

/** Asks until so many are listed. */
async function untilClients(h: VskdProcess, trial: Trial, wanted: number, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while ((await countClients(h, trial)) !== wanted) {
    if (Date.now() > deadline) throw new Error(`.clients does not list ${wanted} within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** H, A and B. */
async function three(trial: Trial) {
  const joined = await trial.session();
  const b = await trial.another(joined.h, joined.door);
  await settled(b, joined.h, joined.a);
  return { ...joined, b };
}

export const leavingPoints = [
  inRoom(51, 'Ctrl+B leaves', async ({ trial, door, h, a, b }) => {
    const c = await trial.another(h, door, { terminal: true });
    await c.sees(atPrompt);
    await untilClients(h, trial, 3, 20);
    c.type('\x02\r');
    assert.equal((await c.exit()).code, 0);
    await untilClients(h, trial, 2, 20);
    await settled(b, h, a);
  }),

  inRoom(52, '.remote_exit ends a script', async ({ trial, door, h, b }) => {
    const file = join(trial.folder, 'script');
    writeFileSync(file, '.echo hello\n.remote_exit .echo bye\n.echo too late\n');
    const c = await trial.another(h, door, { args: ['-cf', file] });
    await h.sees(/^bye$/m);
    assert.equal((await c.exit()).code, 0);
    await settled(b, h);
    assert.doesNotMatch(h.stdout, /too late/);
  }),

  point(53, '.endsrv keeps those inside and takes no more', listening, async (trial) => {
    const { h, a, door } = await trial.session();
    const text = await answer(h, '.endsrv 0');
    assert.match(
      text,
      /^Server told to exit\.  Actual exit may be delayed until\nthe next connection attempt\.$/m,
    );
    assert.deepEqual(await servers(h), ['0 - <Disabled, exit pending>']);
    await settled(a, h);
    const { code, stderr } = await trial.client(door).exit(30);
    assert.match(stderr, /^vskd: [^\n]+\n$/);
    assert.equal(code, 1);
    await settled(a, h);
  }),

  point(54, 'q is for the host, qq ends the session from anywhere', allTransports, async (trial) => {
    const { h, a, b } = await three(trial);
    assert.match(await answer(a, 'q'), /^q is for the server.*qq.*Ctrl\+B/m);
    await settled(h, b);
    a.type('qq\n');
    for (const each of [a, h, b]) assert.equal((await each.exit()).code, 0);
    assert.match(b.stdout, /The session has ended/);
    const second = await trial.session();
    second.h.type('q\n');
    assert.equal((await second.h.exit()).code, 0);
    assert.equal((await second.a.exit()).code, 0);
  }),

  point(55, '.quit_lock', allTransports, async (trial) => {
    const { h, a } = await trial.session();
    assert.match(await answer(h, '.quit_lock /s x'), /^Quitting is locked with 'x'\.$/m);
    for (const command of ['qq', '.quit_lock /q y']) await answer(a, command);
    assert.match(await answer(h, 'q'), /^Quitting is locked;/m);
    await settled(a, h);
    assert.match(await answer(a, '.quit_lock /q x'), /^Quitting is not locked\.$/m);
    a.type('qq\n');
    for (const each of [a, h]) assert.equal((await each.exit()).code, 0);
  }),

  inRoom(56, 'qd of a client is refused', async ({ h, a, b }) => {
    assert.match(await answer(a, 'qd'), /^qd is not for clients/m);
    await settled(a, h, b);
  }),

  point(57, 'a killed client is dropped', allTransports, async (trial) => {
    const { h, a, b } = await three(trial);
    assert.equal(await countClients(h, trial), 2);
    a.signal('SIGKILL');
    await settled(h);
    await untilClients(h, trial, 1, 30);
    await settled(b, h);
  }),

  point(58, 'a killed host is reported', allTransports, async (trial) => {
    const { h, a, b } = await three(trial);
    h.signal('SIGKILL');
    // A silent serial line is taken for a pulled cable at first: the clients try to come back for a minute.
    for (const each of [a, b]) {
      const { code, stderr } = await each.exit(100);
      assert.match(stderr, /^vskd: The session was lost: [^\n]+\n$/m);
      assert.equal(code, 1);
    }
  }),
];
