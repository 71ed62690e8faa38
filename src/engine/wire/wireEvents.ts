/**
 * The two events of a wire with the promises the Wire interface makes: data is kept until somebody listens, the end
 * is told once to everyone (to late listeners too), and no data follows the end.
 */
import { Emitter, type Event } from '../base/emitter';

export class WireEvents {
  private readonly dataEmitter = new Emitter<Uint8Array>();
  private readonly closedEmitter = new Emitter<Error | undefined>();
  private kept: Uint8Array[] = [];
  private listening = false;
  private end: { reason: Error | undefined } | undefined;

  /** `onFirstListener` runs when the first data listener is added: the moment to start reading. */
  constructor(private readonly onFirstListener: () => void = () => {}) {}

  readonly data: Event<Uint8Array> = (listener) => {
    const subscription = this.dataEmitter.event(listener);
    if (!this.listening) {
      this.listening = true;
      const kept = this.kept;
      this.kept = [];
      for (const bytes of kept) this.dataEmitter.fire(bytes);
      this.onFirstListener();
    }
    return subscription;
  };

  readonly closed: Event<Error | undefined> = (listener) => {
    const end = this.end;
    if (!end) return this.closedEmitter.event(listener);
    let wanted = true;
    queueMicrotask(() => wanted && listener(end.reason));
    return { dispose: () => (wanted = false) };
  };

  get isClosed(): boolean {
    return this.end !== undefined;
  }

  get hasListener(): boolean {
    return this.listening;
  }

  fireData(bytes: Uint8Array): void {
    if (this.end || bytes.length === 0) return;
    if (this.listening) this.dataEmitter.fire(bytes);
    else this.kept.push(bytes);
  }

  /** The first call counts. */
  fireClosed(reason: Error | undefined): void {
    if (this.end) return;
    this.end = { reason };
    this.closedEmitter.fire(reason);
    this.closedEmitter.dispose();
    this.dataEmitter.dispose();
  }
}
