/**
 * What the adapter needs of a session: the client of the session protocol, and a way to open one. Tests put a
 * session of their own in its place.
 */
import type { Disposable, Event } from '../engine/base/emitter';
import type {
  ClientInfo,
  EventName,
  Events,
  OutputItem,
  RequestName,
  Requests,
  SessionState,
} from '../engine/session/protocol';
import type { SessionConfiguration } from './launchConfiguration';

export interface SessionPort {
  request<M extends RequestName>(
    method: M,
    params: Requests[M]['params'],
    signal?: AbortSignal,
  ): Promise<Requests[M]['result']>;
  on<E extends EventName>(event: E, listener: (value: Events[E]) => void): Disposable;
  readonly closed: Event<Error | undefined>;
  readonly state: SessionState;
  close(): void;
}

export interface OpenedSession {
  readonly client: SessionPort;
  /** Who we are in the session, and what happened before we came. */
  readonly self: ClientInfo;
  readonly banner: string;
  readonly history: readonly OutputItem[];
  /** For an owner: ends the session for everybody. For a client: leaves it. */
  dispose(): Promise<void>;
}

/** Rejects with a UserError fit to be shown when the session cannot be opened. */
export type OpenSession = (
  configuration: SessionConfiguration,
  signal: AbortSignal,
) => Promise<OpenedSession>;
