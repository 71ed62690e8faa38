/** Joins the session of a debugging server, as `-remote` and *Connect to Remote Session* do. */
import { CancelledError, errorText, UserError } from '../base/errors';
import type { ClientInfo, OutputItem } from '../session/protocol';
import { defaultHeartbeat, type Heartbeat } from '../session/peer';
import { SessionClient } from '../session/rpc';
import { connectTcp, formatAddress } from '../wire/tcp';
import { clientHandshake, localIdentity, type Identity } from './handshake';
import { remoteMessages as messages } from './messages';
import { resolvePassword } from './password';
import { hostOf, parseClientString, portRange } from './sessionString';

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

export interface JoinOptions {
  readonly signal?: AbortSignal;
  /** Who we are to the others; this machine and user when left out. */
  readonly clientIdentity?: Identity;
  /** Asks for the password when the string has `Password=*`. */
  readonly askPassword?: () => Promise<string>;
  /** How much of the output so far is wanted; all that is kept when left out. */
  readonly historyItems?: number;
  readonly heartbeat?: Heartbeat;
}

/** Rejects with a one-line UserError: a bad string, nobody there, not one of ours, another version, no access. */
export async function joinSession(remote: string, options: JoinOptions = {}): Promise<JoinedSession> {
  const { transport, values } = parseClientString(remote);
  if (transport !== 'tcp') throw new UserError(messages.unsupported(transport));
  if (values.has('CliCon')) throw new UserError(messages.unsupported('Reverse (clicon)'));
  const password = await resolvePassword(values.get('Password'), { ask: options.askPassword });
  const address = { host: hostOf(values, 'Server') ?? '', port: portRange(values).low };
  const { signal, historyItems, heartbeat = defaultHeartbeat } = options;
  const where = formatAddress(address);
  const wire = await clientHandshake(await connectTcp(address, { signal }), {
    where,
    identity: options.clientIdentity ?? localIdentity(),
    password,
    signal,
  });
  const limit = AbortSignal.timeout(attachLimit);
  try {
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    const client = await SessionClient.attach(wire, { historyItems, signal: either, heartbeat });
    return openedSession(client, () => client.leave());
  } catch (error) {
    if (limit.aborted) throw new UserError(messages.noAnswer(where));
    if (error instanceof CancelledError) throw error;
    throw new UserError(messages.lostWhileJoining(where, errorText(error)), { cause: error });
  }
}

export function openedSession(client: SessionClient, dispose: () => Promise<void>): OpenedSession {
  const { info: self, banner, history } = client;
  return { client, self, banner, history, dispose };
}
