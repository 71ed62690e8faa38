/** Opens what the options ask for: a session of our own with a target, or a place in the session of another. */
import { UserError } from '../engine/base/errors';
import { joinSession, type OpenedSession } from '../engine/remote/client';
import { hostSession } from '../engine/remote/host';
import type { Options } from './optionTable';

export interface OpenOptions {
  /** Break in as soon as the target is reached. */
  readonly initialBreak: boolean;
  /** What others are greeted with when the session is ours. */
  readonly banner: string;
  readonly signal: AbortSignal;
  askPassword(): Promise<string>;
  /** Told what is waited for when that takes long. */
  waiting(text: string): void;
}

/** Silence after which the user is told what is waited for; milliseconds. */
const patience = 2000;

/**
 * Throws UserError when a server cannot be opened, the target's link is not there, the debugging server refuses us,
 * or `-timeout` is over; the signal's reason when it aborts.
 */
export async function openSession(options: Options, open: OpenOptions): Promise<OpenedSession> {
  const late = new AbortController();
  const seconds = options.timeoutSeconds;
  const timeout =
    seconds &&
    setTimeout(() => {
      late.abort(new UserError(`The session was not reached within ${seconds} s.`));
    }, seconds * 1000);
  const what =
    options.remote === undefined
      ? 'the link to the target is not open yet'
      : 'the debugging server has not answered yet';
  const notice = setTimeout(() => open.waiting(what), patience);
  const signal = AbortSignal.any([open.signal, late.signal]);
  let opened = false;
  try {
    const askPassword = async () => {
      // From then on the keyboard belongs to the front end.
      if (opened)
        throw new UserError("'password=*' is asked for only at the start of vskd; write the password out.");
      clearTimeout(notice);
      return open.askPassword();
    };
    return await unlessAborted(start(options, { ...open, askPassword }, signal), signal);
  } finally {
    opened = true;
    clearTimeout(timeout);
    clearTimeout(notice);
  }
}

function start(options: Options, open: OpenOptions, signal: AbortSignal): Promise<OpenedSession> {
  if (options.remote !== undefined) {
    return joinSession(options.remote, {
      signal,
      askPassword: open.askPassword,
      onWaiting: open.waiting,
      historyItems: options.historyLines,
    });
  }
  return hostSession({
    kernel: options.kernel ?? '',
    servers: options.servers,
    initialBreak: open.initialBreak,
    secure: options.secure,
    noShell: options.noShell,
    audit: options.audit,
    paths: {
      symbols: options.symbolPath ?? '',
      images: options.imagePath ?? '',
      source: options.sourcePath ?? '',
    },
    banner: open.banner,
    askPassword: open.askPassword,
    signal,
  });
}

/** The session, or a rejection as soon as the signal aborts; a session that comes too late is closed again. */
async function unlessAborted(opening: Promise<OpenedSession>, signal: AbortSignal): Promise<OpenedSession> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => {
      opening.then(
        (session) => session.dispose(),
        () => undefined,
      );
      reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([opening, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
