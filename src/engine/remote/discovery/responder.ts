/**
 * `-QR HOST` between machines: while a server with the option `advertise` runs, its machine tells whoever connects to
 * a fixed TCP port the list of such servers, and nothing else. It reads nothing, so there is nothing to attack in it:
 *
 *   server    `vscode-kd-servers 1 N`                  N: how many lines follow
 *   server    N times {"kind":KIND,"spec":STRING}      and closes
 */
import { withLimit } from '../../base/abort';
import { errorText, UserError } from '../../base/errors';
import { oneLine } from '../../session/text';
import { errorCode } from '../../wire/openErrors';
import { connectTcp, listenTcp } from '../../wire/tcp';
import type { Wire } from '../../wire/wire';
import { LineError, LineWire } from '../lineWire';
import { discoveryMessages as messages } from './messages';
import { isKind, registeredServers, type ServerEntry } from './registry';

export const responderPort = 48505;
const greeting = 'vscode-kd-servers ';
const version = 1;
const maxListed = 100;

/** Answers at the same time, and in a second. */
const maxAnswers = 8;
const maxRate = 20;
/** Milliseconds until the port is tried again while another process has it. */
const retryInterval = 2000;
/** Milliseconds for a whole answer. */
const queryLimit = 5000;

export type ListedServer = Pick<ServerEntry, 'kind' | 'spec'>;

export interface Responder {
  /** What the user should know. */
  readonly notices: readonly string[];
  dispose(): Promise<void>;
}

/** Never rejects. While another process of ours answers on the port, this one waits to take over. */
export async function startResponder(port = responderPort): Promise<Responder> {
  const rate = new Rate(maxRate);
  let answering = 0;
  const answer = async (wire: Wire) => {
    if (answering >= maxAnswers || !rate.take()) {
      wire.close();
      return;
    }
    answering++;
    wire.closed(() => answering--);
    try {
      await wire.write(Buffer.from(await listing()));
    } catch {
      // It has gone.
    }
    wire.close();
  };
  const listen = () => listenTcp({ port }, (wire) => void answer(wire));
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let listener: { close(): Promise<void> } | undefined;
  const retry = () => {
    timer = setTimeout(() => {
      listen().then(
        (opened) => {
          if (ended) void opened.close();
          else listener = opened;
        },
        () => {
          if (!ended) retry();
        },
      );
    }, retryInterval);
    timer.unref();
  };
  const notices: string[] = [];
  try {
    listener = await listen();
  } catch (error) {
    const ours =
      codeOf(error) === 'EADDRINUSE' &&
      (await queryResponder('localhost', { port }).then(
        () => true,
        () => false,
      ));
    if (!ours) notices.push(messages.portTaken(port));
    retry();
  }
  return {
    notices,
    dispose: async () => {
      ended = true;
      clearTimeout(timer);
      await listener?.close();
    },
  };
}

async function listing(): Promise<string> {
  const servers = (await registeredServers()).filter(({ advertise }) => advertise).slice(0, maxListed);
  const lines = servers.map(({ kind, spec }) => JSON.stringify({ kind, spec }));
  return [`${greeting}${version} ${lines.length}`, ...lines].map((line) => `${line}\n`).join('');
}

export interface QueryOptions {
  readonly port?: number;
  readonly signal?: AbortSignal;
}

/** What the responder of another machine tells. Rejects with a one-line UserError. */
export async function queryResponder(
  host: string,
  { port = responderPort, signal }: QueryOptions = {},
): Promise<ListedServer[]> {
  const limited = withLimit(signal, queryLimit);
  const wire = await connectTcp({ host, port }, { signal: limited }).catch((error: unknown) => {
    signal?.throwIfAborted();
    const unknown = ['ENOTFOUND', 'EAI_AGAIN'].includes(codeOf(error) ?? '');
    throw unknown ? error : new UserError(messages.noResponder(host, port), { cause: error });
  });
  const lines = new LineWire(wire);
  try {
    const first = await lines.readLine(greeting, limited);
    const count = Number(/^1 (\d{1,3})$/.exec(first.slice(greeting.length))?.[1] ?? Number.NaN);
    if (!(count <= maxListed)) throw new LineError('another version', first);
    const servers: ListedServer[] = [];
    for (let i = 0; i < count; i++) servers.push(parseServer(await lines.readLine('{', limited)));
    return servers;
  } catch (error) {
    signal?.throwIfAborted();
    throw new UserError(messages.noSense(host, port), { cause: error });
  } finally {
    lines.close();
  }
}

function parseServer(line: string): ListedServer {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new LineError(errorText(error), line);
  }
  const { kind, spec } = (value ?? {}) as { kind?: unknown; spec?: unknown };
  if (!isKind(kind) || typeof spec !== 'string') throw new LineError('no server', line);
  return { kind, spec: oneLine(spec, 1024) };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof UserError ? errorCode(error.cause) : undefined;
}

/** At most so many in a second. */
export class Rate {
  private window = 0;
  private used = 0;

  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  take(): boolean {
    const window = Math.floor(this.now() / 1000);
    if (window !== this.window) {
      this.window = window;
      this.used = 0;
    }
    return ++this.used <= this.perSecond;
  }
}
