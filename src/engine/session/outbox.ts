/**
 * What waits to be written to one peer. Frames are written in batches, in order, as fast as the peer takes them. A
 * peer that reads too slowly loses waiting output (it is told how much) and holds up nobody else; one that does not
 * even take the rest is given up.
 */
import { UserError } from '../base/errors';
import type { Wire } from '../wire/wire';

/** `output` may be left out when it piles up; of `state` only the newest matters; the rest must arrive. */
export type FrameKind = 'output' | 'state' | 'reply';

export interface OutboxLimits {
  /** Bytes of waiting output above which it is replaced by one line. */
  readonly output: number;
  /** Bytes of other waiting frames above which the peer is given up. */
  readonly other: number;
}

interface Frame {
  readonly bytes: Uint8Array;
  readonly kind: FrameKind | 'summary';
  readonly lines: number;
}

export const defaultOutboxLimits: OutboxLimits = { output: 32 << 20, other: 32 << 20 };
const batchSize = 64 * 1024;
/** Frames of this size go out as they are: they are shared by all peers, and copies would not be. */
const largeFrame = 8 * 1024;
/** Bytes of waiting output above which it is replaced by one line for a slow peer. */
const slowOutput = 1 << 20;
/** Milliseconds in which nobody waits for a peer again that was slow: buffers on the way make it look quick at first. */
const slowTime = 30_000;

export class Outbox {
  private frames: Frame[] = [];
  private outputBytes = 0;
  private otherBytes = 0;
  /** A state frame waits. */
  private stateWaits = false;
  private writing: Promise<void> | undefined;
  private failed = false;
  private slow = false;
  /** At the earliest, in milliseconds since the epoch. */
  private slowUntil = 0;
  private takenBytes = 0;
  private readonly waiters: { readonly limit: number; resolve(): void }[] = [];

  /**
   * `summary` makes the frame that says how many lines were left out; `giveUp` is called once, when writing failed
   * or too much waits.
   */
  constructor(
    private readonly wire: Wire,
    private readonly summary: (lines: number) => Uint8Array,
    private readonly giveUp: (error: Error) => void,
    private readonly limits: OutboxLimits = defaultOutboxLimits,
  ) {}

  send(bytes: Uint8Array, kind: FrameKind, lines = 0): void {
    if (this.failed) return;
    if (kind === 'state') this.dropOlderState();
    this.push({ bytes, kind, lines });
    if (this.outputBytes > (this.slow ? Math.min(slowOutput, this.limits.output) : this.limits.output))
      this.leaveOutOutput();
    if (this.otherBytes > this.limits.other) {
      this.fail(new UserError('too much waits to be sent to it'));
      return;
    }
    // A little later, so that a short command's echo, output, state and answer go out together.
    this.writing ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.pump());
  }

  /** Resolves when nothing waits any more, or after `timeout` milliseconds. */
  async flush(timeout: number): Promise<void> {
    if (!this.writing) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeout)));
    await Promise.race([this.writing, late]);
    clearTimeout(timer);
  }

  /** More output than this waits, and the peer is one to wait for. */
  isBehind(limit: number): boolean {
    return !this.slow && !this.failed && this.outputBytes > limit;
  }

  /** Bytes that the wire has taken so far. */
  get taken(): number {
    return this.takenBytes;
  }

  /** Resolves when no more output than this waits. */
  below(limit: number): Promise<void> {
    if (!this.isBehind(limit)) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ limit, resolve }));
  }

  /** Nobody waits for it for a while: what waits is cut short, until the peer has taken all of it. */
  becomeSlow(): void {
    this.slow = true;
    this.slowUntil = Date.now() + slowTime;
    this.leaveOutOutput();
    this.wake();
  }

  private wake(): void {
    for (const waiter of this.waiters.filter(({ limit }) => !this.isBehind(limit))) {
      this.waiters.splice(this.waiters.indexOf(waiter), 1);
      waiter.resolve();
    }
  }

  private push(frame: Frame): void {
    this.frames.push(frame);
    if (frame.kind === 'state') this.stateWaits = true;
    if (frame.kind === 'output') this.outputBytes += frame.bytes.length;
    else this.otherBytes += frame.bytes.length;
  }

  private async pump(): Promise<void> {
    while (this.frames.length > 0 && !this.failed) {
      try {
        const batch = this.nextBatch();
        this.wake();
        await this.wire.write(batch);
        this.takenBytes += batch.length;
      } catch (error) {
        this.fail(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.writing = undefined;
    if (Date.now() >= this.slowUntil) this.slow = false;
  }

  private nextBatch(): Uint8Array {
    let count = 0;
    let size = 0;
    for (const frame of this.frames) {
      const large = frame.bytes.length >= largeFrame;
      if (count > 0 && (large || size + frame.bytes.length > batchSize)) break;
      count++;
      size += frame.bytes.length;
      if (frame.kind === 'state') this.stateWaits = false;
      if (frame.kind === 'output') this.outputBytes -= frame.bytes.length;
      else this.otherBytes -= frame.bytes.length;
      if (large) break;
    }
    const taken = this.frames.splice(0, count);
    const [first] = taken;
    return taken.length === 1 && first
      ? first.bytes
      : Buffer.concat(
          taken.map((frame) => frame.bytes),
          size,
        );
  }

  private dropOlderState(): void {
    if (!this.stateWaits) return;
    const index = this.frames.findIndex((frame) => frame.kind === 'state');
    if (index < 0) return;
    const [old] = this.frames.splice(index, 1);
    this.otherBytes -= old?.bytes.length ?? 0;
  }

  private leaveOutOutput(): void {
    let lines = 0;
    const kept = this.frames.filter((frame) => {
      if (frame.kind !== 'output' && frame.kind !== 'summary') return true;
      lines += frame.lines;
      return false;
    });
    this.frames = [];
    this.outputBytes = 0;
    this.otherBytes = 0;
    for (const frame of kept) this.push(frame);
    this.push({ bytes: this.summary(lines), kind: 'summary', lines });
  }

  /** Drops what waits; nothing is sent any more. */
  stop(): void {
    this.failed = true;
    this.frames = [];
    this.wake();
  }

  private fail(error: Error): void {
    if (this.failed) return;
    this.stop();
    this.giveUp(error);
  }
}
