/**
 * Reverse connections (`clicon=`): the client listens and the server dials, once; after that client has left, a new
 * `.server` is needed. Either side may be there first.
 */
import { withLimit } from '../base/abort';
import { errorText, UserError } from '../base/errors';
import { errorCode } from '../wire/openErrors';
import type { Wire } from '../wire/wire';
import { GreetingError, looksLikeServer } from './handshake';
import { remoteMessages as messages } from './messages';
import { portRange, type SessionString } from './sessionString';
import type { Carrier, Door, Peer } from './transports/transport';

export interface DialTimes {
  /** Milliseconds between two attempts, and after which a server gives up. */
  readonly interval: number;
  readonly limit: number;
}

const defaultDial: DialTimes = { interval: 1000, limit: 120_000 };

export interface DialOptions {
  readonly times?: DialTimes;
  /** Resolves to whether the peer joined. */
  admit(wire: Wire, peer: Peer): Promise<boolean>;
  /** Called once; with a line when no client ever joined. */
  ended(line: string | undefined): void;
}

/** The server's side: tries until the client is there. Returns at once. */
export function dialClient(carrier: Carrier, string: SessionString, options: DialOptions): Door {
  const stop = new AbortController();
  void dial(carrier, string, options, stop.signal).then(options.ended);
  const close = () => {
    stop.abort();
    return Promise.resolve();
  };
  return { string, port: portRange(string.values).low, firewallPorts: [], close };
}

async function dial(
  carrier: Carrier,
  string: SessionString,
  { times = defaultDial, admit }: DialOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const address = carrier.where(string);
  const deadline = Date.now() + times.limit;
  for (;;) {
    try {
      const wire = await carrier.connect(string, signal);
      const left = new Promise<void>((resolve) => wire.closed(() => resolve()));
      const host = address.slice(0, address.lastIndexOf(':'));
      if (!(await admit(wire, { address, host }))) return messages.reverseRefused(address);
      await left;
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      const unknown = error instanceof UserError && errorCode(error.cause) === 'ENOTFOUND';
      const last = Date.now() + times.interval >= deadline;
      if (unknown || last) return messages.reverseFailed(address, errorText(error).replace(/\.$/, ''));
    }
    await pause(times.interval, signal);
  }
}

export interface AwaitTimes {
  /** Milliseconds a client waits for its server, and between two looks whether the server waits for us instead. */
  readonly limit: number;
  readonly probeInterval: number;
}

const defaultAwait: AwaitTimes = { limit: 600_000, probeInterval: 5000 };
/** Connections that may be looked at together. */
const maxCallers = 8;
const probeLimit = 3000;

export interface AwaitOptions {
  readonly times?: AwaitTimes;
  readonly signal?: AbortSignal;
  /** All that precedes the session protocol; rejects with GreetingError when the caller is no server of ours. */
  enter(wire: Wire, signal: AbortSignal): Promise<Wire>;
  /** What precedes the greeting, for a look at what listens there. */
  open(wire: Wire, signal: AbortSignal): Promise<Wire>;
  /** Told once the port is known. */
  waiting(line: string): void;
}

/** The client's side: resolves with the connection of the first server that calls. Rejects with a one-line UserError. */
export async function awaitServer(
  carrier: Carrier,
  string: SessionString,
  options: AwaitOptions,
): Promise<Wire> {
  const { times = defaultAwait } = options;
  const where = carrier.where(string);
  const over = new AbortController();
  const signals = options.signal ? [over.signal, options.signal] : [over.signal];
  const signal = AbortSignal.any(signals);
  signal.throwIfAborted();
  const late = () => over.abort(new UserError(messages.nobodyCame(where, times.limit / 1000)));
  const timer = setTimeout(late, times.limit);
  let callers = 0;
  let door: Door | undefined;
  try {
    return await new Promise<Wire>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      const called = async (wire: Wire) => {
        if (callers >= maxCallers || signal.aborted) {
          wire.close();
          return;
        }
        callers++;
        try {
          const entered = await options.enter(wire, signal);
          if (over.signal.aborted) entered.close();
          else resolve(entered);
        } catch (error) {
          if (!(error instanceof GreetingError)) reject(error);
        } finally {
          callers--;
        }
      };
      const first = probe(carrier, string, options.open, signal);
      void probeOn(
        first,
        () => probe(carrier, string, options.open, signal),
        times.probeInterval,
        signal,
      ).then(reject, reject);
      carrier
        .listen(string, (wire) => void called(wire))
        .then((opened) => {
          door = opened;
          if (signal.aborted) void opened.close();
          else options.waiting(messages.awaiting(where, opened.port ?? 0));
        })
        // The port may be taken by just the server that should have called us.
        .catch(async (error: unknown) => reject((await first) ?? error));
    });
  } finally {
    clearTimeout(timer);
    over.abort(new UserError(messages.noAnswer(where)));
    await door?.close();
  }
}

/** The complaint when a server is there that waits for us as we wait for it. */
async function probe(
  carrier: Carrier,
  string: SessionString,
  open: AwaitOptions['open'],
  signal: AbortSignal,
): Promise<UserError | undefined> {
  const limited = withLimit(signal, probeLimit);
  try {
    const wire = await carrier.connect(string, limited);
    try {
      if (await looksLikeServer(await open(wire, limited), limited))
        return new UserError(messages.notReverse(carrier.where(string)));
    } finally {
      wire.close();
    }
  } catch {
    // Nobody there, or somebody else: just what a waiting client expects.
  }
  return undefined;
}

/** Looks again and again until there is something to complain of. */
async function probeOn(
  first: Promise<UserError | undefined>,
  again: () => Promise<UserError | undefined>,
  interval: number,
  signal: AbortSignal,
): Promise<UserError | undefined> {
  let found = await first;
  while (!found && !signal.aborted) {
    await pause(interval, signal);
    found = await again();
  }
  return found;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
