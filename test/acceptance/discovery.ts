/** Points 34 and 35: the list of a machine's servers. */
import assert from 'node:assert/strict';
import { point } from './support/point';
import { listening } from './support/transports';
import { nextPort } from './support/ports';

export const discoveryPoints = [
  point(34, '-QR lists the visible servers', listening, async (trial) => {
    const one = await trial.door();
    const two = await trial.door();
    await trial.host([one.server, two.server]);
    for (const host of ['localhost', '\\\\localhost', '127.0.0.42']) {
      const { code, stdout, stderr } = await trial.runVskd(['-QR', host]);
      const lines = [`Servers on ${host}:`, ...[one, two].map(({ shown }) => `Debugger Server - ${shown}`)];
      assert.equal(stdout, `${lines.join('\n')}\n`);
      assert.deepEqual([code, stderr], [0, '']);
    }
  }),

  // Process servers are for user-mode debugging, which this debugger does not do: nothing here could be listed as
  // `Remote Process Server`. KD connection servers are the other kind.
  point(35, 'a KD connection server is listed as one', ['tcp'], async (trial) => {
    const port = await nextPort();
    const lab = trial.vskd(['-kdsrv', `tcp:port=${port},bind=127.0.0.1`]);
    await lab.sees(new RegExp(`Port=${port}`, 'i'));
    const debuggers = await trial.door();
    await trial.host([debuggers.server]);
    const { stdout } = await trial.runVskd(['-QR', 'localhost']);
    assert.deepEqual(stdout.trimEnd().split('\n').sort(), [
      `Debugger Server - ${debuggers.shown}`,
      `Remote Kernel Debugger Server - tcp:Port=${port}`,
      'Servers on localhost:',
    ]);
  }),
];
