/**
 * One end of the session protocol on a Wire: typed requests both ways with cancellation, events one way, a
 * heartbeat. Session and SessionClient are built on it; what goes over it is the table in protocol.ts.
 */
import {
  CancellationTokenSource,
  createMessageConnection,
  ErrorCodes,
  NullLogger,
  ResponseError,
  type Disposable as RpcDisposable,
  type Message,
  type MessageReader,
  type MessageWriter,
} from 'vscode-jsonrpc/node';
import { CancelledError, errorText, UserError } from '../base/errors';
import { Emitter } from '../base/emitter';
import type { Wire } from '../wire/wire';
import { encodeMessage, MessageParser, type RpcMessage } from './framing';
import { messages } from './messages';
import { defaultOutboxLimits, Outbox, type FrameKind, type OutboxLimits } from './outbox';
import type { EventName, Events, RequestName, Requests } from './protocol';
import { ResumableWire } from './resumableWire';

export interface Heartbeat {
  /** Milliseconds between two pings, and without any byte after which the peer is taken for gone. */
  readonly interval: number;
  readonly limit: number;
}

/** A dead peer is noticed within 15 seconds: after the limit, at the next ping that would be due. */
export const defaultHeartbeat: Heartbeat = { interval: 2000, limit: 12_000 };

export interface RpcOptions {
  /** Answers a request; the signal is aborted when the caller gives up or the connection ends. */
  onRequest(method: string, params: unknown, signal: AbortSignal): Promise<unknown>;
  onEvent(name: string, payload: unknown): void;
  /** Called once, with the reason; undefined when the peer or we closed in order. */
  onClosed(reason: Error | undefined): void;
  /** The frame that tells the peer how much output was left out. */
  summary(lines: number): Uint8Array;
  /** Left out for a wire within one process. */
  readonly heartbeat?: Heartbeat;
  readonly outbox?: OutboxLimits;
  /** Make strings printable and put no bound on how many messages may wait: the client's side. */
  readonly trusting?: boolean;
}

/** Requests of one peer that may be under way at once, and messages that may wait to be looked at. */
const maxInFlight = 1100;
const maxBacklog = 4096;
/** Milliseconds a peer may take to answer a request that was cancelled. */
const cancelLimit = 2000;
/** Bytes after which a peer that resumes is told how much has come. */
const acknowledgeStep = 32 * 1024;
const userErrorCode = 1;
/** As in the Language Server Protocol. */
const requestCancelled = -32800;

export interface RpcPeer {
  request<M extends RequestName>(
    method: M,
    params: Requests[M]['params'],
    signal?: AbortSignal,
  ): Promise<Requests[M]['result']>;
  send(frame: Uint8Array, kind: FrameKind, lines?: number): void;
  readonly outbox: Outbox;
  /** Closes after what waits was written, at the latest after `linger` milliseconds. */
  close(linger?: number): Promise<void>;
  /** Closes at once, for a reason. */
  drop(reason: Error): void;
}

const encoded = new WeakMap<object, Uint8Array>();

/** The frame of an event; made once for all clients it goes to. */
export function eventFrame<E extends EventName>(name: E, payload: Events[E]): Uint8Array {
  let frame = encoded.get(payload);
  if (!frame) {
    frame = encodeMessage({ jsonrpc: '2.0', method: name, params: payload });
    encoded.set(payload, frame);
  }
  return frame;
}

function isEvent(message: RpcMessage): message is RpcMessage & { readonly method: string } {
  const { id, method } = message;
  return id === undefined && method !== undefined && !method.startsWith('$/');
}

function notification(method: string, params: object): Uint8Array {
  return encodeMessage({ jsonrpc: '2.0', method, params });
}

export function connectRpc(wire: Wire, options: RpcOptions): RpcPeer {
  const parser = new MessageParser(options.trusting === true);
  const incoming = new Emitter<Message>();
  const never = new Emitter<never>().event;
  let ended = false;
  let inFlight = 0;
  let backlog = 0;
  let lastHeard = Date.now();
  /** The wire has closed, but messages that came before still wait to be looked at. */
  let closing: { readonly reason: Error | undefined } | undefined;
  let endReason: Error = new UserError(messages.serverClosed);
  const underway = new Set<AbortController>();

  const end = (reason: Error | undefined) => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    if (reason) endReason = reason;
    for (const controller of underway) controller.abort(new CancelledError());
    for (const reject of [...waiting]) reject();
    connection.dispose();
    outbox.stop();
    wire.close();
    options.onClosed(reason);
  };
  /** Once the wire has closed, a failed write says nothing new, and what came before is still to be told. */
  const giveUp = (error: Error) => closing ?? end(error);
  const outbox = new Outbox(wire, options.summary, giveUp, options.outbox ?? defaultOutboxLimits);
  /** Requests of ours without an answer yet; the connection itself would leave them pending at the end. */
  const waiting = new Set<() => void>();

  const reader: MessageReader = {
    onError: never,
    onClose: never,
    onPartialMessage: never,
    listen: (callback): RpcDisposable => incoming.event(callback),
    dispose: () => incoming.dispose(),
  };
  const writer: MessageWriter = {
    onError: never,
    onClose: never,
    write: (message) => {
      outbox.send(encodeMessage(message), 'reply');
      return Promise.resolve();
    },
    end: () => {},
    dispose: () => {},
  };
  const connection = createMessageConnection(reader, writer, NullLogger, {
    messageStrategy: {
      handleMessage: (message, next) => {
        backlog--;
        if (backlog === 0 && closing) setImmediate(end, closing.reason);
        return next(message);
      },
    },
  });

  connection.onRequest(async (method, params, token) => {
    if (method === 'ping') return null;
    if (inFlight >= maxInFlight) throw toResponseError(new UserError('Too many requests at once.'));
    const controller = new AbortController();
    const abort = () => controller.abort(new CancelledError());
    const onToken = token.onCancellationRequested(abort);
    underway.add(controller);
    if (token.isCancellationRequested) abort();
    inFlight++;
    try {
      return await options.onRequest(method, params ?? {}, controller.signal);
    } catch (error) {
      throw toResponseError(error);
    } finally {
      inFlight--;
      onToken.dispose();
      underway.delete(controller);
    }
  });
  const resumable = wire instanceof ResumableWire ? wire : undefined;
  // A new connection has its full time to bring something.
  resumable?.linkChanged(({ up }) => {
    if (up) lastHeard = Date.now();
  });
  let acknowledged = 0;
  const acknowledge = (step: number) => {
    if (!resumable || resumable.received - acknowledged < step) return;
    acknowledged = resumable.received;
    // Past the outbox: the peer may be waiting for just this.
    wire.write(notification('ack', { received: acknowledged })).catch(() => {});
  };
  /** What keeps a resumable wire going is not for the protocol above. True when it was that. */
  const keepsWire = ({ method, params }: RpcMessage): boolean => {
    if (!resumable || (method !== 'ack' && method !== 'bye')) return false;
    if (method === 'bye') resumable.expectEnd();
    else resumable.acknowledge(Number((params as { received?: unknown } | undefined)?.received));
    return true;
  };
  connection.onNotification((method, params) => {
    if (!ended) options.onEvent(method, params);
  });
  connection.listen();

  wire.data((bytes) => {
    if (ended) return;
    lastHeard = Date.now();
    try {
      for (const message of parser.push(bytes)) {
        if (keepsWire(message)) continue;
        // Events are told at once. Requests and answers take their turn, one per round of the event loop: a queue that
        // would never end while much output comes. So an event may overtake an answer that came just before it.
        if (isEvent(message)) {
          options.onEvent(message.method, message.params);
          if (ended) return;
          continue;
        }
        if (++backlog > maxBacklog && !options.trusting)
          throw new UserError('The peer sent too many messages at once.');
        incoming.fire(message as Message);
      }
      acknowledge(acknowledgeStep);
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  });
  wire.closed((reason) => {
    if (backlog === 0) end(reason);
    else closing = { reason };
  });

  const peer: RpcPeer = {
    outbox,
    request: (method, params, signal) => {
      if (ended) return Promise.reject(new UserError(messages.serverClosed));
      if (signal?.aborted) return Promise.reject(new CancelledError());
      const source = new CancellationTokenSource();
      return new Promise<Requests[typeof method]['result']>((resolve, reject) => {
        let late: NodeJS.Timeout | undefined;
        const cancel = () => {
          source.cancel();
          late = setTimeout(() => reject(new CancelledError()), cancelLimit);
        };
        const lost = () => reject(endReason);
        signal?.addEventListener('abort', cancel, { once: true });
        waiting.add(lost);
        connection
          .sendRequest<Requests[typeof method]['result']>(method, params, source.token)
          .then(resolve, (error: unknown) => reject(fromResponseError(error)))
          .finally(() => {
            clearTimeout(late);
            waiting.delete(lost);
            signal?.removeEventListener('abort', cancel);
            source.dispose();
          });
      });
    },
    send: (frame, kind, lines) => {
      if (!ended) outbox.send(frame, kind, lines);
    },
    close: async (linger = 1000) => {
      if (ended) return;
      if (resumable) outbox.send(notification('bye', {}), 'reply');
      await outbox.flush(linger);
      end(undefined);
    },
    drop: end,
  };
  const timer =
    options.heartbeat &&
    startHeartbeat(options.heartbeat, {
      lastHeard: () => lastHeard,
      isUp: () => resumable?.isUp ?? true,
      beat: () => {
        acknowledge(1);
        peer.request('ping', {}).catch(() => {
          // Its failure is the end of the connection, which is told by onClosed.
        });
      },
      silent: (reason) => (resumable ? resumable.detach(reason) : end(reason)),
    });
  return peer;
}

interface Pulse {
  /** Milliseconds since the epoch. */
  lastHeard(): number;
  /** There is a connection at all. */
  isUp(): boolean;
  beat(): void;
  silent(reason: Error): void;
}

/** Pings, and tells of a peer that has been silent for too long although this process was awake. */
function startHeartbeat({ interval, limit }: Heartbeat, pulse: Pulse): NodeJS.Timeout {
  let lastTick = Date.now();
  let awakeSince = lastTick;
  const timer = setInterval(() => {
    const now = Date.now();
    // After this process or machine slept, the peer gets its full time again.
    if (now - lastTick > 3 * interval || !pulse.isUp()) awakeSince = now;
    lastTick = now;
    if (!pulse.isUp()) return;
    if (now - Math.max(pulse.lastHeard(), awakeSince) > limit)
      pulse.silent(new UserError(messages.peerSilent(limit / 1000)));
    else pulse.beat();
  }, interval);
  timer.unref();
  return timer;
}

function toResponseError(error: unknown): ResponseError {
  if (error instanceof CancelledError) return new ResponseError(requestCancelled, error.message);
  if (error instanceof UserError) return new ResponseError(userErrorCode, error.message);
  return new ResponseError(ErrorCodes.InternalError, messages.internal(errorText(error)));
}

function fromResponseError(error: unknown): Error {
  if (error instanceof ResponseError) {
    return error.code === requestCancelled ? new CancelledError(error.message) : new UserError(error.message);
  }
  return error instanceof Error ? error : new Error(String(error));
}
