/** Runs the built program dist/cli.js as a user would: with pipes, or on a pseudo-terminal of python3's. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/temporary';

/** VSKD_PROGRAM: another build of it. */
const program = process.env.VSKD_PROGRAM ?? join(__dirname, '../../../dist/cli.js');

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Vskd {
  stdout = '';
  stderr = '';
  /** How much of `stdout` earlier calls of `sees` have taken. */
  private seen = 0;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly watchers = new Set<() => void>();
  private code: number | null | undefined;

  constructor(command: string, args: readonly string[], environment: Record<string, string> = {}) {
    if (!existsSync(program)) throw new Error('dist/cli.js is missing; run "npm run build".');
    const state = temporaryFolder();
    this.child = spawn(command, args, {
      env: { ...process.env, NO_COLOR: '', TERM: 'xterm', XDG_STATE_HOME: state, ...environment },
    });
    onTestFinished(() => void this.child.kill('SIGKILL'));
    this.child.stdin.on('error', () => undefined);
    this.child.stdout
      .setEncoding('utf8')
      .on('data', (text: string) => this.changed(() => (this.stdout += text)));
    this.child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => this.changed(() => (this.stderr += text)));
    this.child.on('close', (code) => this.changed(() => (this.code = code)));
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  type(text: string): void {
    this.child.stdin.write(text);
  }

  endInput(): void {
    this.child.stdin.end();
  }

  /** Closes the reading end of its output, as `| head` does. */
  stopReading(): void {
    this.child.stdout.destroy();
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits for text on the output after what was waited for before; returns the text from there to its end. */
  async sees(pattern: RegExp, seconds = 15): Promise<string> {
    let found: RegExpExecArray | null = null;
    await this.until(
      () => (found = pattern.exec(this.stdout.slice(this.seen))) !== null,
      seconds,
      String(pattern),
    );
    const match = found as RegExpExecArray | null;
    const start = this.seen;
    this.seen += (match?.index ?? 0) + (match?.[0].length ?? 0);
    return this.stdout.slice(start, this.seen);
  }

  async complains(pattern: RegExp, seconds = 15): Promise<void> {
    await this.until(() => pattern.test(this.stderr), seconds, String(pattern));
  }

  async exit(seconds = 15): Promise<Result> {
    await this.until(() => this.code !== undefined, seconds, 'the exit');
    return { code: this.code ?? null, stdout: this.stdout, stderr: this.stderr };
  }

  private changed(change: () => void): void {
    change();
    for (const look of [...this.watchers]) look();
  }

  private until(holds: () => boolean, seconds: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer);
        this.watchers.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const report = (why: string) =>
        finish(new Error(`${why} before ${what}\nstdout:\n${this.stdout}\nstderr:\n${this.stderr}`));
      const timer = setTimeout(() => report(`${seconds} s passed`), seconds * 1000);
      const look = () => {
        if (holds()) finish();
        else if (this.code !== undefined) report(`vskd ended with ${this.code}`);
      };
      this.watchers.add(look);
      look();
    });
  }
}

/** With pipes. */
export function vskd(args: readonly string[], environment?: Record<string, string>): Vskd {
  return new Vskd(process.execPath, [program, ...args], environment);
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
  const relay = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
  const shell = 'stty rows 24 cols 100; exec "$@"';
  return new Vskd(
    'python3',
    ['-c', relay, 'sh', '-c', shell, 'sh', process.execPath, program, ...args],
    environment,
  );
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
