/** Points 1 to 10: starting servers, joining them, and what the command line refuses. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { parseClientString } from '../../src/engine/remote/sessionString';
import { point } from './support/point';
import { nextPort } from './support/ports';
import { allTransports, listening } from './support/transports';
import { settled } from './support/trial';

export const startingPoints = [
  point(1, '.server says how to connect', ['tcp'], async (trial) => {
    const h = await trial.host([]);
    const port = await nextPort();
    h.type(`.server tcp:port=${port}\n`);
    await h.sees(
      new RegExp(
        '^Server started\\.  Client can connect with any of these command lines\\n' +
          `0: <debugger> -remote tcp:Port=${port},Server=${hostname()}\\n`,
        'm',
      ),
    );
  }),
];
