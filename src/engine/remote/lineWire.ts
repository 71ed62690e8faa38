/** Lines on a wire, for the handshake; afterwards the same wire goes on with bytes, none of them lost. */
import { UserError } from '../base/errors';
import type { Wire } from '../wire/wire';
import { WireEvents } from '../wire/wireEvents';

/** The peer sent something that is no such line. */
export class LineError extends UserError {
  override readonly name = 'LineError';
  /** The beginning of what it sent. */
  constructor(
    message: string,
    readonly received: string,
  ) {
    super(message);
  }
}

/** Bytes of one line. */
const maxLine = 8 * 1024;

interface Waiting {
  readonly prefix: string;
  resolve(line: string): void;
  reject(error: Error): void;
}

export class LineWire {
  private readonly events = new WireEvents();
  private buffer = Buffer.alloc(0);
  private total = 0;
  private waiting: Waiting | undefined;
  private closed: { readonly reason: Error | undefined } | undefined;
  private released = false;

  /** Closes the wire when more than `maxTotal` bytes come before `release`. */
  constructor(
    private readonly wire: Wire,
    private maxTotal = 64 * 1024,
  ) {
    wire.data((bytes) => this.onData(bytes));
    wire.closed((reason) => {
      this.closed = { reason };
      this.serve();
      if (this.released) this.events.fireClosed(reason);
    });
  }

  /**
   * The next line without its end; only one caller at a time. Rejects with LineError as soon as what came cannot be a
   * line that begins with `prefix`, and with the reason when the wire closes.
   */
  readLine(prefix: string, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.waiting = undefined;
        signal.removeEventListener('abort', abort);
      };
      const abort = () => {
        done();
        reject(signal.reason);
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      this.waiting = {
        prefix,
        resolve: (line) => {
          done();
          resolve(line);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      this.serve();
    });
  }

  /** The peer may send this many bytes more before `release`. */
  allow(bytes: number): void {
    this.maxTotal = this.total + bytes;
  }

  writeLine(line: string): Promise<void> {
    return this.wire.write(Buffer.from(`${line}\n`));
  }

  close(): void {
    this.wire.close();
  }

  /** The wire from here on, beginning with the bytes that no line took. */
  release(): Wire {
    this.released = true;
    const { wire, events } = this;
    events.fireData(this.buffer);
    this.buffer = Buffer.alloc(0);
    if (this.closed) events.fireClosed(this.closed.reason);
    const released: Wire = {
      data: events.data,
      closed: events.closed,
      write: (bytes) => wire.write(bytes),
      close: () => wire.close(),
      pause: wire.pause && (() => wire.pause?.()),
      resume: wire.resume && (() => wire.resume?.()),
    };
    return released;
  }

  private onData(bytes: Uint8Array): void {
    if (this.released) {
      this.events.fireData(bytes);
      return;
    }
    this.total += bytes.length;
    this.buffer = Buffer.concat([this.buffer, bytes]);
    this.serve();
    if (this.total > this.maxTotal && !this.released) {
      this.buffer = Buffer.alloc(0);
      this.wire.close();
    }
  }

  private serve(): void {
    const { waiting } = this;
    if (!waiting) return;
    const end = this.buffer.indexOf(0x0a);
    const text = this.buffer.toString('latin1', 0, end < 0 ? Math.min(this.buffer.length, maxLine) : end);
    const { prefix } = waiting;
    const fits = text.startsWith(prefix) || (end < 0 && prefix.startsWith(text));
    if (!fits || text.length >= maxLine) {
      waiting.reject(new LineError('The peer does not speak the session protocol.', text));
    } else if (end >= 0) {
      const line = this.buffer.toString('utf8', 0, end).replace(/\r$/, '');
      this.buffer = this.buffer.subarray(end + 1);
      waiting.resolve(line);
    } else if (this.closed) {
      waiting.reject(this.closed.reason ?? new LineError('The peer closed the connection.', text));
    }
  }
}

/** One line of JSON with an object in it. */
export function parseLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Falls through to the same complaint.
  }
  throw new LineError('The peer does not speak the session protocol.', line);
}
