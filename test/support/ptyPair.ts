/** A pair of pseudo-terminals joined by socat: the nearest thing to a null-modem cable without hardware. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface PtyPair {
  readonly a: string;
  readonly b: string;
  /** Ends socat: both ends go dead. */
  close(): Promise<void>;
  /** As if the cable were pulled: nothing goes through, nobody is told. */
  freeze(): void;
  thaw(): void;
}

export async function openPtyPair(folder: string): Promise<PtyPair> {
  const a = join(folder, 'a');
  const b = join(folder, 'b');
  const child = spawn('socat', ['-d', '-d', `pty,raw,echo=0,link=${a}`, `pty,raw,echo=0,link=${b}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`socat ended with ${code}: ${log}`)));
    child.stderr.on('data', (bytes: Buffer) => {
      log = (log + bytes.toString()).slice(-4000);
      if (log.includes('starting data transfer loop')) resolve();
    });
  });
  return {
    a,
    b,
    close: async () => {
      // Also when it is frozen.
      child.kill('SIGKILL');
      await exited;
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
