/**
 * What a KD connection server and its client say after the handshake. First a line each way:
 *
 *   client    {"trans":"com:port=COM1,baud=115200"}
 *   server    {"link":NAME,"bytesPerSecond":N?}  or  {"error":LINE}, and closes
 *
 * then frames, both ways:
 *
 *   offset  size  what
 *   0       1     kind: 0 sign of life, 1 bytes of the link, 2 end (why, as text; may be empty)
 *   1       2     length of what follows, little-endian
 *   3       n     bytes, or text in UTF-8
 *
 * Whoever has nothing to say for a while sends signs of life, so that a broken network is noticed.
 */
import { UserError } from '../base/errors';
import { oneLine } from '../session/text';
import type { Wire } from '../wire/wire';
import { WireEvents } from '../wire/wireEvents';

const Kind = { alive: 0, data: 1, end: 2 } as const;
const headerSize = 3;
const maxPayload = 0xffff;

export interface LinkOptions {
  /** What `closed` tells when the other end is silent, or talks nonsense. */
  readonly silent: string;
  readonly nonsense: string;
  /** Milliseconds between signs of life, and of silence until the link is given up. */
  readonly interval?: number;
  readonly limit?: number;
}

export interface LinkWire extends Wire {
  /** Tells the other end why. */
  end(reason: string): void;
}

/** The link as a wire, on a wire on which the lines have been said. */
export function linkWire(wire: Wire, options: LinkOptions): LinkWire {
  const { interval = 4000, limit = 12_000 } = options;
  const events = new WireEvents();
  let buffer = Buffer.alloc(0);
  let heard = performance.now();
  let said = heard;
  let paused = false;
  let reason: UserError | undefined;

  const send = (kind: number, bytes: Uint8Array) => {
    said = performance.now();
    const header = Buffer.from([kind, bytes.length & 0xff, bytes.length >> 8]);
    return wire.write(Buffer.concat([header, bytes]));
  };
  const fail = (text: string) => {
    reason ??= new UserError(text);
    wire.close();
  };
  const timer = setInterval(
    () => {
      const now = performance.now();
      if (!paused && now - heard > limit) fail(options.silent);
      else if (now - said >= interval) send(Kind.alive, new Uint8Array(0)).catch(() => {});
    },
    Math.min(interval, limit) / 2,
  );
  timer.unref();
  wire.closed((error) => {
    clearInterval(timer);
    events.fireClosed(reason ?? error);
  });
  wire.data((bytes) => {
    heard = performance.now();
    if (reason) return;
    buffer = buffer.length === 0 ? Buffer.from(bytes) : Buffer.concat([buffer, bytes]);
    let at = 0;
    while (buffer.length - at >= headerSize) {
      const kind = buffer[at];
      const next = at + headerSize + buffer.readUInt16LE(at + 1);
      if (kind === undefined || kind > Kind.end) {
        fail(options.nonsense);
        return;
      }
      if (next > buffer.length) break;
      const payload = buffer.subarray(at + headerSize, next);
      at = next;
      if (kind === Kind.data) events.fireData(payload);
      if (kind === Kind.end) {
        const text = oneLine(payload.toString('utf8'), 500);
        if (text !== '') reason ??= new UserError(text);
        wire.close();
        return;
      }
    }
    buffer = buffer.subarray(at);
  });

  const write = async (bytes: Uint8Array) => {
    const sent: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += maxPayload)
      sent.push(send(Kind.data, bytes.subarray(at, at + maxPayload)));
    await Promise.all(sent);
  };
  return {
    data: events.data,
    closed: events.closed,
    write,
    close: () => wire.close(),
    end: (text) => {
      send(Kind.end, Buffer.from(text).subarray(0, maxPayload)).catch(() => {});
      wire.close();
    },
    pause: () => {
      paused = true;
      wire.pause?.();
    },
    resume: () => {
      paused = false;
      heard = performance.now();
      wire.resume?.();
    },
  };
}
