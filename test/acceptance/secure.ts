/** Points 59 and 60: secure mode. */
import assert from 'node:assert/strict';
import { inRoom, point } from './support/point';
import { allTransports } from './support/transports';
import { answer } from './support/trial';

const off = [
  '.shell hostname',
  '.dump /tmp/x.dmp',
  '.writemem /tmp/x 0 1',
  '.opendump /tmp/x.dmp',
  '.attach 4',
  '.create x.exe',
  '.kill',
  '.detach',
  '.abandon',
  '.tlist',
  '.netuse',
  '.quit_lock /s x',
];

export const securePoints = [
  point(59, 'what is off in secure mode', allTransports, async (trial) => {
    const { h, a } = await trial.session(',trust=full', { args: ['-secure'] });
    for (const each of [h, a]) {
      assert.match(await answer(each, '.secure'), /^Secure mode is on\.$/m);
      for (const command of off)
        assert.match(await answer(each, command), /^\.\w+(?: \/s)? is off in secure mode\.$/m, command);
    }
    assert.match(await answer(a, '.quit_lock'), /^Quitting is not locked\.$/m);
    // Once on, it stays so (point 60).
    assert.match(await answer(h, '.secure 0'), /^Secure mode stays on/m);
    assert.match(await answer(a, '.secure'), /^Secure mode is on\.$/m);
  }),

  inRoom(60, '.secure 1 comes too late in a session', async ({ h, a }) => {
    for (const each of [h, a]) {
      assert.match(await answer(each, '.secure 1'), /^Secure mode can be switched on only at the start/m);
      assert.match(await answer(each, '.secure'), /^Secure mode is off\.$/m);
    }
  }),
];
