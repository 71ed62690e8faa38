/** Points 11 to 14: several servers of one debugger. */
import assert from 'node:assert/strict';
import { point } from './support/point';
import { allTransports, listening, nextName, transportOf } from './support/transports';
import { answer, settled, type Trial } from './support/trial';
import type { VskdProcess } from '../support/vskdProcess';

/** The lines of `.servers`. */
export async function servers(h: VskdProcess): Promise<string[]> {
  return (await answer(h, '.servers')).trimEnd().split('\n');
}

async function open(h: VskdProcess, server: string): Promise<void> {
  h.type(`.server ${server}\n`);
  await h.sees(/Client can connect with any of these command lines/);
}

const password = 'Secret12';

export const serverPoints = [
  point(11, '.servers lists them', allTransports, async (trial) => {
    const h = await trial.host([]);
    const door = await trial.door();
    const name = nextName();
    await open(h, `npipe:pipe=${name}`);
    await open(h, door.server);
    assert.deepEqual(await servers(h), [
      `0 - Debugger Server - npipe:Pipe=${name}`,
      `1 - Debugger Server - ${door.shown}`,
    ]);
  }),

  point(12, 'a password is never shown', allTransports, async (trial) => {
    const { h, a, door } = await trial.session(
      `,password=${password}`,
      {},
      { string: `,password=${password}` },
    );
    const typed = await trial.door(`,password=${password}`);
    await open(h, typed.server);
    assert.deepEqual(await servers(h), [
      `0 - Debugger Server - ${door.shown},Password=*`,
      `1 - Debugger Server - ${typed.shown},Password=*`,
    ]);
    await settled(h, a);
    for (const each of [h, a]) {
      assert.match(each.stdout, /Password=\*/i);
      assert.doesNotMatch(each.stdout + each.stderr, new RegExp(password));
    }
  }),

  point(13, 'clients on different transports share the session', allTransports, async (trial) => {
    const { h, a } = await trial.session();
    const other = transportOf(trial.transport.name === 'tcp' ? 'npipe' : 'tcp');
    const door = await other.open(trial, '');
    await open(h, door.server);
    const b = await trial.join(door);
    await settled(a, b, h);
    await settled(b, a, h);
    b.type('r\n');
    await a.sees(new RegExp(`^\\[\\S+ \\(${other.word} [^)]+\\)\\] .*kd> r\\nrax=`, 'm'));
  }),

  point(14, '.servers is the same at a client, and of one debugger alone', listening, async (trial) => {
    const { h, a } = await trial.session();
    const strange = await elsewhere(trial);
    const list = await servers(h);
    assert.equal(list.length, 1);
    await settled(h, a);
    assert.deepEqual(await servers(a), list);
    assert.doesNotMatch(h.stdout, new RegExp(strange));
  }),
];

/** Another debugger of this machine; the name of its server's pipe. */
async function elsewhere(trial: Trial): Promise<string> {
  const name = nextName();
  await trial.host([`npipe:pipe=${name}`]);
  return name;
}
