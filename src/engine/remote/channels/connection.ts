/** One end of a connection on a channel: a wire made of a sender and a receiver. Its line moves its frames. */
import { UserError } from '../../base/errors';
import type { Wire } from '../../wire/wire';
import { WireEvents } from '../../wire/wireEvents';
import { FrameKind, type Frame } from './frame';
import { Receiver } from './receiver';
import { Sender, type Outgoing } from './sender';

/** Milliseconds without an answer after which the other end is taken for gone. */
const silenceLimit = 15_000;
/** How long a closed end still sees to it that the other one gets everything. */
const lingerLimit = 3000;
/** Bytes kept for a first listener; more are not acknowledged, so that they come again. */
const maxKept = 16 * 1024;

/** What a connection needs of its line. */
export interface ConnectionLine {
  now(): number;
  /** There is something to send. */
  wake(): void;
  /** Nothing more is to be done for the connection. */
  forget(connection: Connection): void;
}

interface PendingWrite {
  /** Bytes written up to its end. */
  readonly end: number;
  resolve(): void;
  reject(error: Error): void;
}

export class Connection implements Wire {
  private readonly events = new WireEvents();
  private readonly sender: Sender;
  private readonly receiver = new Receiver();
  private readonly writes: PendingWrite[] = [];
  private written = 0;
  private kept = 0;
  private answer = false;
  private asking = false;
  private closingSince: number | undefined;
  private over = false;
  /** When the other end gave a sign of life last. */
  lastHeard: number;

  readonly data = this.events.data;
  readonly closed = this.events.closed;

  constructor(
    readonly channel: number,
    readonly id: number,
    private readonly line: ConnectionLine,
  ) {
    this.sender = new Sender(() => line.now());
    this.lastHeard = line.now();
  }

  /** Neither end has closed it. */
  get open(): boolean {
    return !this.events.isClosed;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.events.isClosed) return Promise.reject(new UserError('The connection is closed.'));
    this.sender.write(bytes);
    this.written += bytes.length;
    const end = this.written;
    const done = new Promise<void>((resolve, reject) => this.writes.push({ end, resolve, reject }));
    this.settleWrites();
    this.line.wake();
    return done;
  }

  close(): void {
    if (this.over || this.closingSince !== undefined) return;
    this.closingSince = this.line.now();
    this.sender.end();
    this.events.fireClosed(undefined);
    this.line.wake();
  }

  /** Ends it at once; `reason` is why it broke. */
  drop(reason: Error | undefined): void {
    if (this.over) return;
    this.over = true;
    this.line.forget(this);
    const error = reason ?? new UserError('The connection is closed.');
    for (const { reject } of this.writes.splice(0)) reject(error);
    this.events.fireClosed(reason);
  }

  /** Asks the other end for a sign of life. */
  ask(): void {
    this.asking = true;
    this.line.wake();
  }

  receive({ kind, body }: Frame): void {
    this.lastHeard = this.line.now();
    if (kind === FrameKind.ack) {
      if (this.sender.acknowledge(body)) this.line.wake();
      this.finishClosing();
    } else if (kind === FrameKind.ping) this.acknowledge();
    else if (kind === FrameKind.data || kind === FrameKind.fin) this.take(kind, body);
  }

  /** The next frame to send; acknowledgements go first. */
  next(): Outgoing | undefined {
    if (this.answer) {
      this.answer = false;
      return { kind: FrameKind.ack, body: this.receiver.acknowledgement() };
    }
    if (this.asking) {
      this.asking = false;
      return { kind: FrameKind.ping, body: new Uint8Array(0) };
    }
    const frame = this.sender.next();
    if (frame) this.settleWrites();
    return frame;
  }

  /** Does what is due; returns when it wants to be called next. */
  tick(): number | undefined {
    const now = this.line.now();
    const { unansweredSince } = this.sender;
    if (unansweredSince !== undefined && now - unansweredSince > silenceLimit) {
      this.drop(new UserError('The other end of the serial line does not answer.'));
      return undefined;
    }
    if (this.closingSince !== undefined && now - this.closingSince > lingerLimit) {
      this.drop(undefined);
      return undefined;
    }
    if (this.sender.expire()) this.line.wake();
    const { deadline } = this.sender;
    if (this.closingSince === undefined) return deadline;
    const end = this.closingSince + lingerLimit + 1;
    return deadline === undefined ? end : Math.min(deadline, end);
  }

  private take(kind: number, body: Uint8Array): void {
    if (!this.events.hasListener && this.kept > maxKept) return;
    const incoming = this.receiver.take(kind, body);
    if (!incoming) return;
    this.acknowledge();
    for (const bytes of incoming.data) {
      if (!this.events.hasListener) this.kept += bytes.length;
      this.events.fireData(bytes);
    }
    if (incoming.ended && this.closingSince === undefined) this.close();
  }

  private acknowledge(): void {
    this.answer = true;
    this.line.wake();
  }

  /** A closed end is done when its end has arrived there. */
  private finishClosing(): void {
    if (this.closingSince !== undefined && this.sender.idle) {
      // What the other end still wants to be told, it asks for within this time.
      this.closingSince = Math.min(this.closingSince, this.line.now() - lingerLimit / 2);
    }
  }

  private settleWrites(): void {
    const taken = this.written - this.sender.queued;
    for (;;) {
      const [write] = this.writes;
      if (!write || write.end > taken) return;
      this.writes.shift();
      write.resolve();
    }
  }
}
