/** A run of the built program dist/cli.js, with pipes or on a pseudo-terminal of python3's, and what it shows. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** VSKD_PROGRAM: another build of it. */
const program = process.env.VSKD_PROGRAM ?? join(__dirname, '../../dist/cli.js');

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class VskdProcess {
  stdout = '';
  stderr = '';
  /** How much of `stdout` earlier calls of `sees` have taken. */
  private seen = 0;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly watchers = new Set<() => void>();
  private code: number | null | undefined;

  private constructor(command: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
    if (!existsSync(program)) throw new Error('dist/cli.js is missing; run "npm run build".');
    this.child = spawn(command, args, {
      env: { ...process.env, NO_COLOR: '', TERM: 'xterm', ...environment },
    });
    this.child.stdin.on('error', () => undefined);
    this.child.stdout
      .setEncoding('utf8')
      .on('data', (text: string) => this.changed(() => (this.stdout += text)));
    this.child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => this.changed(() => (this.stderr += text)));
    this.child.on('close', (code) => this.changed(() => (this.code = code)));
  }

  static withPipes(args: readonly string[], environment: NodeJS.ProcessEnv): VskdProcess {
    return new VskdProcess(process.execPath, [program, ...args], environment);
  }

  /** With pipes, run by another program (`ip netns exec NAME`) that does not stay between. */
  static behind(
    [command = '', ...before]: readonly string[],
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
  ): VskdProcess {
    return new VskdProcess(command, [...before, process.execPath, program, ...args], environment);
  }

  /** On a terminal of 24 lines and 100 columns. Its output is what the terminal gets, `\r\n` and all. */
  static onTerminal(args: readonly string[], environment: NodeJS.ProcessEnv): VskdProcess {
    const relay = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
    const shell = 'stty rows 24 cols 100; exec "$@"';
    return new VskdProcess(
      'python3',
      ['-c', relay, 'sh', '-c', shell, 'sh', process.execPath, program, ...args],
      environment,
    );
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get ended(): boolean {
    return this.code !== undefined;
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
