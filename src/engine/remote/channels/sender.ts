/**
 * The sending half of a channel connection: numbers what is written, keeps it until the other end has it, and sends
 * again what was lost. A serial line never reorders, so a frame is lost as soon as a later transmission was heard
 * without it; a timer is only needed for the last ones.
 */
import { FrameKind, maxPayload } from './frame';

export interface Outgoing {
  readonly kind: number;
  readonly body: Uint8Array;
}

interface Sent {
  readonly kind: number;
  readonly number: number;
  readonly payload: Uint8Array;
  /** Of the newest time it was sent. */
  transmission: number;
  lost: boolean;
  arrived: boolean;
}

interface Waiting {
  readonly bytes: Uint8Array;
  offset: number;
}

/** Frames under way at most; the acknowledgement has a bit for each. */
const window = 32;
const minPayload = 32;
/** Milliseconds. */
const firstTimeout = 1000;
const minTimeout = 60;
const maxTimeout = 4000;
const maxPatience = 4;
/** Frames sent again together when a time-out has passed. */
const probes = 3;

export class Sender {
  private readonly waiting: Waiting[] = [];
  private waitingBytes = 0;
  private underway: Sent[] = [];
  private nextNumber = 0;
  private nextTransmission = 0;
  private payload = maxPayload;
  private finWaits = false;
  private finSent = false;
  private smoothed: number | undefined;
  private variation = 0;
  private timeout = firstTimeout;
  /** Doubled with each time-out in a row, but little: what is lost on a line was damaged, not queued. */
  private patience = 1;
  /** When some transmissions left, to measure how long the way takes. */
  private readonly times = new Map<number, number>();
  /** When anything of ours was sent or acknowledged last. */
  private lastProgress = 0;
  private waitingSince: number | undefined;

  constructor(private readonly now: () => number) {}

  /** Bytes that have not been sent for the first time. */
  get queued(): number {
    return this.waitingBytes;
  }

  /** All of it has arrived, the end included if it was written. */
  get idle(): boolean {
    return this.underway.length === 0 && this.waitingBytes === 0 && (!this.finWaits || this.finSent);
  }

  /** Since when something is under way without any acknowledgement. */
  get unansweredSince(): number | undefined {
    return this.waitingSince;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.waiting.push({ bytes, offset: 0 });
    this.waitingBytes += bytes.length;
  }

  /** Nothing is written after this. */
  end(): void {
    this.finWaits = true;
  }

  /** When `next` has something to send again if nothing is heard; undefined while nothing is under way. */
  get deadline(): number | undefined {
    return this.underway.length === 0 ? undefined : this.lastProgress + this.timeout * this.patience;
  }

  /** The next frame to send now; undefined when there is none. */
  next(): Outgoing | undefined {
    const frame = this.lostFrame() ?? this.newFrame();
    if (!frame) return undefined;
    const now = this.now();
    frame.lost = false;
    frame.transmission = this.nextTransmission;
    this.nextTransmission = (this.nextTransmission + 1) & 0xffff;
    this.times.set(frame.transmission, now);
    if (this.times.size > 4 * window) this.times.delete(this.times.keys().next().value ?? 0);
    this.lastProgress = now;
    this.waitingSince ??= now;
    const body = Buffer.allocUnsafe(4 + frame.payload.length);
    body.writeUInt16BE(frame.number, 0);
    body.writeUInt16BE(frame.transmission, 2);
    body.set(frame.payload, 4);
    return { kind: frame.kind, body };
  }

  /** Takes an acknowledgement; false when it makes no sense. */
  acknowledge(body: Uint8Array): boolean {
    if (body.length !== 8) return false;
    const view = Buffer.from(body.buffer, body.byteOffset, body.length);
    const next = view.readUInt16BE(0);
    const heard = view.readUInt16BE(2);
    const bits = view.readUInt32BE(4);
    const first = this.underway[0]?.number ?? this.nextNumber;
    // A late acknowledgement is behind, never ahead of what was sent.
    if (after(next, this.nextNumber) > 0 && after(next, this.nextNumber) < 0x8000) return false;
    const now = this.now();
    let arrived = 0;
    let lost = 0;
    for (const frame of this.underway) {
      const distance = after(frame.number, next);
      const bit = distance - 1;
      const has = distance >= 0x8000 || (bit >= 0 && bit < window && ((bits >>> bit) & 1) === 1);
      if (has) {
        if (!frame.arrived) arrived++;
        frame.arrived = true;
      } else if (!frame.lost && !frame.arrived && after(heard, frame.transmission) < 0x8000) {
        frame.lost = true;
        lost++;
      }
    }
    while (this.underway[0]?.arrived) this.underway.shift();
    this.measure(heard, now);
    this.patience = 1;
    if (arrived > 0 || after(next, first) > 0) this.lastProgress = now;
    this.waitingSince = this.underway.length === 0 ? undefined : now;
    // Short frames get through a bad line more easily, long ones cost less on a good one.
    if (lost > 0) this.payload = Math.max(minPayload, this.payload >> 1);
    else if (arrived > 0) this.payload = Math.min(maxPayload, this.payload + 4 * arrived);
    return true;
  }

  /** When `deadline` has passed, the oldest frames are to be sent again and ask for an answer; true in that case. */
  expire(): boolean {
    const { deadline } = this;
    if (deadline === undefined || deadline > this.now()) return false;
    for (const frame of this.underway.filter((each) => !each.arrived).slice(0, probes)) frame.lost = true;
    this.lastProgress = this.now();
    this.patience = Math.min(maxPatience, this.patience * 2);
    return true;
  }

  private lostFrame(): Sent | undefined {
    return this.underway.find((frame) => frame.lost && !frame.arrived);
  }

  private newFrame(): Sent | undefined {
    const [oldest] = this.underway;
    if (oldest && after(this.nextNumber, oldest.number) >= window) return undefined;
    const payload = this.take();
    const fin = payload.length === 0;
    if (fin && (!this.finWaits || this.finSent)) return undefined;
    if (fin) this.finSent = true;
    const frame: Sent = {
      kind: fin ? FrameKind.fin : FrameKind.data,
      number: this.nextNumber,
      payload,
      transmission: 0,
      lost: false,
      arrived: false,
    };
    this.nextNumber = (this.nextNumber + 1) & 0xffff;
    this.underway.push(frame);
    return frame;
  }

  /** The bytes of the next frame, of as many writes as fit. */
  private take(): Uint8Array {
    const length = Math.min(this.payload, this.waitingBytes);
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const [write] = this.waiting;
      if (!write) break;
      const part = write.bytes.subarray(write.offset, write.offset + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      write.offset += part.length;
      if (write.offset === write.bytes.length) this.waiting.shift();
    }
    this.waitingBytes -= length;
    return bytes;
  }

  /** As TCP does it (RFC 6298). */
  private measure(heard: number, now: number): void {
    const sent = this.times.get(heard);
    if (sent === undefined) return;
    this.times.delete(heard);
    const sample = now - sent;
    if (this.smoothed === undefined) {
      this.smoothed = sample;
      this.variation = sample / 2;
    } else {
      this.variation = 0.75 * this.variation + 0.25 * Math.abs(this.smoothed - sample);
      this.smoothed = 0.875 * this.smoothed + 0.125 * sample;
    }
    const estimate = this.smoothed + Math.max(20, 4 * this.variation);
    this.timeout = Math.min(maxTimeout, Math.max(minTimeout, estimate));
  }
}

/** How far `a` is ahead of `b`, counted round at 65536; 32768 and more means behind. */
export function after(a: number, b: number): number {
  return (a - b) & 0xffff;
}
