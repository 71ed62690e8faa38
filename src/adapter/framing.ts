/**
 * Cuts a byte stream into DAP messages (`Content-Length: N\r\n\r\n` and N bytes of JSON). Bounded: a header that
 * does not end or a length beyond the limit makes the reader skip to the next header instead of waiting for ever.
 * It never throws; what cannot be read is reported.
 */

/** Longest header block and longest message accepted, in bytes. */
const longestHeader = 4096;
const longestBody = 64 * 1024 * 1024;

const headerEnd = Buffer.from('\r\n\r\n');
const headerStart = Buffer.from('Content-Length:');

export interface FrameHandler {
  /** One parsed JSON value; it need not be a DAP message. */
  message(value: unknown): void;
  /** Framed bytes that are no JSON, or bytes that are no frame. `text` is at most 1,000 characters of them. */
  malformed(reason: string, text: string): void;
}

export class FrameReader {
  private chunks: Buffer[] = [];
  private buffered = 0;
  /** Bytes needed before it is worth looking again. */
  private wanted = 1;
  private bodyLength: number | undefined;

  constructor(private readonly handler: FrameHandler) {}

  push(bytes: Buffer): void {
    this.chunks.push(bytes);
    this.buffered += bytes.length;
    if (this.buffered < this.wanted) return;
    let data = this.chunks.length === 1 ? bytes : Buffer.concat(this.chunks);
    for (;;) {
      const rest =
        this.bodyLength === undefined ? this.readHeader(data) : this.readBody(data, this.bodyLength);
      if (!rest) break;
      data = rest;
    }
    this.chunks = data.length > 0 ? [data] : [];
    this.buffered = data.length;
    this.wanted = this.bodyLength ?? data.length + 1;
  }

  /** Returns what follows the header, or undefined when more bytes are needed. */
  private readHeader(data: Buffer): Buffer | undefined {
    if (data.length === 0) return undefined;
    const end = data.indexOf(headerEnd);
    if (end < 0 || end > longestHeader) {
      if (data.length <= longestHeader) return undefined;
      return this.skip(data, 'a header without an end');
    }
    const match = /Content-Length:[ \t]*(\d{1,9})[ \t]*$/im.exec(data.toString('latin1', 0, end));
    const length = match ? Number(match[1]) : NaN;
    if (!(length <= longestBody)) {
      const reason = match ? `a message longer than ${longestBody} bytes` : 'a header without Content-Length';
      this.handler.malformed(reason, data.toString('latin1', 0, Math.min(end, 1000)));
      return data.subarray(end + headerEnd.length);
    }
    this.bodyLength = length;
    return data.subarray(end + headerEnd.length);
  }

  private readBody(data: Buffer, length: number): Buffer | undefined {
    if (data.length < length) return undefined;
    this.bodyLength = undefined;
    const text = data.toString('utf8', 0, length);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.handler.malformed('a message that is not JSON', text.slice(0, 1000));
      return data.subarray(length);
    }
    this.handler.message(value);
    return data.subarray(length);
  }

  /** Drops bytes up to the next thing that looks like a header. */
  private skip(data: Buffer, reason: string): Buffer {
    this.handler.malformed(reason, data.toString('latin1', 0, 1000));
    const next = data.indexOf(headerStart, 1);
    return next < 0 ? data.subarray(data.length - headerStart.length) : data.subarray(next);
  }
}

/** The bytes of one message as they go on the stream. */
export function frame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`, 'latin1'), body]);
}
