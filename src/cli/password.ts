/** Asks for a password on the terminal without showing what is typed. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { CancelledError } from '../engine/base/errors';

/** Rejects when the user gives up with Ctrl+C or Ctrl+D, or `signal` aborts. */
export function readPassword(
  input: ReadStream,
  output: { write(text: string): unknown },
  signal: AbortSignal,
): Promise<string> {
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input, output: mute, terminal: true, historySize: 0 });
  output.write('Password: ');
  return new Promise<string>((resolve, reject) => {
    const giveUp = () => {
      reject(new CancelledError('No password was given.'));
      line.close();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    line.once('line', (text) => {
      resolve(text);
      line.close();
    });
    line.once('SIGINT', giveUp);
    line.once('close', giveUp);
  }).finally(() => output.write('\n'));
}
