/**
 * The client's end of a session, the same for the terminal, the DAP adapter and any remote peer: typed requests,
 * typed events, the latest state.
 */
import { UserError } from '../base/errors';
import { Emitter, type Disposable, type Event } from '../base/emitter';
import type { Wire } from '../wire/wire';
import { messages } from './messages';
import {
  eventNames,
  type ClientInfo,
  type EventName,
  type Events,
  type OutputItem,
  type RequestName,
  type Requests,
  type SessionState,
} from './protocol';
import { connectRpc, type Heartbeat, type RpcPeer } from './peer';

export interface AttachOptions {
  /** How many items of the output so far are wanted; all that is kept when left out. */
  readonly historyItems?: number;
  readonly signal?: AbortSignal;
  /** Left out for a wire within one process. */
  readonly heartbeat?: Heartbeat;
}

/** Events of one kind that are kept until somebody listens to it. */
const maxKept = 10_000;

export class SessionClient {
  /** This client as the session knows it. */
  info!: ClientInfo;
  banner = '';
  /** The output before this client joined, oldest first. */
  history: readonly OutputItem[] = [];

  private readonly peer: RpcPeer;
  private readonly emitters = new Map<EventName, Emitter<unknown>>();
  private readonly kept = new Map<EventName, unknown[]>();
  private readonly closedEmitter = new Emitter<Error | undefined>();
  private latest: SessionState | undefined;
  /** The session said it is over, or we left it. */
  private inOrder = false;
  private lastSeq = 0;
  private end: { readonly error: Error | undefined } | undefined;

  private constructor(wire: Wire, options: AttachOptions) {
    this.peer = connectRpc(wire, {
      onRequest: () => Promise.reject(new Error('Clients answer no requests.')),
      onEvent: (name, payload) => this.onEvent(name, payload),
      onClosed: (reason) => this.onClosed(reason),
      summary: () => new Uint8Array(0),
      heartbeat: options.heartbeat,
      trusting: true,
    });
  }

  /** Joins the session at the other end of the wire. The wire is closed when that fails. */
  static async attach(wire: Wire, options: AttachOptions = {}): Promise<SessionClient> {
    const client = new SessionClient(wire, options);
    const { historyItems, signal } = options;
    try {
      await client.request('attach', historyItems === undefined ? {} : { historyItems }, signal);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** The newest state the session told. */
  get state(): SessionState {
    if (!this.latest) throw new Error('Not attached.');
    return this.latest;
  }

  /**
   * Fires once when the connection is over; told to late listeners too. The value is the reason when the session was
   * lost, undefined when it ended (`ended` came before) or when we left.
   */
  readonly closed: Event<Error | undefined> = (listener) => {
    const { end } = this;
    if (!end) return this.closedEmitter.event(listener);
    let wanted = true;
    queueMicrotask(() => wanted && listener(end.error));
    return { dispose: () => (wanted = false) };
  };

  /** Rejects with UserError when the session refuses, with CancelledError when cancelled. */
  async request<M extends RequestName>(
    method: M,
    params: Requests[M]['params'],
    signal?: AbortSignal,
  ): Promise<Requests[M]['result']> {
    const result = await this.peer.request(method, params, signal);
    if (method === 'attach') this.onAttached(result as Requests['attach']['result']);
    return result;
  }

  /** What came before the first listener of an event is told to it at once; of `state` see the property. */
  on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): Disposable {
    let emitter = this.emitters.get(event);
    if (!emitter) this.emitters.set(event, (emitter = new Emitter<unknown>()));
    const subscription = emitter.event((payload) => listener(payload as Events[E]));
    const kept = this.kept.get(event) ?? [];
    this.kept.delete(event);
    for (const payload of kept) emitter.fire(payload);
    return subscription;
  }

  /** Shows a line of our own among the output. */
  notice(line: string): void {
    this.onEvent('output', { seq: this.lastSeq, kind: 'notice', text: `${line}\n` } satisfies OutputItem);
  }

  /** Leaves the session, which goes on without this client. */
  close(): void {
    void this.leave();
  }

  /** As `close`; resolves when what was still to be sent is on its way. */
  leave(): Promise<void> {
    this.inOrder = true;
    return this.peer.close();
  }

  private onEvent(name: string, payload: unknown): void {
    if (!isEventName(name) || typeof payload !== 'object' || payload === null) return;
    if (name === 'state') this.latest = payload as SessionState;
    if (name === 'ended') this.inOrder = true;
    if (name === 'output') this.lastSeq = (payload as OutputItem).seq;
    const emitter = this.emitters.get(name);
    if (emitter) {
      emitter.fire(payload);
      return;
    }
    if (name === 'state') return;
    const kept = this.kept.get(name) ?? [];
    if (kept.length < maxKept) kept.push(payload);
    this.kept.set(name, kept);
  }

  private onAttached(answer: Requests['attach']['result']): void {
    this.info = answer.client;
    this.banner = answer.banner;
    this.history = answer.history;
    // An event that overtook the answer is newer.
    this.latest ??= answer.state;
    // What is in the history is not told twice.
    const last = answer.history.at(-1)?.seq ?? 0;
    this.lastSeq = Math.max(this.lastSeq, last);
    const kept = this.kept.get('output') as OutputItem[] | undefined;
    if (kept) {
      this.kept.set(
        'output',
        kept.filter((item) => item.seq > last),
      );
    }
  }

  private onClosed(reason: Error | undefined): void {
    const error = this.inOrder ? undefined : (reason ?? new UserError(messages.serverClosed));
    this.end = { error };
    this.closedEmitter.fire(error);
  }
}

function isEventName(name: string): name is EventName {
  return (eventNames as readonly string[]).includes(name);
}
