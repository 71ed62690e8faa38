/** The session's end of one client: its identity, its connection, and the dispatch of its requests. */
import { UserError } from '../base/errors';
import type { Role } from '../command/command';
import type { Wire } from '../wire/wire';
import { handle } from './handlers';
import { messages } from './messages';
import type { Outbox, OutboxLimits } from './outbox';
import type { ClientInfo, EventName, Events } from './protocol';
import { connectRpc, eventFrame, type Heartbeat, type RpcPeer } from './peer';
import { ResumableWire, type LinkChange } from './resumableWire';
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
  readonly away?: AwayLimits;
}

/** How long a client whose connection broke is kept, in milliseconds. */
export interface AwayLimits {
  /** From now on it is not listed any more, when its connection was closed rather than fell silent. */
  readonly listed: number;
  /** From now on it cannot come back. */
  readonly kept: number;
}

export const defaultAwayLimits: AwayLimits = { listed: 10_000, kept: 60_000 };

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
  private hidden = false;
  private awayTimers: NodeJS.Timeout[] = [];

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
        this.stopAwayTimers();
        session.leave(this);
      },
      summary: (lines) =>
        eventFrame('output', { seq: session.lastSeq, kind: 'notice', text: `${messages.leftOut(lines)}\n` }),
      heartbeat: options.heartbeat,
      outbox: options.outbox,
    });
    this.attachTimer = setTimeout(() => this.peer.drop(new UserError('did not attach')), attachLimit);
    this.attachTimer.unref();
    if (wire instanceof ResumableWire) wire.linkChanged((change) => this.onLink(wire, change, options.away));
  }

  /** Away for so long that the others need not see it any more. */
  get isHidden(): boolean {
    return this.hidden;
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

  private onLink(wire: ResumableWire, { up, closed }: LinkChange, limits = defaultAwayLimits): void {
    const { away: _old, ...rest } = this.current;
    this.stopAwayTimers();
    this.hidden = false;
    if (!up && !this.joined) return wire.fail(new UserError(messages.notBack));
    this.current = up ? rest : { ...rest, away: true };
    this.session.audit({ event: up ? 'back' : 'away', client: this.current });
    this.session.updateState();
    if (up) return;
    const hide = () => {
      this.hidden = true;
      this.session.updateState();
    };
    const giveUp = () => wire.fail(new UserError(messages.notBack));
    this.awayTimers = [setTimeout(giveUp, limits.kept), ...(closed ? [setTimeout(hide, limits.listed)] : [])];
    for (const timer of this.awayTimers) timer.unref();
  }

  private stopAwayTimers(): void {
    for (const timer of this.awayTimers.splice(0)) clearTimeout(timer);
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
