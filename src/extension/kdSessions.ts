/**
 * The kernel sessions of this window and the last state each of them reported. The truth lives in the session's
 * owner; this only keeps the latest `kd/state` event so that commands and the status bar need not ask.
 */
import * as vscode from 'vscode';
import type { SessionState } from '../engine/session/protocol';

export interface KdSession {
  readonly debugSession: vscode.DebugSession;
  /** Undefined until the session is joined for the first time. */
  readonly state: SessionState | undefined;
}

export const debugType = 'kd';

/** Custom requests the adapter answers, beside DAP. */
export interface CustomRequests {
  'kd/startServer': { spec: string };
  'kd/endServer': { id: number };
  'kd/setRole': { client: number; role: 'observe' | 'control' | 'kick' };
}

export async function customRequest<M extends keyof CustomRequests>(
  session: KdSession,
  method: M,
  args: CustomRequests[M],
): Promise<void> {
  await session.debugSession.customRequest(method, args);
}

export class KdSessions implements vscode.Disposable {
  private readonly sessions = new Map<string, KdSession>();
  private readonly changedEmitter = new vscode.EventEmitter<void>();
  private readonly joinedEmitter = new vscode.EventEmitter<vscode.DebugSession>();
  private readonly endedEmitter = new vscode.EventEmitter<KdSession>();
  private readonly disposables: vscode.Disposable[];

  /** A session came, went, was selected or reported a new state. */
  readonly onDidChange = this.changedEmitter.event;
  /** The first state of a session arrived: connection strings and passwords were right. */
  readonly onDidJoin = this.joinedEmitter.event;
  /** With the last state; its `state` is undefined when the session was never joined. */
  readonly onDidEnd = this.endedEmitter.event;

  constructor() {
    this.disposables = [
      this.changedEmitter,
      this.joinedEmitter,
      this.endedEmitter,
      vscode.debug.onDidStartDebugSession((session) => this.started(session)),
      vscode.debug.onDidTerminateDebugSession((session) => this.ended(session)),
      vscode.debug.onDidChangeActiveDebugSession(() => this.changedEmitter.fire()),
      vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => {
        if (event.session.type === debugType && event.event === 'kd/state') {
          this.reported(event.session, event.body as SessionState);
        }
      }),
    ];
  }

  /** The session that commands act on: the selected one, or the newest when something else is selected. */
  get active(): KdSession | undefined {
    const selected = vscode.debug.activeDebugSession;
    return (selected && this.sessions.get(selected.id)) ?? [...this.sessions.values()].at(-1);
  }

  /** Resolves with the first state of `session` that fits, or undefined after `timeout` milliseconds. */
  untilState(
    session: KdSession,
    fits: (state: SessionState) => boolean,
    timeout: number,
  ): Promise<SessionState | undefined> {
    const id = session.debugSession.id;
    return new Promise((resolve) => {
      const finish = (state: SessionState | undefined): void => {
        clearTimeout(timer);
        subscription.dispose();
        resolve(state);
      };
      const check = (): void => {
        const current = this.sessions.get(id);
        if (!current) finish(undefined);
        else if (current.state && fits(current.state)) finish(current.state);
      };
      const subscription = this.onDidChange(check);
      const timer = setTimeout(() => finish(undefined), timeout);
      check();
    });
  }

  dispose(): void {
    for (const each of this.disposables) each.dispose();
    this.sessions.clear();
  }

  private started(session: vscode.DebugSession): void {
    if (session.type !== debugType || this.sessions.has(session.id)) return;
    this.sessions.set(session.id, { debugSession: session, state: undefined });
    this.changedEmitter.fire();
  }

  private reported(session: vscode.DebugSession, state: SessionState): void {
    const first = this.sessions.get(session.id)?.state === undefined;
    this.sessions.set(session.id, { debugSession: session, state });
    if (first) this.joinedEmitter.fire(session);
    this.changedEmitter.fire();
  }

  private ended(session: vscode.DebugSession): void {
    if (session.type !== debugType) return;
    // A session that could not be joined ends without ever having been announced as started.
    const known = this.sessions.get(session.id) ?? { debugSession: session, state: undefined };
    this.sessions.delete(session.id);
    this.endedEmitter.fire(known);
    this.changedEmitter.fire();
  }
}
