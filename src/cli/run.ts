/** vskd from options to exit code: opens the session, picks the front end, and cleans up however it ends. */
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { errorText, UserError } from '../engine/base/errors';
import type { OpenedSession } from '../engine/remote/client';
import { Conversation } from './conversation';
import { NoFrontEnd, type FrontEnd } from './frontEnd';
import { historyPath } from './history';
import { openLog, type Log } from './log';
import { newCertificateText } from './newcert';
import { helpText } from './optionHelp';
import type { Options } from './optionTable';
import { type Environment, parseOptions } from './options';
import { readPassword } from './password';
import { Piped } from './piped';
import { plainText } from './render';
import { runService } from './services';
import { openSession } from './session';
import { Terminal } from './terminal';
import { Transcript } from './transcript';

export interface Streams {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number };
  readonly stderr: Writable;
}

/** The reason a run is aborted with: what was asked of the process, and its exit code. */
export class Interrupted extends Error {
  constructor(
    what: string,
    readonly exitCode: number,
  ) {
    super(what);
  }
}

export const versionLine = `vscode-kd Kernel Debugger Version ${process.env['VSKD_VERSION'] ?? 'of the sources'}`;

const failure = 1;
const usage = 2;
/** Bound for leaving in order (breakpoints out of the target, servers closed); milliseconds. */
const cleanUpTime = 5000;

/** Returns the exit code; all messages are written. `signal` is aborted with an `Interrupted`. */
export async function run(
  args: readonly string[],
  environment: Environment,
  streams: Streams,
  signal: AbortSignal,
): Promise<number> {
  const complain = (text: string) =>
    void streams.stderr.write(
      `vskd: ${plainText(text)
        .trim()
        .replace(/\s*\n\s*/g, ' ')}\n`,
    );
  const waiting = (text: string) => complain(`waiting: ${text} (Ctrl+C ends this).`);
  let log: Log | undefined;
  let startLines: string[];
  let options: Options;
  try {
    options = parseOptions(args, environment);
    if (options.action === 'version') streams.stdout.write(`${versionLine}\n`);
    if (options.action === 'help')
      streams.stdout.write(helpText(Math.max(60, streams.stdout.columns || 100)));
    if (options.action === 'version' || options.action === 'help') return 0;
    startLines = readCommandFile(options);
    log = options.log && openLog(options.log, complain);
  } catch (error) {
    complain(errorText(error));
    return usage;
  }
  try {
    if (options.action === 'newcert') {
      streams.stdout.write(await newCertificateText(options.certificateName ?? ''));
      return 0;
    }
    if (options.service) {
      await runService(options.service, {
        print: (text) => void streams.stdout.write(plainText(text)),
        write: (text) => written(streams.stdout, text),
        askPassword: () => askPassword({ streams, signal }),
        signal,
      });
      return 0;
    }
    return await debug(options, startLines, log, { environment, streams, signal, complain, waiting });
  } catch (error) {
    if (signal.reason instanceof Interrupted) return signal.reason.exitCode;
    // Anything but a UserError is a bug of ours; its first line is still all that a terminal user can use.
    complain(error instanceof UserError ? error.message : `Internal error: ${errorText(error)}`);
    return failure;
  } finally {
    log?.close();
  }
}

/** Resolves when the text is out or nobody reads any more, and signals have been heard. */
function written(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve) => stream.write(text, () => setImmediate(resolve)));
}

interface Surroundings {
  readonly environment: Environment;
  readonly streams: Streams;
  readonly signal: AbortSignal;
  complain(text: string): void;
  /** Says what holds things up. */
  waiting(text: string): void;
}

async function debug(
  options: Options,
  startLines: readonly string[],
  log: Log | undefined,
  around: Surroundings,
): Promise<number> {
  const { streams, signal } = around;
  const owner = options.remote === undefined;
  const interactive = !options.noIo && !!streams.stdin.isTTY && !!streams.stdout.isTTY;
  const scripted = owner && !options.noIo && !streams.stdin.isTTY;
  const session = await openSession(options, {
    initialBreak: options.initialBreak || scripted,
    banner: `${versionLine}\n\n`,
    signal,
    askPassword: () => askPassword(around),
    waiting: around.waiting,
  });
  let front: FrontEnd | undefined;
  try {
    const { client, self } = session;
    const conversation = new Conversation(client, self, options.localSourcePath);
    front = options.noIo
      ? new NoFrontEnd()
      : interactive
        ? terminal(owner, around)
        : piped(scripted, options, around);
    const color = options.color && !!streams.stdout.isTTY && !around.environment['NO_COLOR'];
    const transcript = new Transcript(self.id, { ...options, color }, front.show, log);
    transcript.item({ seq: 0, kind: 'normal', text: session.banner });
    for (const item of session.history) transcript.item(item);

    if (options.commandFile?.everyRestart)
      onRestart(conversation, () => void runLines(conversation, startLines));
    const start = () => startUp(conversation, options, startLines);
    const end = await Promise.race([aborted(signal), front.run(conversation, transcript, start)]);
    // The owner sees the command that ended the session; one who joined may not.
    if (end.kind === 'ended' && !owner) transcript.line(end.reason);
    front.close();
    if (end.kind === 'lost') around.complain(`The session was lost: ${end.reason}`);
    // The session has shown the reason; on the terminal once is enough.
    if (end.kind === 'targetLost' && !interactive) around.complain(end.reason);
    return end.kind === 'lost' || end.kind === 'targetLost' ? failure : 0;
  } finally {
    front?.close();
    await disposed(session);
  }
}

function terminal(owner: boolean, { streams, environment }: Surroundings): Terminal {
  return new Terminal({
    input: streams.stdin as ReadStream,
    output: streams.stdout as WriteStream,
    historyFile: historyPath(environment),
    owner,
    versionLine,
  });
}

function piped(untilStopped: boolean, options: Options, { streams, signal, waiting }: Surroundings): Piped {
  return new Piped({
    input: streams.stdin,
    output: streams.stdout,
    untilStopped,
    timeoutSeconds: options.timeoutSeconds,
    signal,
    waiting,
  });
}

/**
 * What `-bonc`, `-c` and `-cf` ask for at the start. The owner's commands wait for the first prompt, a client's go to
 * the session at once; the owner's target has been asked for the initial break already.
 */
async function startUp(
  conversation: Conversation,
  options: Options,
  lines: readonly string[],
): Promise<void> {
  if (options.remote === undefined) {
    if (options.commands === undefined && lines.length === 0) return;
    await conversation.until((state) => state.targetState === 'stopped');
  } else if (options.initialBreak && conversation.state.targetState === 'running') {
    await conversation.breakIn();
  }
  if (options.commands !== undefined) await conversation.execute(options.commands, true);
  await runLines(conversation, lines);
}

async function runLines(conversation: Conversation, lines: readonly string[]): Promise<void> {
  for (const line of lines) await conversation.execute(line, true);
}

/** Calls `action` at the first stop after each loss of the target. */
function onRestart(conversation: Conversation, action: () => void): void {
  let stoppedOnce = false;
  let lost = false;
  conversation.changed(() => {
    const { targetState } = conversation.state;
    if (targetState === 'lost' || targetState === 'connecting') lost = stoppedOnce;
    if (targetState !== 'stopped') return;
    if (lost) action();
    stoppedOnce = true;
    lost = false;
  });
}

/** The commands of `-cf`, one per line. Throws UserError when the file cannot be read. */
function readCommandFile(options: Options): string[] {
  if (!options.commandFile) return [];
  try {
    const text = readFileSync(options.commandFile.path, 'utf8');
    return text.split(/\r?\n/).filter((line) => line.trim() !== '');
  } catch (error) {
    throw new UserError(`Cannot read the command file '${options.commandFile.path}': ${errorText(error)}`);
  }
}

async function askPassword(around: Pick<Surroundings, 'streams' | 'signal'>): Promise<string> {
  const { stdin, stderr } = around.streams;
  if (!stdin.isTTY) {
    throw new UserError(
      "The password '*' must be typed, but the input is no terminal; write password=... in full.",
    );
  }
  return readPassword(stdin as ReadStream, stderr, around.signal);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** Waits for the clean-up, but not for ever: the target may not answer any more. */
async function disposed(session: OpenedSession): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, cleanUpTime);
  });
  await Promise.race([session.dispose().catch(() => undefined), late]);
  clearTimeout(timer);
}
