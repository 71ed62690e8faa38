/**
 * Everything that kernel sessions of this window say on DAP, kept so that a test can wait for what has happened or
 * is about to. Waits end after a limit with what was seen instead.
 */
import * as vscode from 'vscode';
import type { SessionState } from '../../../src/engine/session/protocol';

interface StoppedBody {
  readonly reason: string;
  readonly description?: string;
  readonly threadId?: number;
}
interface Message {
  readonly type: string;
  readonly event?: string;
  readonly command?: string;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
}

const limit = 15_000;

export class DebugLog implements vscode.Disposable {
  private readonly messages = new Map<string, Message[]>();
  private readonly sessions: vscode.DebugSession[] = [];
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly ended = new Set<string>();
  private readonly listeners: vscode.Disposable[];

  constructor() {
    const tracker = vscode.debug.registerDebugAdapterTrackerFactory('kd', {
      createDebugAdapterTracker: (session) => {
        const own: Message[] = [];
        this.messages.set(session.id, own);
        this.sessions.push(session);
        return {
          onDidSendMessage: (message: Message) => {
            own.push(message);
            this.changed.fire();
          },
          onError: (error) => own.push({ type: 'error', message: error.message }),
          onExit: (code) => own.push({ type: 'exit', message: String(code) }),
        };
      },
    });
    this.listeners = [
      tracker,
      vscode.debug.onDidChangeActiveDebugSession(() => this.changed.fire()),
      vscode.debug.onDidTerminateDebugSession(({ id }) => {
        this.ended.add(id);
        this.changed.fire();
      }),
    ];
  }

  /** Starts a configuration that must work. */
  start(configuration: Record<string, unknown>): Promise<vscode.DebugSession> {
    return this.startWith(() => startDebugging(configuration));
  }

  /** Resolves with the session that `action` brings about, when it is set up. */
  async startWith(action: () => Thenable<unknown>): Promise<vscode.DebugSession> {
    const before = this.sessions.length;
    await action();
    return this.wait('a session', () => {
      const session = this.sessions[before];
      return session && this.of(session).some((each) => each.event === 'initialized') ? session : undefined;
    });
  }

  /** Starts a configuration that must fail, and resolves with what the adapter answered. */
  async failure(configuration: Record<string, unknown>): Promise<string> {
    const before = this.sessions.length;
    // A failure is shown to the user in a dialog, for which nobody waits here.
    const outcome = startDebugging(configuration).then(undefined, () => false);
    const text = await this.wait('a failure', () => {
      const session = this.sessions[before];
      const answer = session && this.of(session).find((each) => each.success === false);
      return (
        answer &&
        JSON.stringify((answer.body as { error?: { format?: string } })?.error?.format ?? answer.message)
      );
    });
    void outcome;
    return JSON.parse(text) as string;
  }

  /** Resolves when commands act on this session. */
  async active(session: vscode.DebugSession): Promise<void> {
    await this.wait('active session', () => vscode.debug.activeDebugSession?.id === session.id || undefined);
  }

  /** Resolves when the target is stopped, now or soon. */
  async stopped(session: vscode.DebugSession): Promise<void> {
    await this.wait('a stop', () => this.events(session, 'stopped').at(-1));
  }

  /** The next stop after this call. */
  nextStop(session: vscode.DebugSession): Promise<StoppedBody> {
    const seen = this.events(session, 'stopped').length;
    return this.wait(
      'another stop',
      () => this.events(session, 'stopped')[seen]?.body as StoppedBody | undefined,
    );
  }

  /** The first state, from the latest on, that fits. */
  until(
    session: vscode.DebugSession,
    what: string,
    fits: (state: SessionState) => boolean,
  ): Promise<SessionState> {
    return this.wait(what, () => {
      const state = this.events(session, 'kd/state').at(-1)?.body as SessionState | undefined;
      return state && fits(state) ? state : undefined;
    });
  }

  async output(session: vscode.DebugSession, pattern: RegExp): Promise<void> {
    await this.wait(String(pattern), () => {
      const text = this.events(session, 'output').map((each) => (each.body as { output: string }).output);
      return pattern.exec(text.join('')) ?? undefined;
    });
  }

  /** Ends every session and waits until they are gone. */
  async endAll(): Promise<void> {
    await vscode.debug.stopDebugging();
    const started = this.sessions.filter((session) =>
      this.of(session).some((each) => each.event === 'initialized'),
    );
    await this.wait('end of all sessions', () => started.every(({ id }) => this.ended.has(id)) || undefined);
    await vscode.commands.executeCommand('notifications.clearAll');
  }

  dispose(): void {
    for (const each of this.listeners) each.dispose();
    this.changed.dispose();
  }

  private of(session: vscode.DebugSession): readonly Message[] {
    return this.messages.get(session.id) ?? [];
  }

  private events(session: vscode.DebugSession, name: string): readonly Message[] {
    return this.of(session).filter((each) => each.type === 'event' && each.event === name);
  }

  private wait<T>(what: string, check: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (result: T | undefined): void => {
        clearTimeout(timer);
        subscription.dispose();
        if (result !== undefined) return resolve(result);
        const last = this.sessions.at(-1);
        const tail = (last ? this.of(last) : []).slice(-8).map((each) => JSON.stringify(each).slice(0, 300));
        reject(new Error(`No ${what} within ${limit / 1000} s. Last messages:\n${tail.join('\n')}`));
      };
      const look = (): void => {
        const result = check();
        if (result !== undefined) finish(result);
      };
      const subscription = this.changed.event(look);
      const timer = setTimeout(() => finish(undefined), limit);
      look();
    });
  }
}

function startDebugging(configuration: Record<string, unknown>): Thenable<boolean> {
  return vscode.debug.startDebugging(undefined, {
    name: 'Test',
    type: 'kd',
    ...configuration,
  } as vscode.DebugConfiguration);
}
