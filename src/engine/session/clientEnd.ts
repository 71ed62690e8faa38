/** The session's end of one client: its identity, its connection, and the dispatch of its requests. */
import { UserError } from '../base/errors';
import type { Role } from '../command/command';
import type { Wire } from '../wire/wire';
import { handle } from './handlers';
import { messages } from './messages';
import type { Outbox, OutboxLimits } from './outbox';
import type { ClientInfo, EventName, Events } from './protocol';
import { connectRpc, eventFrame, type Heartbeat, type RpcPeer } from './peer';
import type { Session } from './session';
import { countLines } from './text';

export interface ClientOptions {
  /** `MACHINE\user`, with the transport address for a remote client. */
  readonly identity: string;
  readonly remote: boolean;
  /** `control` when left out. */
  readonly role?: Role;
  /** May use commands that touch this machine. */
  readonly trusted?: boolean;
  /** Left out for a wire within one process. */
  readonly heartbeat?: Heartbeat;
  readonly outbox?: OutboxLimits;
}

/** Milliseconds a client may take to send `attach`, and to take the last words of a session. */
const attachLimit = 10_000;
const lastWordsLimit = 2000;

export class SessionClientEnd {
  /** The command that bare Enter repeats. */
  repeatable: string | undefined;
  /** May use commands that touch this machine. */
  readonly trusted: boolean;
  private current: ClientInfo;
  private readonly peer: RpcPeer;
  private readonly attachTimer: NodeJS.Timeout;
  private joined = false;

  constructor(
    private readonly session: Session,
    wire: Wire,
    id: number,
    options: ClientOptions,
  ) {
    const { identity, remote, role, trusted = false } = options;
    this.trusted = trusted || !remote;
    this.current = {
      id,
      identity,
      remote,
      lastActive: Date.now(),
      ...(role === 'observe' && { role }),
    };
    this.peer = connectRpc(wire, {
      onRequest: (method, params, signal) => handle({ session, client: this, signal }, method, params),
      onEvent: () => {},
      onClosed: () => {
        clearTimeout(this.attachTimer);
        session.leave(this);
      },
      summary: (lines) =>
        eventFrame('output', { seq: session.lastSeq, kind: 'notice', text: `${messages.leftOut(lines)}\n` }),
      heartbeat: options.heartbeat,
      outbox: options.outbox,
    });
    this.attachTimer = setTimeout(() => this.peer.drop(new UserError('did not attach')), attachLimit);
    this.attachTimer.unref();
  }

  get info(): ClientInfo {
    return this.current;
  }

  get isJoined(): boolean {
    return this.joined;
  }

  get outbox(): Outbox {
    return this.peer.outbox;
  }

  /** Marks the client as having done something just now. */
  touch(): void {
    this.current = { ...this.current, lastActive: Date.now() };
  }

  get role(): Role {
    return this.current.role ?? 'control';
  }

  set role(role: Role) {
    const { role: _old, ...rest } = this.current;
    this.current = { ...rest, ...(role === 'observe' && { role }) };
  }

  join(): void {
    this.joined = true;
    clearTimeout(this.attachTimer);
    this.session.join(this);
  }

  send<E extends EventName>(name: E, payload: Events[E]): void {
    if (name === 'output') {
      const { text } = payload as Events['output'];
      this.sendFrame(eventFrame(name, payload), countLines(text));
      return;
    }
    this.peer.send(eventFrame(name, payload), name === 'state' ? 'state' : 'reply');
  }

  /** An `output` frame, made once for all clients. */
  sendFrame(frame: Uint8Array, lines: number): void {
    this.peer.send(frame, 'output', lines);
  }

  /** Closes after what waits was sent. */
  close(): Promise<void> {
    return this.peer.close(lastWordsLimit);
  }

  /** Tells why, and closes. */
  end(reason: string): void {
    this.send('ended', { reason });
    void this.close();
  }
}
