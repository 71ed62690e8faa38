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

export class Outbox {
  private frames: Frame[] = [];
  private outputBytes = 0;
  private otherBytes = 0;
  /** A state frame waits. */
  private stateWaits = false;
  private writing: Promise<void> | undefined;
  private failed = false;

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
    if (this.outputBytes > this.limits.output) this.leaveOutOutput();
    if (this.otherBytes > this.limits.other) {
      this.fail(new UserError('too much waits to be sent to it'));
      return;
    }
    // In a microtask, so that what is sent together goes out together.
    this.writing ??= Promise.resolve().then(() => this.pump());
  }

  /** Resolves when nothing waits any more, or after `timeout` milliseconds. */
  async flush(timeout: number): Promise<void> {
    if (!this.writing) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeout)));
    await Promise.race([this.writing, late]);
    clearTimeout(timer);
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
        await this.wire.write(this.nextBatch());
      } catch (error) {
        this.fail(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.writing = undefined;
  }

  private nextBatch(): Uint8Array {
    let count = 0;
    let size = 0;
    for (const frame of this.frames) {
      if (count > 0 && size + frame.bytes.length > batchSize) break;
      count++;
      size += frame.bytes.length;
      if (frame.kind === 'state') this.stateWaits = false;
      if (frame.kind === 'output') this.outputBytes -= frame.bytes.length;
      else this.otherBytes -= frame.bytes.length;
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

  private fail(error: Error): void {
    if (this.failed) return;
    this.failed = true;
    this.frames = [];
    this.giveUp(error);
  }
}
