/**
 * Several clients of one user on one serial port: the system gives the port to one process, and that one opens
 * channels for the others, over a pipe of the user's own. They ask in one line, `{"channel":N,"baud":N}`, and get
 * `{"ok":true}` or `{"error":TEXT}`; after that come the bytes of the channel.
 */
import { createHash } from 'node:crypto';
import { chmod, readdir } from 'node:fs/promises';
import { basename, dirname, join as joinPath } from 'node:path';
import { withLimit } from '../../base/abort';
import { errorText, UserError } from '../../base/errors';
import { connectPipe, listenPipe, removeDeadPipe } from '../../wire/pipe';
import type { Wire } from '../../wire/wire';
import { LineWire, parseLine } from '../lineWire';
import { pipePath } from '../transports/pipeNames';

/** Milliseconds for the question, and for its answer: opening a channel takes up to ten seconds. */
const questionLimit = 2000;
const answerLimit = 15_000;
/** Bytes that may wait on their way through. */
const maxPending = 4 << 20;
const maxGuests = 64;
/** Files in the folder for pipes that are looked at. */
const maxFiles = 1000;

export interface Broker {
  close(): void;
}

/** Offers the port to the user's other processes. Does nothing where there can be no such pipe. */
export async function offerPort(
  port: string,
  connect: (channel: number, baud: number, signal: AbortSignal) => Promise<Wire>,
): Promise<Broker | undefined> {
  try {
    const path = await pipePath(brokerName(port));
    await removeDeadBrokers(path);
    let guests = 0;
    const listener = await listenPipe(path, (guest) => {
      if (guests >= maxGuests) {
        guest.close();
        return;
      }
      guests++;
      guest.closed(() => guests--);
      void serve(guest, connect);
    });
    if (process.platform !== 'win32') await chmod(path, 0o600);
    return { close: () => void listener.close() };
  } catch {
    // Another process offers a port of that name, or the folder for pipes is not to be had: then nobody shares.
    return undefined;
  }
}

/** Takes away what killed processes left beside `path`. */
async function removeDeadBrokers(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const prefix = basename(path).replace(/[^-]*$/, '');
  for (const name of (await readdir(dirname(path))).slice(0, maxFiles))
    if (name.startsWith(prefix)) await removeDeadPipe(joinPath(dirname(path), name));
}

async function serve(
  guest: Wire,
  connect: (channel: number, baud: number, signal: AbortSignal) => Promise<Wire>,
): Promise<void> {
  const lines = new LineWire(guest);
  try {
    const question = parseLine(await lines.readLine('{', AbortSignal.timeout(questionLimit)));
    const { channel, baud } = question;
    if (typeof channel !== 'number' || typeof baud !== 'number') throw new UserError('Not understood.');
    const gone = new AbortController();
    guest.closed(() => gone.abort(new UserError('The client has gone.')));
    const wire = await connect(channel, baud, gone.signal);
    await lines.writeLine('{"ok":true}');
    const released = lines.release();
    join(released, wire);
    join(wire, released);
  } catch (error) {
    await lines.writeLine(JSON.stringify({ error: errorText(error).slice(0, 300) })).catch(() => {});
    lines.close();
  }
}

/** Moves what comes from `from` to `to`, and the end too. */
function join(from: Wire, to: Wire): void {
  let pending = 0;
  from.data((bytes) => {
    pending += bytes.length;
    if (pending > maxPending) {
      from.close();
      to.close();
      return;
    }
    to.write(bytes).then(
      () => (pending -= bytes.length),
      () => from.close(),
    );
  });
  from.closed(() => to.close());
}

/** Asks the process that has the port for a channel; undefined when no process of ours has it. Rejects with UserError. */
export async function askOwner(
  port: string,
  channel: number,
  baud: number,
  signal: AbortSignal | undefined,
): Promise<Wire | undefined> {
  let pipe: Wire;
  try {
    pipe = await connectPipe(await pipePath(brokerName(port)), { signal, timeLimit: questionLimit });
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
  const lines = new LineWire(pipe);
  try {
    await lines.writeLine(JSON.stringify({ channel, baud }));
    const answer = parseLine(await lines.readLine('{', withLimit(signal, answerLimit)));
    if (answer['ok'] === true) return lines.release();
    throw new UserError(String(answer['error']));
  } catch (error) {
    lines.close();
    throw error;
  }
}

/** The port's own name may have any characters and length. */
function brokerName(port: string): string {
  return `com-${createHash('sha256').update(port).digest('hex').slice(0, 24)}`;
}
