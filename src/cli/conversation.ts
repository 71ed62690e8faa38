/**
 * One client's side of a session: what it has asked for, whether it is its turn to type, and how it all ended. The
 * terminal and the piped front end are two ways to drive it.
 */
import { Emitter } from '../engine/base/emitter';
import { errorText } from '../engine/base/errors';
import type { ClientInfo, SessionState } from '../engine/session/protocol';
import { LocalSource } from '../engine/session/localSource';
import type { SessionClient } from '../engine/session/rpc';

export interface End {
  /** `ended` for everybody, `targetLost` for good, `lost` without a word, `left` by this client alone. */
  readonly kind: 'ended' | 'targetLost' | 'lost' | 'left';
  readonly reason: string;
}

/** What of a session's client is used here. */
export type SessionPort = Pick<SessionClient, 'request' | 'on' | 'closed' | 'state'>;

export class Conversation {
  readonly end: Promise<End>;
  private over = false;
  private resolveEnd: (end: End) => void = () => undefined;
  private pending = 0;
  private readonly changes = new Emitter<void>();
  private readonly failures = new Emitter<string>();
  /** The state, the number of commands of ours under way, or the end. */
  readonly changed = this.changes.event;
  /** One line about a request that the session refused. */
  readonly failed = this.failures.event;
  private readonly answers = new Emitter<string>();
  /** What a command printed that concerns this client alone. */
  readonly answered = this.answers.event;
  private readonly localSource: LocalSource;

  constructor(
    readonly client: SessionPort,
    readonly self: ClientInfo,
    localSourcePath = '',
  ) {
    this.localSource = new LocalSource(localSourcePath);
    this.end = new Promise((resolve) => (this.resolveEnd = resolve));
    client.on('state', () => this.changes.fire());
    client.on('ended', ({ reason }) =>
      this.finish({ kind: this.state.targetState === 'closed' ? 'targetLost' : 'ended', reason }),
    );
    client.on('exit', () => this.leave());
    client.closed((error) =>
      this.finish({ kind: 'lost', reason: error ? errorText(error) : 'the connection was closed' }),
    );
  }

  get state(): SessionState {
    return this.client.state;
  }

  get isOver(): boolean {
    return this.over;
  }

  /** The debugger waits for a command: there is a prompt and nothing of ours is under way. */
  get idle(): boolean {
    return !this.over && this.pending === 0 && !this.state.busy && this.state.prompt !== '';
  }

  /**
   * Sends a command line and resolves when it has run; a refusal goes to `failed`. Never rejects. `patient`: nobody
   * sits there who should be told that the line waits for the target to stop.
   */
  async execute(text: string, patient = false): Promise<void> {
    if (this.over) return;
    if (!patient && this.runLocal(text)) return;
    this.pending++;
    await this.attempt(this.client.request('execute', { text, patient }));
    this.pending--;
    this.changes.fire();
  }

  async breakIn(): Promise<void> {
    await this.attempt(this.client.request('breakIn', {}));
  }

  /** Ends the running command; resolves with false when there was none. */
  async cancel(): Promise<boolean> {
    return (await this.attempt(this.client.request('cancel', {})))?.cancelled ?? false;
  }

  /** Command names that begin like the last word of `text`; empty when the session does not answer. */
  async complete(text: string): Promise<string[]> {
    const answer = await this.client.request('complete', { text }).catch(() => undefined);
    return answer?.items.map((item) => item.label) ?? [];
  }

  /** This client goes; the caller disposes of the session. */
  leave(): void {
    this.finish({ kind: 'left', reason: '' });
  }

  /** Resolves at the first moment `accept` holds; rejects when `signal` aborts. Also resolves at the end. */
  until(accept: (state: SessionState) => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        subscription.dispose();
        reject(signal?.reason instanceof Error ? signal.reason : new Error('cancelled'));
      };
      const look = () => {
        if (!this.over && !accept(this.state)) return;
        subscription.dispose();
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const subscription = this.changes.event(look);
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      look();
    });
  }

  /** `.lsrcpath` and `.lsrcfix` at the prompt; from scripts they are refused by the session. */
  private runLocal(text: string): boolean {
    try {
      const answer = this.localSource.run(text);
      if (answer !== undefined) this.answers.fire(answer);
      return answer !== undefined;
    } catch (error) {
      this.failures.fire(errorText(error));
      return true;
    }
  }

  private async attempt<T>(request: Promise<T>): Promise<T | undefined> {
    try {
      return await request;
    } catch (error) {
      // A request cut short by the end of the session is not a failure of its own.
      if (!this.over) this.failures.fire(errorText(error));
      return undefined;
    }
  }

  private finish(end: End): void {
    if (this.over) return;
    this.over = true;
    this.resolveEnd(end);
    this.changes.fire();
  }
}
