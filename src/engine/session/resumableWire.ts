/**
 * A wire that outlives its connection: what the peer has not acknowledged is kept, and sent again on the next
 * connection, so that the protocol above notices nothing but a pause. Both ends count the bytes of each direction;
 * who is let back in, and the exchange of the counts, is the remote room's business (remote/resume.ts).
 */
import type { Disposable } from '../base/emitter';
import { Emitter } from '../base/emitter';
import { UserError } from '../base/errors';
import type { Wire } from '../wire/wire';
import { WireEvents } from '../wire/wireEvents';

/** Unacknowledged bytes above which writers wait. */
export const resumeWindow = 128 * 1024;

export interface LinkChange {
  readonly up: boolean;
  /** The connection was closed by the other side or the system, and did not just fall silent. */
  readonly closed: boolean;
  readonly reason: Error | undefined;
}

export class ResumableWire implements Wire {
  private readonly events = new WireEvents();
  readonly data = this.events.data;
  readonly closed = this.events.closed;
  private readonly changes = new Emitter<LinkChange>();
  /** The connection is lost, or another one has taken its place. */
  readonly linkChanged = this.changes.event;

  private link: Wire | undefined;
  private subscriptions: Disposable[] = [];
  /** Sent and not acknowledged yet, oldest first; `acknowledged` is the offset of its beginning. */
  private kept: Uint8Array[] = [];
  private keptBytes = 0;
  private acknowledged = 0;
  private receivedBytes = 0;
  private endsInOrder = false;
  private waiting: { resolve(): void; reject(error: Error): void }[] = [];

  constructor(link: Wire) {
    this.connect(link);
  }

  get isUp(): boolean {
    return this.link !== undefined;
  }

  /** Bytes that have come from the peer since the beginning. */
  get received(): number {
    return this.receivedBytes;
  }

  /** Resolves when the connection has taken the bytes and not too much is unacknowledged. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.events.isClosed) throw new UserError('The connection is closed.');
    this.kept.push(bytes);
    this.keptBytes += bytes.length;
    // A connection that fails says so by closing; the bytes are kept for the next one.
    await this.link?.write(bytes).catch(() => {});
    if (this.events.isClosed) throw new UserError('The connection is closed.');
    if (this.keptBytes <= resumeWindow) return;
    await new Promise<void>((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** The peer has this many bytes. Throws UserError for a count that cannot be. */
  acknowledge(total: number): void {
    // Sent again over another connection, it may be older than what was said when that began.
    if (total <= this.acknowledged) return;
    if (!this.canContinueFrom(total)) throw new UserError('The peer counts bytes that were never sent.');
    let drop = total - this.acknowledged;
    this.keptBytes -= drop;
    this.acknowledged = total;
    let whole = 0;
    for (const bytes of this.kept) {
      if (bytes.length > drop) break;
      drop -= bytes.length;
      whole++;
    }
    this.kept.splice(0, whole);
    const [first] = this.kept;
    if (first && drop > 0) this.kept[0] = first.subarray(drop);
    if (this.keptBytes <= resumeWindow) for (const { resolve } of this.waiting.splice(0)) resolve();
  }

  /** Whether a peer that has this many bytes has missed nothing that is not kept. */
  canContinueFrom(total: number): boolean {
    return (
      Number.isSafeInteger(total) && total >= this.acknowledged && total <= this.acknowledged + this.keptBytes
    );
  }

  /** Lets go of the connection; nothing is received until the next one. */
  detach(reason: Error | undefined, closed = false): void {
    const { link } = this;
    if (!link) return;
    this.release();
    link.close();
    this.changes.fire({ up: false, closed, reason });
  }

  /** Goes on with another connection to the same peer, which has `theirs` bytes. */
  attach(link: Wire, theirs: number): void {
    if (this.events.isClosed) {
      link.close();
      return;
    }
    this.detach(undefined);
    this.acknowledge(theirs);
    const again = [...this.kept];
    this.connect(link);
    for (const bytes of again) link.write(bytes).catch(() => {});
    this.changes.fire({ up: true, closed: false, reason: undefined });
  }

  /** The peer has said goodbye: the next end of the connection is the end. */
  expectEnd(): void {
    this.endsInOrder = true;
    if (!this.link) this.finish(undefined);
  }

  /** Gives up. */
  fail(reason: Error): void {
    const { link } = this;
    this.release();
    link?.close();
    this.finish(reason);
  }

  close(): void {
    const { link } = this;
    this.release();
    link?.close();
    this.finish(undefined);
  }

  private connect(link: Wire): void {
    this.link = link;
    this.subscriptions = [
      link.data((bytes) => {
        this.receivedBytes += bytes.length;
        this.events.fireData(bytes);
      }),
      link.closed((reason) => {
        if (this.link !== link) return;
        this.release();
        if (this.endsInOrder) this.finish(undefined);
        else this.changes.fire({ up: false, closed: true, reason });
      }),
    ];
  }

  private release(): void {
    this.link = undefined;
    for (const subscription of this.subscriptions.splice(0)) subscription.dispose();
  }

  private finish(reason: Error | undefined): void {
    this.events.fireClosed(reason);
    this.kept = [];
    this.keptBytes = 0;
    const error = reason ?? new UserError('The connection is closed.');
    for (const { reject } of this.waiting.splice(0)) reject(error);
    this.changes.dispose();
  }
}
