/** A client whose connection broke: dials again, and goes on where it was. */
import { withLimit } from '../base/abort';
import { errorText, UserError } from '../base/errors';
import type { ResumableWire } from '../session/resumableWire';
import type { SessionClient } from '../session/rpc';
import { errorCode } from '../wire/openErrors';
import { GoneError } from './handshake';
import { remoteMessages as messages } from './messages';

export interface Reconnecting {
  readonly where: string;
  /** Milliseconds in which it is tried. */
  readonly time?: number;
  /** One attempt; resolves when the wire goes on. */
  come(signal: AbortSignal): Promise<void>;
}

/** As long as a server keeps a client. */
const defaultTime = 60_000;
/** Milliseconds before the first attempts; the last one goes for all that follow. */
const pauses = [100, 250, 500, 1000, 2000];
const attemptLimit = 10_000;
/** Attempts at which nobody listens, one after the other, after which the server is taken for gone. */
const maxRefusals = 4;

/** Watches over the wire of a client until it is closed for good. */
export function keepJoined(client: SessionClient, wire: ResumableWire, options: Reconnecting): void {
  let trying = false;
  const lost = async (reason: Error | undefined) => {
    if (trying) return;
    trying = true;
    const { where, time = defaultTime } = options;
    const why = reason ? errorText(reason).replace(/\.$/, '') : 'it was closed';
    client.notice(messages.away(where, why, time / 1000));
    try {
      // It may be lost again before we get to know that we are back.
      while (!wire.isUp) await comeBack(wire, options, time);
      client.notice(messages.back(where));
    } catch (error) {
      wire.fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      trying = false;
    }
  };
  wire.linkChanged(({ up, reason }) => {
    if (!up) void lost(reason);
  });
}

async function comeBack(wire: ResumableWire, { where, come }: Reconnecting, time: number): Promise<void> {
  const over = new AbortController();
  wire.closed(() => over.abort(new UserError('left')));
  const deadline = Date.now() + time;
  let refusals = 0;
  for (let attempt = 0; ; attempt++) {
    await pause(pauses[Math.min(attempt, pauses.length - 1)] ?? 0, over.signal);
    over.signal.throwIfAborted();
    try {
      await come(withLimit(over.signal, attemptLimit, new UserError(messages.noAnswer(where))));
      return;
    } catch (error) {
      over.signal.throwIfAborted();
      refusals = nobodyListens(error) ? refusals + 1 : 0;
      if (error instanceof GoneError) throw error;
      if (refusals >= maxRefusals || Date.now() >= deadline)
        throw new UserError(messages.notBack(where, errorText(error)), { cause: error });
    }
  }
}

function nobodyListens(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (['ECONNREFUSED', 'ENOENT'].includes(errorCode(cause) ?? '')) return true;
  return false;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
