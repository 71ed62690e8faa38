/** What a DAP request's handler is and what it may use of the adapter. One file per request, in requests/. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../engine/base/errors';
import type { Arguments } from './arguments';
import type { SessionConfiguration } from './launchConfiguration';
import type { LiveSession } from './live';

/** What a command of the user printed instead of a result. */
export class CommandError extends UserError {
  override readonly name = 'CommandError';
}

/** One request under way. */
export interface Call {
  /** The request's own number. */
  readonly seq: number;
  /** Aborted by a `cancel` request and by the end of the session. */
  readonly signal: AbortSignal;
  /** Runs the action when this request has been answered, with success or not. */
  afterResponse(action: () => void): void;
}

export interface Adapter {
  /** What the handlers together can do. */
  readonly capabilities: DebugProtocol.Capabilities;
  /** What the client said of itself; empty before `initialize`. */
  client: Readonly<Partial<DebugProtocol.InitializeRequestArguments>>;
  /** Throws a UserError when there is no session yet, or no more. */
  readonly live: LiveSession;
  /** The session, if there is one. */
  readonly current: LiveSession | undefined;
  /** Opens the session of a launch or attach request; at most one in the adapter's life. */
  open(configuration: SessionConfiguration, signal: AbortSignal): Promise<void>;
  /** Ends a request under way; false when there is none with this number. */
  cancelRequest(seq: number): boolean;
  /** Leaves the session, or gives up opening it. */
  leave(suspendDebuggee: boolean): Promise<void>;
  send(event: DebugProtocol.Event): void;
  /** The client is gone: nothing more is to be done. */
  finish(): void;
}

export interface Handler<B = unknown> {
  /** What a client may rely on because of this handler. */
  readonly capabilities?: DebugProtocol.Capabilities;
  /** The user asked for it directly, so a failure is shown to the user. */
  readonly showErrors?: boolean;
  /** Works on a stopped target; a failure while it runs is the one DAP calls `notStopped`. */
  readonly needsStop?: boolean;
  run(adapter: Adapter, args: Arguments, call: Call): B | Promise<B>;
}

/** The body of a response, `undefined` where the specification has none. */
export type Body<R extends DebugProtocol.Response> = R['body'];
