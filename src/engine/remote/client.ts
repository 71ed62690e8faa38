/** Joins the session of a debugging server, as `-remote` and *Connect to Remote Session* do. */
import { withLimit } from '../base/abort';
import type { Disposable } from '../base/emitter';
import { CancelledError, errorText, UserError } from '../base/errors';
import type { ClientInfo, OutputItem } from '../session/protocol';
import { defaultHeartbeat, type Heartbeat } from '../session/peer';
import { ResumableWire } from '../session/resumableWire';
import { SessionClient } from '../session/rpc';
import type { Wire } from '../wire/wire';
import {
  clientHandshake,
  clientResume,
  handshakeLimit,
  localIdentity,
  type ClientHandshake,
  type Identity,
} from './handshake';
import { remoteMessages as messages } from './messages';
import { resolvePassword } from './password';
import { awaitServer, type AwaitTimes } from './reverse';
import { keepJoined } from './reconnect';
import type { Ticket } from './resume';
import { parseClientString } from './sessionString';
import { transportOf } from './transports';
import type { ClientLayer } from './transports/transport';

/** A place in a session, whether ours or another's. */
export interface OpenedSession {
  readonly client: SessionClient;
  readonly self: ClientInfo;
  readonly banner: string;
  /** The output before we came, oldest first. */
  readonly history: readonly OutputItem[];
  /** Joined: leaves. Hosted: ends the session for everybody. Resolves when all is closed. */
  dispose(): Promise<void>;
}

export type JoinedSession = OpenedSession;

/** Milliseconds a server may take to hand out its state and its output so far. */
const attachLimit = 30_000;
const slowAttachLimit = 600_000;

export interface JoinOptions {
  readonly signal?: AbortSignal;
  /** Who we are to the others; this machine and user when left out. */
  readonly clientIdentity?: Identity;
  /** Asks for the password when the string has `Password=*`. */
  readonly askPassword?: () => Promise<string>;
  /** How much of the output so far is wanted; all that is kept when left out. */
  readonly historyItems?: number;
  readonly heartbeat?: Heartbeat;
  /** Told what is waited for, where a reverse connection makes the client wait. */
  readonly onWaiting?: (line: string) => void;
  readonly awaitTimes?: AwaitTimes;
  /** Come back after the network broke, and miss nothing; on when left out. */
  readonly resume?: boolean;
  /** Milliseconds in which that is tried; a minute when left out. */
  readonly resumeTime?: number;
}

/** Rejects with a one-line UserError: a bad string, nobody there, not one of ours, another version, no access. */
export async function joinSession(remote: string, options: JoinOptions = {}): Promise<JoinedSession> {
  const string = parseClientString(remote);
  const { values } = string;
  const transport = transportOf(string.transport);
  const { carrier } = transport;
  const password = await resolvePassword(values.get('Password'), { ask: options.askPassword });
  const { signal, historyItems, heartbeat = defaultHeartbeat } = options;
  const where = carrier.where(string);
  const layer = await transport.clientLayer(string);
  const identity = options.clientIdentity ?? localIdentity();
  let ticket: Ticket | undefined;
  const ticketed = options.resume === false ? undefined : (given: Ticket) => void (ticket = given);
  const entry = { layer, where, identity, password, signal, ticketed };
  const entered = values.has('CliCon')
    ? await awaitServer(carrier, string, {
        times: options.awaitTimes,
        signal,
        enter: (called) => enter(called, entry),
        open: layer.open,
        waiting: (line) => options.onWaiting?.(line),
      })
    : await enter(await carrier.connect(string, signal), entry);
  const resumable = ticket && new ResumableWire(entered);
  const wire = resumable ?? entered;
  const limit = withLimit(undefined, carrier.slow ? slowAttachLimit : attachLimit);
  try {
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    const attaching = SessionClient.attach(wire, { historyItems, signal: either, heartbeat });
    const joining = resumable && endWithLink(resumable);
    const client = await attaching;
    joining?.dispose();
    if (ticket && resumable) {
      const place = ticket;
      keepJoined(client, resumable, {
        where,
        time: options.resumeTime,
        come: async (stop) => {
          const open = await layer.open(await carrier.connect(string, stop), stop);
          await clientResume(open, { ...entry, signal: stop }, place, resumable);
        },
      });
    }
    let over = false;
    client.on('ended', () => (over = true));
    const dispose = async () => {
      await client.leave();
      if (over) await carrier.lastWords?.();
    };
    return openedSession(client, dispose, layer.notices);
  } catch (error) {
    if (limit.aborted) throw new UserError(messages.noAnswer(where));
    if (error instanceof CancelledError) throw error;
    throw new UserError(messages.lostWhileJoining(where, errorText(error)), { cause: error });
  }
}

/** Until the session was joined there is nothing to come back to: the end of the connection is the end. */
function endWithLink(wire: ResumableWire): Disposable {
  const end = (reason = new Error('the connection was closed')) => wire.fail(reason);
  const subscription = wire.linkChanged(({ up, reason }) => {
    if (!up) end(reason);
  });
  if (!wire.isUp) end();
  return subscription;
}

interface Entry extends ClientHandshake {
  readonly layer: ClientLayer;
}

/** All that precedes the session protocol on a new connection. */
async function enter(wire: Wire, entry: Entry): Promise<Wire> {
  const { layer, where, signal } = entry;
  const open = await layer.open(
    wire,
    withLimit(signal, handshakeLimit, new UserError(messages.noAnswer(where))),
  );
  return clientHandshake(open, entry);
}

/** `notices` are lines about the way we came, for whoever joins; they precede the banner. */
export function openedSession(
  client: SessionClient,
  dispose: () => Promise<void>,
  notices: readonly string[] = [],
): OpenedSession {
  const { info: self, history } = client;
  const banner = notices.map((line) => `${line}\n`).join('') + client.banner;
  return { client, self, banner, history, dispose };
}
