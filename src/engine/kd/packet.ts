/**
 * KDCOM framing: encoding packets and an incremental parser that finds its way back after garbage. It knows bytes
 * only; ids, acknowledgements and time are the link's (link.ts).
 *
 * Format: 16-byte header, payload, for data packets a trailing 0xAA (reactos `windbgkd.h`, `kddll.c`).
 */
import { struct } from './struct';

export const PacketType = {
  stateChange32: 1,
  stateManipulate: 2,
  debugIo: 3,
  acknowledge: 4,
  resend: 5,
  reset: 6,
  stateChange64: 7,
  traceIo: 9,
  controlRequest: 10,
  fileIo: 11,
} as const;

export const breakInByte = 0x62;
/** The two ids of a byte-stream link are this and this with bit 0 set. */
export const initialPacketId = 0x80800000;
/** Set in the id of the first packet of a restarted target. */
export const syncBit = 0x800;
/** Largest payload we send; what we accept is a little more, as some targets do. */
export const maxPayload = 4000;
const maxPayloadAccepted = 4096;

export interface KdPacket {
  readonly kind: 'data' | 'control';
  readonly type: number;
  /** Unsigned. */
  readonly id: number;
  readonly payload: Uint8Array;
}

const header = struct(16, {
  leader: [0, 'u32'],
  type: [4, 'u16'],
  byteCount: [6, 'u16'],
  id: [8, 'u32'],
  checksum: [12, 'u32'],
});

const dataLeader = 0x30;
const controlLeader = 0x69;
const trailer = 0xaa;

const dataTypes: ReadonlySet<number> = new Set([1, 2, 3, 7, 9, 10, 11]);
const controlTypes: ReadonlySet<number> = new Set([4, 5, 6]);

/** Sum of the payload's bytes modulo 2^32. */
export function checksum(payload: Uint8Array): number {
  let sum = 0;
  for (const byte of payload) sum += byte;
  return sum >>> 0;
}

/** One buffer, so that one write carries the whole packet. */
export function encodeDataPacket(type: number, id: number, payload: Uint8Array): Uint8Array {
  if (payload.length > maxPayload) throw new RangeError(`KD payload of ${payload.length} bytes`);
  const bytes = new Uint8Array(header.size + payload.length + 1);
  header.write(bytes, {
    leader: 0x30303030,
    type,
    byteCount: payload.length,
    id,
    checksum: checksum(payload),
  });
  bytes.set(payload, header.size);
  bytes[bytes.length - 1] = trailer;
  return bytes;
}

export function encodeControlPacket(type: number, id = 0): Uint8Array {
  return header.encode({ leader: 0x69696969, type, id });
}

export interface PacketSink {
  packet(packet: KdPacket): void;
  /** Something that began as a data packet is none: bad checksum, trailer, length or type. */
  damaged(): void;
  /** A byte outside any packet. */
  noise(byte: number): void;
}

/** Feed it bytes in any portions. It never throws and never holds more than one packet and one portion. */
export class PacketParser {
  private buffer = new Uint8Array(2 * (header.size + maxPayloadAccepted + 1));
  private start = 0;
  private end = 0;

  constructor(private readonly sink: PacketSink) {}

  push(bytes: Uint8Array): void {
    const portion = this.buffer.length / 2;
    for (let at = 0; at < bytes.length; at += portion) {
      const piece = bytes.subarray(at, at + portion);
      if (this.end + piece.length > this.buffer.length) {
        this.buffer.copyWithin(0, this.start, this.end);
        this.end -= this.start;
        this.start = 0;
      }
      this.buffer.set(piece, this.end);
      this.end += piece.length;
      this.parse();
    }
  }

  /** True while a packet has begun and not ended. */
  get midPacket(): boolean {
    return this.end - this.start >= 4;
  }

  /** Gives up on a packet that stopped arriving; what lies in it is looked at again. */
  abandon(): void {
    if (!this.midPacket) return;
    this.dropDamaged();
    this.parse();
  }

  clear(): void {
    this.start = this.end = 0;
  }

  private parse(): void {
    while (this.start < this.end) {
      const state = this.parseOne();
      if (state === 'more') return;
    }
  }

  private parseOne(): 'more' | 'again' {
    const { buffer, start } = this;
    const available = this.end - start;
    const leader = buffer[start];
    if (leader !== dataLeader && leader !== controlLeader) return this.dropNoise();
    // A window over the leader: after `30 69 69 69 69` the packet begins at the second byte, and so it does after
    // five times 0x30, because no type begins with a leader's byte.
    const known = Math.min(available, 5);
    for (let i = 1; i < known; i++) {
      if (i < 4 ? buffer[start + i] !== leader : buffer[start + i] === leader) return this.dropNoise();
    }
    if (available < 6) return 'more';
    const isData = leader === dataLeader;
    const type = buffer[start + 4]! | (buffer[start + 5]! << 8);
    // Text has runs of '0' too, so this is more likely no packet than a damaged one.
    if (!(isData ? dataTypes : controlTypes).has(type)) return this.dropNoise();
    if (available < header.size) return 'more';
    const { byteCount, id, checksum: sum } = header.decode(buffer, start);
    if (!isData) {
      if (byteCount !== 0) return this.dropNoise();
      this.take(header.size, { kind: 'control', type, id, payload: new Uint8Array(0) });
      return 'again';
    }
    if (byteCount > maxPayloadAccepted) return this.dropDamaged();
    const total = header.size + byteCount + 1;
    if (available < total) return 'more';
    if (buffer[start + total - 1] !== trailer) return this.dropDamaged();
    const payload = buffer.slice(start + header.size, start + total - 1);
    if (checksum(payload) !== sum) {
      // The frame is whole: nothing else begins inside it.
      this.start += total;
      this.sink.damaged();
      return 'again';
    }
    this.take(total, { kind: 'data', type, id, payload });
    return 'again';
  }

  private take(length: number, packet: KdPacket): void {
    this.start += length;
    this.sink.packet(packet);
  }

  private dropDamaged(): 'again' {
    this.sink.damaged();
    return this.dropNoise();
  }

  /** One byte is none of a packet's; the search goes on at the next. */
  private dropNoise(): 'again' {
    this.sink.noise(this.buffer[this.start++]!);
    return 'again';
  }
}
