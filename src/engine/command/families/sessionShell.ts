/** .shell .noshell: programs of the machine that owns the session. */
import { spawn } from 'node:child_process';
import { CancelledError, UserError } from '../../base/errors';
import { noArguments } from '../arguments';
import type { CommandContext } from '../command';
import type { CommandRow } from '../rows';

const family = 'Session';
/** Milliseconds and bytes of output after which a program is ended. */
const timeLimit = 60_000;
const outputLimit = 4 << 20;
/** Milliseconds between the request to end and the end by force. */
const grace = 500;

/** `-t SECONDS` before the command sets another limit. */
function parse(text: string): { readonly command: string; readonly limit: number } {
  const timed = /^-t\s+(\d{1,5})\s+(.*)$/s.exec(text.trim());
  const command = timed?.[2] ?? text.trim();
  if (command === '') {
    throw new UserError('Which command? .shell runs one command of the system, e.g. .shell hostname');
  }
  return { command, limit: timed ? Number(timed[1]) * 1000 : timeLimit };
}

/** Runs one command line in the system's shell, without input; its output is everybody's. */
async function shell(context: CommandContext, text: string): Promise<void> {
  const { command, limit } = parse(text);
  const windows = process.platform === 'win32';
  const [program, args] = windows
    ? [process.env['ComSpec'] ?? 'cmd.exe', ['/d', '/s', '/c', `"${command}"`]]
    : ['/bin/sh', ['-c', command]];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    windowsVerbatimArguments: windows,
    // A group of its own, so that what it started ends with it.
    detached: !windows,
  });
  let ending: Error | undefined;
  const end = (why: Error) => {
    if (ending) return;
    ending = why;
    killAll(child.pid, 'SIGTERM');
    setTimeout(() => killAll(child.pid, 'SIGKILL'), grace);
    // Whoever left the group could hold the pipes open.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const cancel = () => end(new CancelledError());
  const timer = setTimeout(
    () => end(new UserError(`.shell: Process ended by force after ${limit / 1000} s (.shell -t SECONDS).`)),
    limit,
  );
  context.signal.addEventListener('abort', cancel, { once: true });
  if (context.signal.aborted) cancel();
  let shown = 0;
  const copy = async (stream: NodeJS.ReadableStream) => {
    stream.setEncoding('utf8');
    try {
      for await (const chunk of stream) {
        const piece = String(chunk);
        shown += piece.length;
        if (shown > outputLimit)
          end(new UserError(`.shell: Process ended by force after ${outputLimit} bytes.`));
        if (ending) return;
        context.write(piece);
        await context.drained();
      }
    } catch (error) {
      if (!ending) throw error;
    }
  };
  try {
    const exit = new Promise<void>((resolve, reject) => {
      child.once('error', (error) => reject(new UserError(`.shell: ${error.message}`)));
      child.once('exit', () => resolve());
    });
    await Promise.all([exit, copy(child.stdout), copy(child.stderr)]);
    if (ending) throw ending;
    context.write('.shell: Process exited\n');
  } catch (error) {
    end(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener('abort', cancel);
  }
}

function killAll(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    if (process.platform !== 'win32') process.kill(-pid, signal);
    else spawn('taskkill', ['/t', '/f', '/pid', String(pid)], { stdio: 'ignore' }).on('error', () => {});
  } catch {
    // It has ended by itself.
  }
}

export const shellCommands: readonly CommandRow[] = [
  {
    name: '.shell',
    syntax: '.shell [-t SECONDS] COMMAND',
    summary: 'Runs a command of the system that owns the session, without input, for at most 60 s.',
    tier: 2,
    family,
    whileRunning: 'run',
    touchesHost: true,
    takesWholeLine: true,
    run: shell,
  },
  {
    name: '.noshell',
    syntax: '.noshell',
    summary: 'Switches .shell off for everybody, for the life of this debugger.',
    tier: 2,
    family,
    whileRunning: 'run',
    async run({ session, write }, text) {
      noArguments('.noshell', text);
      write(session?.forbidShell() ?? '');
    },
  },
];
