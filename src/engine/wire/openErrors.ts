/** One line for each way in which opening a socket, pipe or serial port fails: the thing, and what to check. */
import { CancelledError, UserError } from '../base/errors';

/** Lines by system error code; `other` is used for the rest, followed by the system's own text. */
export type OpenErrorTable = Readonly<Record<string, string>> & { readonly other: string };

export function openError(error: unknown, lines: OpenErrorTable): UserError {
  if (error instanceof UserError) return error;
  const code = errorCode(error);
  const line = code === undefined ? undefined : lines[code];
  const text = line ?? `${lines.other}: ${systemText(error)}`;
  return new UserError(text, { cause: error });
}

/** The system's error code (`ECONNREFUSED`), also of a failed attempt over several addresses. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return undefined;
}

function systemText(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const text = first instanceof Error ? first.message : String(first);
  return (text.split(/[\r\n]/, 1)[0] ?? '').slice(0, 200);
}

/** What `closed` tells when a link broke while in use. */
export function brokenError(what: string): (error: Error) => Error {
  return (error) => {
    const code = errorCode(error);
    const reason =
      code === 'ECONNRESET' || code === 'EPIPE'
        ? 'the other end has gone'
        : systemText(error).replace(/^Error: /, '');
    return new UserError(`The connection to ${what} broke: ${reason}.`, { cause: error });
  };
}

/**
 * Waits for the one of `start`'s callbacks that comes first, for the time limit or for `signal`. `abandon` frees what
 * was begun when the wait ends without success.
 */
export function openWithin<T>(
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  abandon: () => void,
  timeLimit: number,
  late: string,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let done = false;
    const finish = (settle: () => void, failed: boolean) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      if (failed) abandon();
      settle();
    };
    const abort = () => finish(() => reject(new CancelledError()), true);
    const timer = setTimeout(() => finish(() => reject(new UserError(late)), true), timeLimit);
    if (signal?.aborted) {
      abort();
      return;
    }
    signal?.addEventListener('abort', abort, { once: true });
    start(
      (value) => finish(() => resolve(value), false),
      (error) => finish(() => reject(error), true),
    );
  });
}
