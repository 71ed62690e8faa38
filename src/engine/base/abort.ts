/** Time limits as abort signals. */
import { UserError } from './errors';

/**
 * Aborts with `signal`, or for the reason `late` after so many milliseconds. `AbortSignal.any` over
 * `AbortSignal.timeout` will not do: Node.js 20 collects such a timeout as garbage, and then it never comes.
 */
export function withLimit(
  signal: AbortSignal | undefined,
  milliseconds: number,
  late = new UserError('It took too long.'),
): AbortSignal {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late), milliseconds);
  timer.unref();
  return signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;
}
