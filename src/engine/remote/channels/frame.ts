/**
 * Frames on a serial line that several channels share. A frame ends with a flag byte; flag, escape and the two bytes
 * of software flow control are escaped inside (as in RFC 1662, section 4.2). Numbers are big-endian:
 *
 *   0  u8   kind
 *   1  u8   channel
 *   2  u32  connection, a random number chosen by the one who opens it
 *   6       by kind:  data, fin  u16 number, u16 transmission, then the bytes
 *                     ack        u16 next number, u16 newest transmission heard, u32 which of the following arrived
 *                     refuse     u8 reason
 *   -4 u32  CRC-32 of all before it
 */

export const FrameKind = {
  open: 1,
  accept: 2,
  refuse: 3,
  data: 4,
  fin: 5,
  ack: 6,
  ping: 7,
  reset: 8,
} as const;

export const RefusalReason = { nobody: 1, busy: 2 } as const;

export interface Frame {
  readonly kind: number;
  readonly channel: number;
  readonly connection: number;
  readonly body: Uint8Array;
}

/** Bytes of one data frame at most: long enough to be efficient, short enough to get through a bad line. */
export const maxPayload = 128;

const headerLength = 6;
const crcLength = 4;
const longestFrame = headerLength + 8 + maxPayload + crcLength;
const flag = 0x7e;
const escape = 0x7d;
const escapeBit = 0x20;
const escaped = new Set([flag, escape, 0x11, 0x13]);

export function encodeFrame({ kind, channel, connection, body }: Frame): Uint8Array {
  const plain = Buffer.allocUnsafe(headerLength + body.length + crcLength);
  plain[0] = kind;
  plain[1] = channel;
  plain.writeUInt32BE(connection, 2);
  plain.set(body, headerLength);
  plain.writeUInt32BE(crc32(plain.subarray(0, -crcLength)), plain.length - crcLength);
  const out = Buffer.allocUnsafe(plain.length * 2 + 1);
  let length = 0;
  for (const byte of plain) {
    if (escaped.has(byte)) {
      out[length++] = escape;
      out[length++] = byte ^ escapeBit;
    } else out[length++] = byte;
  }
  out[length++] = flag;
  return out.subarray(0, length);
}

/** Finds the frames in what a line brings; what is damaged or no frame is left out. */
export class FrameParser {
  private readonly buffer = Buffer.alloc(longestFrame);
  private length = 0;
  private escaping = false;
  private tooLong = false;

  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    for (const byte of bytes) {
      if (byte === flag) {
        const frame = this.tooLong || this.escaping ? undefined : this.decode();
        if (frame) frames.push(frame);
        this.length = 0;
        this.escaping = false;
        this.tooLong = false;
      } else if (byte === escape) this.escaping = true;
      else {
        if (this.length < longestFrame) this.buffer[this.length++] = this.escaping ? byte ^ escapeBit : byte;
        else this.tooLong = true;
        this.escaping = false;
      }
    }
    return frames;
  }

  private decode(): Frame | undefined {
    const { buffer, length } = this;
    if (length < headerLength + crcLength) return undefined;
    const end = length - crcLength;
    if (crc32(buffer.subarray(0, end)) !== buffer.readUInt32BE(end)) return undefined;
    return {
      kind: buffer.readUInt8(0),
      channel: buffer.readUInt8(1),
      connection: buffer.readUInt32BE(2),
      body: new Uint8Array(buffer.subarray(headerLength, end)),
    };
  }
}

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** As in IEEE 802.3. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
