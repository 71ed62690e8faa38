/**
 * JSON-RPC messages on a Wire, framed as in the Language Server Protocol's base protocol: `Content-Length: N`, an
 * empty line, N bytes of UTF-8 JSON. The reader trusts nothing: header and body are bounded, and a message that is
 * not JSON-RPC ends the connection.
 */
import { UserError } from '../base/errors';
import { printable } from './text';

export const maxHeaderSize = 256;
/** Larger than any answer of the protocol: 1 MiB of memory in base64, or a full history. */
export const maxBodySize = 16 << 20;

export interface RpcMessage {
  readonly jsonrpc: '2.0';
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** Escapes and raw characters that `printable` would change; nearly no message has any. */
const mayBeUnprintable = /\\u(?:00|20)|\\[bfr]|[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

const headerEnd = Buffer.from('\r\n\r\n');

export function encodeMessage(message: object): Buffer {
  const body = JSON.stringify(message);
  const length = Buffer.byteLength(body);
  const header = `Content-Length: ${length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(header.length + length);
  bytes.write(header, 'latin1');
  bytes.write(body, header.length, 'utf8');
  return bytes;
}

/** Feeds on bytes, gives messages. Throws UserError at the first mistake; then the stream is of no more use. */
export class MessageParser {
  private chunks: Buffer[] = [];
  private buffered = 0;
  /** Length of the body being waited for. */
  private expected: number | undefined;

  /** `clean` makes every string of a message printable: for the side whose user looks at what the peer sends. */
  constructor(private readonly clean: boolean) {}

  push(bytes: Uint8Array): RpcMessage[] {
    this.chunks.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.buffered += bytes.byteLength;
    const messages: RpcMessage[] = [];
    for (;;) {
      if (this.expected === undefined) {
        if (this.buffered === 0) break;
        // A header is short, so it is enough to look at its first bytes, however the rest is cut.
        const head = this.peek(maxHeaderSize);
        const end = head.indexOf(headerEnd);
        if (end < 0) {
          if (head.length >= maxHeaderSize)
            throw new UserError('The peer sent a message header that is too long.');
          break;
        }
        this.expected = bodyLength(head.toString('latin1', 0, end));
        this.take(end + headerEnd.length);
      }
      if (this.buffered < this.expected) break;
      messages.push(this.parse(this.take(this.expected).toString('utf8')));
      this.expected = undefined;
    }
    return messages;
  }

  private parse(text: string): RpcMessage {
    let value: unknown;
    try {
      value = this.clean && mayBeUnprintable.test(text) ? JSON.parse(text, cleanText) : JSON.parse(text);
    } catch {
      throw new UserError('The peer sent a message that is not JSON.');
    }
    if (!isRpcMessage(value)) throw new UserError('The peer sent a message that is not JSON-RPC 2.0.');
    return value;
  }

  /** Up to `count` bytes from the front, without taking them. */
  private peek(count: number): Buffer {
    const first = this.chunks[0] ?? Buffer.alloc(0);
    if (first.length >= count || this.chunks.length === 1) return first.subarray(0, count);
    this.chunks = [Buffer.concat(this.chunks, this.buffered)];
    return this.peek(count);
  }

  private take(count: number): Buffer {
    const all =
      this.chunks.length === 1
        ? (this.chunks[0] ?? Buffer.alloc(0))
        : Buffer.concat(this.chunks, this.buffered);
    this.chunks = all.length > count ? [all.subarray(count)] : [];
    this.buffered -= count;
    return all.subarray(0, count);
  }
}

function cleanText(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? printable(value) : value;
}

function bodyLength(header: string): number {
  for (const line of header.split('\r\n')) {
    const match = /^content-length:\s*(\d{1,10})\s*$/i.exec(line);
    if (!match) continue;
    const length = Number(match[1]);
    if (length > maxBodySize)
      throw new UserError(`The peer announced a message of ${length} bytes, which is too long.`);
    return length;
  }
  throw new UserError('The peer sent a message header without Content-Length.');
}

function isRpcMessage(value: unknown): value is RpcMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { jsonrpc, id, method, params, error } = value as Record<string, unknown>;
  if (jsonrpc !== '2.0') return false;
  if (id !== undefined && typeof id !== 'string' && !Number.isSafeInteger(id)) return false;
  if (typeof id === 'string' && id.length > 64) return false;
  if (method !== undefined) {
    if (typeof method !== 'string' || method.length > 64) return false;
    // Parameters go by name in this protocol.
    if (params !== undefined && (typeof params !== 'object' || params === null || Array.isArray(params)))
      return false;
    if (method === '$/cancelRequest') {
      const target = (params as { id?: unknown } | undefined)?.id;
      return typeof target === 'string' || typeof target === 'number';
    }
    return true;
  }
  if (id === undefined) return false;
  if (error !== undefined) return isRpcError(error);
  return 'result' in value;
}

function isRpcError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Record<string, unknown>;
  return Number.isInteger(code) && typeof message === 'string';
}
