/**
 * The link to a target over a byte stream: the one reader of its wire. It keeps packet ids, acknowledges, sends
 * again, resynchronises and gives every packet to whoever it is for. It knows nothing of what packets mean beyond
 * the API number that pairs a reply with its request.
 */
import type { Clock } from '../base/clock';
import type { Disposable } from '../base/emitter';
import { UserError } from '../base/errors';
import type { Wire } from '../wire/wire';
import {
  breakInByte,
  encodeControlPacket,
  encodeDataPacket,
  initialPacketId,
  maxPayload,
  PacketParser,
  PacketType,
  syncBit,
  type KdPacket,
} from './packet';

/** A request that got no answer, or lost its meaning because the link began anew. */
export class LinkError extends UserError {
  override readonly name = 'LinkError';
}

/** What the link's owner is told. Called in the order of arrival, synchronously. */
export interface LinkHandler {
  /** A state change, debug I/O, file I/O or trace packet. Each is told once. */
  received(type: number, payload: Uint8Array): void;
  /** The target began anew (reboot, or it had given up on us). Pending requests have been rejected. */
  restarted(): void;
  /** The target does not answer in time; the link needs a new start. */
  silent(): void;
  /** Bytes outside any packet. */
  noise(): void;
}

export interface LinkCounters {
  bytesSent: number;
  bytesReceived: number;
  packetsSent: number;
  packetsReceived: number;
  /** Packets of ours sent again. */
  retransmissions: number;
  /** Packets of the target's that came twice. */
  duplicates: number;
  /** Packets of the target's that were damaged. */
  damaged: number;
  /** Bytes outside any packet. */
  noise: number;
}

export interface LinkOptions {
  readonly clock: Clock;
  /** Rate of a slow line; waits grow by the time its bytes take. */
  readonly bytesPerSecond?: number;
}

/** Milliseconds and counts; the targets' own waits are about 1 s per byte and 3 s per packet. */
const ackWait = 1000;
const sendTries = 6;
/** Retransmissions of one packet on the target's request. */
const resendLimit = 16;
const replyWait = 5000;
const replyTries = 3;
const resetWait = 1000;
const resetTries = 4;
/** After a RESET of ours, a data packet may still be from before it: it is held this long. */
const holdWait = 300;
/** About the size of the state change that follows a RESET's answer, in bytes. */
const statePacketSize = 300;
/** A packet that stops arriving is given up after this silence. */
const partialWait = 800;
/** Bytes that may wait to be written to a peer that does not read. */
const unwrittenLimit = 1 << 20;

interface Outgoing {
  readonly type: number;
  readonly payload: Uint8Array;
  /** API number of the reply that ends it; undefined when the acknowledgement does. */
  readonly replyTo: number | undefined;
  readonly resolve: (reply: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  tries: number;
  resends: number;
}

export class KdLink {
  readonly counters: LinkCounters = {
    bytesSent: 0,
    bytesReceived: 0,
    packetsSent: 0,
    packetsReceived: 0,
    retransmissions: 0,
    duplicates: 0,
    damaged: 0,
    noise: 0,
  };

  private readonly parser: PacketParser;
  private readonly subscriptions: Disposable[] = [];
  private nextId = initialPacketId;
  /** Id of the next fresh packet; undefined while any is. */
  private expectedId: number | undefined;
  /** True once both sides agree on ids: after a RESET exchange or a packet with the SYNC bit. */
  private synchronised = false;
  /** RESETs of ours that were not answered yet. */
  private resetsSent = 0;
  private resetTime = 0;
  private everReceived = false;

  private readonly queue: Outgoing[] = [];
  /** Sent, not acknowledged. */
  private current: Outgoing | undefined;
  /** Acknowledged, the reply is to come. */
  private awaiting: Outgoing | undefined;
  private timer: Disposable | undefined;

  private syncTries = 0;
  private syncTimer: Disposable | undefined;
  private held: KdPacket | undefined;
  private holdTimer: Disposable | undefined;
  private partialTimer: Disposable | undefined;
  /** The last packet with the SYNC bit, to know it again. */
  private lastSync: KdPacket | undefined;
  /** The state change the target is in; it repeats it after a RESET. */
  private lastState: { type: number; payload: Uint8Array; repeatable: boolean } | undefined;
  private unwritten = 0;
  private ended = false;

  constructor(
    private readonly wire: Wire,
    private readonly handler: LinkHandler,
    private readonly options: LinkOptions,
  ) {
    this.parser = new PacketParser({
      packet: (packet) => this.onPacket(packet),
      damaged: () => this.onDamaged(),
      noise: () => {
        this.counters.noise++;
        this.handler.noise();
      },
    });
  }

  /** Begins to read. */
  start(): void {
    this.subscriptions.push(
      this.wire.data((bytes) => this.onBytes(bytes)),
      this.wire.closed(() => this.dispose(new LinkError('The connection to the target was closed.'))),
    );
  }

  /** Ends the link; the wire is its owner's to close. */
  dispose(error: Error = new LinkError('The connection to the target is closed.')): void {
    if (this.ended) return;
    this.ended = true;
    for (const subscription of this.subscriptions) subscription.dispose();
    this.stopTimers();
    this.rejectAll(error);
  }

  /** Sends a request and gives the payload of the reply with the same API number. */
  request(payload: Uint8Array, api: number): Promise<Uint8Array> {
    return this.enqueue(PacketType.stateManipulate, payload, api);
  }

  /** Sends a request that has no reply; resolves when the target has acknowledged it. */
  async send(payload: Uint8Array): Promise<void> {
    await this.enqueue(PacketType.stateManipulate, payload, undefined);
  }

  /** Answers an I/O packet of the target's, ahead of all requests. */
  async answer(type: number, payload: Uint8Array): Promise<void> {
    await this.enqueue(type, payload, undefined);
  }

  /** One break-in byte. A stopped target ignores it. Resolves when it is written. */
  breakIn(): Promise<void> {
    return this.transmit(Uint8Array.of(breakInByte));
  }

  /** A RESET: a stopped target answers it and tells its state again; a running one ignores it. */
  reset(): Promise<void> {
    this.resetTime = this.options.clock.now();
    this.resetsSent = Math.min(this.resetsSent + 1, 64);
    return this.transmit(encodeControlPacket(PacketType.reset));
  }

  // --- sending

  private enqueue(type: number, payload: Uint8Array, replyTo: number | undefined): Promise<Uint8Array> {
    if (this.ended) return Promise.reject(new LinkError('The connection to the target is closed.'));
    return new Promise((resolve, reject) => {
      const item: Outgoing = { type, payload, replyTo, resolve, reject, tries: 0, resends: 0 };
      const firstRequest = this.queue.findIndex(isRequest);
      if (isRequest(item) || firstRequest < 0) this.queue.push(item);
      else this.queue.splice(firstRequest, 0, item);
      this.pump();
    });
  }

  /** Sends the next packet if one may be sent now. */
  private pump(): void {
    const next = this.queue[0];
    if (!next || this.current || this.ended) return;
    if (this.holdTimer || (isRequest(next) && this.awaiting)) return;
    if (!this.synchronised) {
      if (!this.syncTimer) this.synchronise();
      return;
    }
    // From a continue on the target's state is not the one it told.
    if (isRequest(next) && next.replyTo === undefined) this.lastState = undefined;
    this.queue.shift();
    this.current = next;
    this.counters.packetsSent++;
    this.sendOnce(next);
  }

  private sendOnce(item: Outgoing): void {
    const bytes = encodeDataPacket(item.type, this.nextId, item.payload);
    void this.transmit(bytes);
    this.setTimer(ackWait + this.lineTime(bytes.length), () => {
      if (++item.tries < sendTries) this.sendAgain(item);
      else this.fail();
    });
  }

  private sendAgain(item: Outgoing): void {
    this.counters.retransmissions++;
    this.sendOnce(item);
  }

  private synchronise(): void {
    if (this.syncTries++ >= resetTries) {
      this.fail();
      return;
    }
    void this.reset();
    this.syncTimer = this.options.clock.after(resetWait + this.lineTime(2 * statePacketSize), () => {
      this.syncTimer = undefined;
      this.synchronise();
    });
  }

  private fail(): void {
    this.rejectAll(new LinkError('The target does not answer.'));
    this.synchronised = false;
    // Whatever it tells next is news.
    this.lastState = undefined;
    this.handler.silent();
  }

  private transmit(bytes: Uint8Array): Promise<void> {
    this.counters.bytesSent += bytes.length;
    this.unwritten += bytes.length;
    if (this.unwritten > unwrittenLimit) {
      this.wire.close();
      return Promise.resolve();
    }
    // A write fails only when the wire ends, and that is told by `closed`.
    return this.wire.write(bytes).then(
      () => void (this.unwritten -= bytes.length),
      () => {},
    );
  }

  private acknowledge(id: number): void {
    void this.transmit(encodeControlPacket(PacketType.acknowledge, id));
  }

  // --- receiving

  private onBytes(bytes: Uint8Array): void {
    this.counters.bytesReceived += bytes.length;
    this.parser.push(bytes);
    this.watchPartial();
  }

  private watchPartial(): void {
    this.partialTimer?.dispose();
    this.partialTimer = undefined;
    if (this.ended || !this.parser.midPacket) return;
    this.partialTimer = this.options.clock.after(partialWait, () => {
      this.parser.abandon();
      this.watchPartial();
    });
  }

  private onDamaged(): void {
    this.counters.damaged++;
    void this.transmit(encodeControlPacket(PacketType.resend));
  }

  private onPacket(packet: KdPacket): void {
    if (this.ended) return;
    this.counters.packetsReceived++;
    if (packet.kind === 'data') {
      const justReset = this.options.clock.now() - this.resetTime < this.holdTime;
      if (this.resetsSent > 0 && !this.synchronised && justReset) this.hold(packet);
      else this.onData(packet);
    } else if (packet.type === PacketType.acknowledge) {
      if ((packet.id & ~syncBit) >>> 0 === this.nextId) this.onAcknowledged();
    } else if (packet.type === PacketType.resend) {
      if (this.current && this.current.resends++ < resendLimit) this.sendAgain(this.current);
    } else {
      this.onReset();
    }
  }

  private onReset(): void {
    this.nextId = initialPacketId;
    this.expectedId = initialPacketId;
    this.synchronised = true;
    this.syncTries = 0;
    this.syncTimer?.dispose();
    this.syncTimer = undefined;
    this.held = undefined;
    this.lastSync = undefined;
    if (this.resetsSent > 0) {
      this.resetsSent--;
      // The target now repeats its pending packet; our requests come after it.
      this.requeue();
      if (this.lastState) this.lastState.repeatable = true;
      this.startHold();
      return;
    }
    // Answered like any RESET; should the target answer in turn, that one counts as solicited.
    void this.reset();
    this.beginAnew();
  }

  /** The target has lost its state: nothing that was asked of it will be answered. */
  private beginAnew(): void {
    this.lastState = undefined;
    if (!this.everReceived) return;
    this.rejectAll(new LinkError('The target began anew before it answered.'));
    this.handler.restarted();
  }

  /** Keeps a packet back that may be older than our RESET until its answer or `holdWait` decides. */
  private hold(packet: KdPacket): void {
    this.held = packet;
    if (!this.holdTimer) this.startHold();
  }

  private startHold(): void {
    this.holdTimer?.dispose();
    this.holdTimer = this.options.clock.after(this.holdTime, () => this.endHold());
  }

  private endHold(): void {
    this.holdTimer?.dispose();
    this.holdTimer = undefined;
    const packet = this.held;
    this.held = undefined;
    if (packet) this.onData(packet);
    this.pump();
  }

  private onData(packet: KdPacket): void {
    const id = (packet.id & ~syncBit) >>> 0;
    if (id !== initialPacketId && id !== (initialPacketId | 1) >>> 0) {
      this.onDamaged();
      return;
    }
    if ((packet.id & syncBit) !== 0) {
      if (this.lastSync && samePacket(this.lastSync, packet)) {
        this.repeated(id);
        return;
      }
      this.acknowledge(id);
      this.nextId = initialPacketId;
      this.synchronised = true;
      this.expectedId = (id ^ 1) >>> 0;
      this.lastSync = packet;
      this.resetsSent = 0;
      this.syncTimer?.dispose();
      this.syncTimer = undefined;
      this.beginAnew();
    } else if (this.expectedId !== undefined && id !== this.expectedId) {
      this.repeated(id);
      return;
    } else {
      this.acknowledge(id);
      this.expectedId = (id ^ 1) >>> 0;
      this.lastSync = undefined;
    }
    this.everReceived = true;
    this.deliver(packet);
    if (this.holdTimer && !this.held) this.endHold();
    else this.pump();
  }

  private repeated(id: number): void {
    this.counters.duplicates++;
    this.acknowledge(id);
  }

  private deliver({ type, payload }: KdPacket): void {
    if (type === PacketType.stateManipulate) {
      this.onReply(payload);
      return;
    }
    // What comes after a request without reply proves that it has arrived, should its acknowledgement be lost.
    if (this.current && isRequest(this.current) && this.current.replyTo === undefined) this.onAcknowledged();
    if (type === PacketType.stateChange32 || type === PacketType.stateChange64) {
      const known = this.lastState;
      if (known?.repeatable && known.type === type && sameBytes(known.payload, payload)) {
        known.repeatable = false;
        return;
      }
      this.lastState = { type, payload, repeatable: false };
      this.rejectSent(new LinkError('The target stopped anew before it answered.'));
    }
    this.handler.received(type, payload);
  }

  private onReply(payload: Uint8Array): void {
    if (payload.length < 4) return;
    const api = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
    // A reply to what is not yet acknowledged: the acknowledgement was lost.
    if (this.current?.replyTo === api) this.onAcknowledged();
    const item = this.awaiting;
    if (item?.replyTo !== api) return;
    this.awaiting = undefined;
    if (!this.current) this.clearTimer();
    item.resolve(payload);
  }

  private onAcknowledged(): void {
    const item = this.current;
    if (!item) return;
    this.clearTimer();
    this.current = undefined;
    this.nextId = (this.nextId ^ 1) >>> 0;
    if (item.replyTo === undefined) {
      item.resolve(new Uint8Array(0));
      if (this.awaiting) this.awaitReply(this.awaiting);
    } else {
      item.tries = 0;
      this.awaiting = item;
      this.awaitReply(item);
    }
    this.pump();
  }

  private awaitReply(item: Outgoing): void {
    if (this.current) return;
    this.setTimer(replyWait + this.lineTime(maxPayload), () => {
      if (++item.tries >= replyTries) {
        this.fail();
        return;
      }
      void this.transmit(encodeControlPacket(PacketType.resend));
      this.awaitReply(item);
    });
  }

  // --- bookkeeping

  /** Time in milliseconds that `count` bytes take on a slow line. */
  private lineTime(count: number): number {
    const rate = this.options.bytesPerSecond;
    return rate === undefined ? 0 : (count * 1000) / rate;
  }

  private get holdTime(): number {
    return holdWait + this.lineTime(statePacketSize);
  }

  private setTimer(milliseconds: number, action: () => void): void {
    this.clearTimer();
    this.timer = this.options.clock.after(milliseconds, action);
  }

  private clearTimer(): void {
    this.timer?.dispose();
    this.timer = undefined;
  }

  private stopTimers(): void {
    this.clearTimer();
    for (const timer of [this.syncTimer, this.holdTimer, this.partialTimer]) timer?.dispose();
    this.syncTimer = this.holdTimer = this.partialTimer = undefined;
    this.syncTries = 0;
  }

  /** Puts what was not answered back to the head of the queue. */
  private requeue(): void {
    this.clearTimer();
    const items = [this.awaiting, this.current, ...this.queue.splice(0)].filter((item) => item !== undefined);
    this.awaiting = this.current = undefined;
    for (const item of items) {
      item.tries = 0;
      // The target asks again for what it still wants to know.
      if (isRequest(item)) this.queue.push(item);
      else item.resolve(new Uint8Array(0));
    }
  }

  /** Ends the requests that are on their way. */
  private rejectSent(error: Error): void {
    const sent = [this.awaiting, this.current].filter((item) => item !== undefined);
    if (!sent.some(isRequest)) return;
    this.clearTimer();
    this.awaiting = this.current = undefined;
    for (const item of sent) item.reject(error);
  }

  private rejectAll(error: Error): void {
    this.clearTimer();
    this.syncTimer?.dispose();
    this.syncTimer = undefined;
    this.syncTries = 0;
    const items = [this.awaiting, this.current, ...this.queue.splice(0)];
    this.awaiting = this.current = undefined;
    for (const item of items) item?.reject(error);
  }
}

function isRequest(item: Outgoing): boolean {
  return item.type === PacketType.stateManipulate;
}

function samePacket(a: KdPacket, b: KdPacket): boolean {
  return a.id === b.id && a.type === b.type && sameBytes(a.payload, b.payload);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
