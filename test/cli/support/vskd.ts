/** Runs the built program as a user would, for as long as a test lasts. */
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/temporary';
import { type Result, VskdProcess } from '../../support/vskdProcess';

export type { Result };
export type Vskd = VskdProcess;

/** With pipes. */
export function vskd(args: readonly string[], environment?: Record<string, string>): Vskd {
  return forThisTest(VskdProcess.withPipes(args, withState(environment)));
}

/** With pipes and all of its input. */
export function runVskd(args: readonly string[], input = '', seconds?: number): Promise<Result> {
  const child = vskd(args);
  child.type(input);
  child.endInput();
  return child.exit(seconds);
}

/** On a terminal of 24 lines and 100 columns. Its output is what the terminal gets, `\r\n` and all. */
export function vskdOnTerminal(args: readonly string[], environment?: Record<string, string>): Vskd {
  return forThisTest(VskdProcess.onTerminal(args, withState(environment)));
}

function withState(environment?: Record<string, string>): Record<string, string> {
  return { XDG_STATE_HOME: temporaryFolder(), ...environment };
}

function forThisTest(child: Vskd): Vskd {
  onTestFinished(() => child.signal('SIGKILL'));
  return child;
}

/** A tcp port nobody listens on right now. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address && typeof address === 'object' ? address.port : 0));
    });
  });
}
