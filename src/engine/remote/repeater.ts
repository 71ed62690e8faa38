/**
 * A repeater: lets two who cannot reach each other meet on a third machine. Whoever connects to its server side gets a
 * connection of his own to the debugging server; bytes pass in both directions and are not looked at, so passwords and
 * encryption are between client and server.
 */
import { hostname } from 'node:os';
import { withLimit } from '../base/abort';
import { errorText, UserError } from '../base/errors';
import { relay } from '../wire/relay';
import type { Wire } from '../wire/wire';
import { repeaterMessages as messages } from './repeaterMessages';
import { dialClient, type DialTimes } from './reverse';
import {
  formatClientString,
  hostOf,
  parseClientString,
  parseServerString,
  type SessionString,
} from './sessionString';
import { transportOf } from './transports';
import type { Carrier, Door, Peer } from './transports/transport';

export interface RepeaterOptions {
  /** What clients connect to; as after `.server`, without password. */
  readonly server: string;
  /** The debugging server; as after `-remote`, without password. */
  readonly client: string;
  /** `-p`: goes on when a side has closed. */
  readonly persistent?: boolean;
  /** Told line by line who comes and goes. */
  readonly log?: (line: string) => void;
  /** How long reverse connections are tried. */
  readonly dial?: DialTimes;
  readonly signal?: AbortSignal;
}

export interface Repeater {
  /** What a client gives after `-remote`. */
  readonly clientString: string;
  /** Whole lines for who started it. */
  readonly text: string;
  /** Resolves when it is over, with a line when it never did what it is for. */
  readonly ended: Promise<string | undefined>;
  dispose(): Promise<void>;
}

/** Connections at the same time. */
const maxConnections = 64;
/** Milliseconds a debugging server may take to call, when it has `clicon=`. */
const callLimit = 130_000;
/** Milliseconds before a client that has gone is called again. */
const redialPause = 1000;

/** Rejects with a one-line UserError: a bad string, a port in use. */
export async function startRepeater(options: RepeaterOptions): Promise<Repeater> {
  const server = parseServerString(options.server);
  const client = parseClientString(options.client);
  checkLegs(server, client);
  const { carrier } = transportOf(server.transport);
  const running = new RunningRepeater(transportOf(client.transport).carrier, client, options);
  if (server.values.has('CliCon')) return running.opened(running.dial(carrier, server));
  return running.opened(await carrier.listen(server, (wire, peer) => void running.connect(wire, peer)));
}

function checkLegs(server: SessionString, client: SessionString): void {
  for (const [leg, { transport, values }] of [
    ['-s', server],
    ['-c', client],
  ] as const) {
    if (transport === 'ssl' || transport === 'spipe') throw new UserError(messages.encrypted(transport));
    // Everything that says who may come, or that lists: the debugging server's business.
    for (const name of ['Password', 'Observer', 'Trust', 'Advertise']) {
      if (values.has(name)) throw new UserError(messages.forbidden(name, leg));
    }
  }
  const port = serialPort(client);
  if (port !== undefined && port === serialPort(server)) throw new UserError(messages.samePort(port));
}

/** `com2`, `2` and `\\.\COM2` are one port. */
function serialPort({ transport, values }: SessionString): string | undefined {
  if (transport !== 'com') return undefined;
  const port = values.get('Port') ?? '';
  const number = /^(?:\\\\\.\\)?(?:com)?(\d+)$/i.exec(port)?.[1];
  return number === undefined ? port : `COM${Number(number)}`;
}

class RunningRepeater {
  private readonly stop = new AbortController();
  private readonly connections = new Set<Wire>();
  private door: Door | undefined;
  private settle: (line: string | undefined) => void = () => {};
  private readonly ended = new Promise<string | undefined>((resolve) => (this.settle = resolve));

  constructor(
    private readonly carrier: Carrier,
    private readonly target: SessionString,
    private readonly options: RepeaterOptions,
  ) {
    const { signal } = options;
    signal?.addEventListener('abort', () => void this.end(undefined), { once: true });
    if (signal?.aborted) void this.end(undefined);
  }

  opened(door: Door): Repeater {
    this.door = door;
    if (this.stop.signal.aborted) void door.close();
    void door.failed?.then((error) => this.end(error.message));
    const { string, port } = door;
    const bound = hostOf(string.values, 'Bind');
    const own = bound === undefined || bound === '0.0.0.0' || bound === '::' ? hostname() : bound;
    const clientString = formatClientString(string, own, port);
    return {
      clientString,
      text: `${messages.started(clientString, this.carrier.where(this.target))}\n`,
      ended: this.ended,
      dispose: () => this.end(undefined),
    };
  }

  /** Calls the client instead of waiting for it; with `-p` again when it has gone. */
  dial(carrier: Carrier, server: SessionString): Door {
    return dialClient(carrier, server, {
      times: this.options.dial,
      admit: (wire, peer) => this.connect(wire, peer),
      ended: (line) => {
        if (line !== undefined || !this.options.persistent || this.stop.signal.aborted) void this.end(line);
        else setTimeout(() => this.redial(carrier, server), redialPause);
      },
    });
  }

  private redial(carrier: Carrier, server: SessionString): void {
    if (!this.stop.signal.aborted) this.door = this.dial(carrier, server);
  }

  /** Serves one client until it has gone; false when it could not be connected. */
  async connect(wire: Wire, peer: Peer): Promise<boolean> {
    const { log = () => {} } = this.options;
    const { address } = peer;
    if (this.stop.signal.aborted || this.connections.size >= maxConnections) {
      if (!this.stop.signal.aborted) log(messages.full(address, maxConnections));
      wire.close();
      return false;
    }
    this.connections.add(wire);
    log(messages.joined(address));
    // He may leave while the debugging server is being called.
    const gone = new AbortController();
    wire.closed(() => gone.abort(new UserError('gone')));
    const relayed = this.reach(AbortSignal.any([gone.signal, this.stop.signal])).then(
      async (far) => {
        const reason = await relay(wire, far);
        log(messages.left(address, reason?.message));
        return undefined;
      },
      (error: unknown) => {
        const line = gone.signal.aborted ? undefined : errorText(error);
        wire.close();
        log(line === undefined ? messages.left(address, undefined) : messages.noServer(address, line));
        return line;
      },
    );
    void relayed.then((line) => {
      this.connections.delete(wire);
      if (this.options.persistent || this.connections.size > 0 || this.stop.signal.aborted) return;
      log(messages.over);
      void this.end(line);
    });
    return (await relayed) === undefined;
  }

  async end(line: string | undefined): Promise<void> {
    this.stop.abort(new UserError('The repeater ends.'));
    for (const wire of this.connections) wire.close();
    await this.door?.close();
    this.settle(line);
  }

  /** A new connection to the debugging server, called or awaited. */
  private async reach(signal: AbortSignal): Promise<Wire> {
    if (!this.target.values.has('CliCon')) return this.carrier.connect(this.target, signal);
    const limited = withLimit(signal, callLimit);
    let door: Door | undefined;
    try {
      return await new Promise<Wire>((resolve, reject) => {
        let taken = false;
        limited.addEventListener('abort', () => reject(limited.reason), { once: true });
        const called = (wire: Wire) => {
          if (taken || limited.aborted) {
            wire.close();
            return;
          }
          taken = true;
          resolve(wire);
        };
        this.carrier.listen(this.target, called).then((opened) => {
          door = opened;
          if (taken || limited.aborted) void opened.close();
        }, reject);
      });
    } finally {
      await door?.close();
    }
  }
}
