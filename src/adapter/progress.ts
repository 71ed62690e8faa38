/** Shows the wait for the target (first contact, or after it was lost) as DAP progress with a way to cancel it. */
import { ProgressEndEvent, ProgressStartEvent, ProgressUpdateEvent, type Event } from '@vscode/debugadapter';
import type { SessionState } from '../engine/session/protocol';

export class ConnectProgress {
  private current: { readonly id: string; message: string } | undefined;
  private count = 0;

  constructor(private readonly send: (event: Event) => void) {}

  /** Called with every state of the session. */
  update(state: SessionState): void {
    if (state.targetState !== 'connecting' && state.targetState !== 'lost') {
      this.end();
    } else if (!this.current) {
      this.current = { id: `connect-${++this.count}`, message: state.detail };
      const start = new ProgressStartEvent(this.current.id, `Waiting for ${state.connection}`, state.detail);
      this.send(Object.assign(start, { body: { ...start.body, cancellable: true } }));
    } else if (state.detail !== this.current.message) {
      this.current.message = state.detail;
      this.send(new ProgressUpdateEvent(this.current.id, state.detail));
    }
  }

  isCurrent(id: string): boolean {
    return this.current?.id === id;
  }

  end(): void {
    if (!this.current) return;
    this.send(new ProgressEndEvent(this.current.id));
    this.current = undefined;
  }
}
