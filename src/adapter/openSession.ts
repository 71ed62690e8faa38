/** Opens what a launch configuration asks for: a session of our own with a target, or a place in another's. */
import { CancelledError } from '../engine/base/errors';
import { joinSession } from '../engine/remote/client';
import { hostSession } from '../engine/remote/host';
import type { SessionConfiguration } from './launchConfiguration';
import type { OpenedSession } from './sessionPort';

/** What the session's clients are greeted with. */
const banner = `vscode-kd Kernel Debugger Version ${process.env['VSKD_VERSION'] ?? 'of the sources'}\n\n`;

/** Rejects with a one-line UserError: a bad string, a link that cannot be opened, a server that refuses us. */
export async function openSession(
  configuration: SessionConfiguration,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const opening = start(configuration, signal);
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => {
      // A session that comes too late is closed again.
      opening.then(
        (session) => session.dispose(),
        () => undefined,
      );
      reject(new CancelledError());
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([opening, aborted]);
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
  }
}

function start(configuration: SessionConfiguration, signal: AbortSignal): Promise<OpenedSession> {
  if (configuration.request === 'attach') return joinSession(configuration.remote, { signal });
  const { target, servers, initialBreak, commands, secure, noShell, audit } = configuration;
  const { symbolPath = '', imagePath = '', sourcePath = '' } = configuration;
  const paths = { symbols: symbolPath, images: imagePath, source: sourcePath };
  return hostSession({
    kernel: target,
    servers,
    initialBreak,
    commands,
    secure,
    noShell,
    audit,
    paths,
    banner,
    signal,
  });
}
