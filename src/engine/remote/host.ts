/** Opens a session of our own: the target, the engine, the debugging servers, and the host's place in it. */
import { UserError } from '../base/errors';
import { completeCommand, findCommand, splitCommands } from '../command/language';
import { createEngine } from '../command/engineImpl';
import type { CommandLanguage } from '../session/session';
import { openTarget, parseKernelConnection } from '../target/connection';
import type { Target } from '../target/target';
import { hostEngine, type EngineHostOptions, type HostedSession } from './hostEngine';
import { lentLink } from './kdsrvClient';
import { parseServerString } from './sessionString';

export type { HostedSession } from './hostEngine';

export interface HostOptions extends EngineHostOptions {
  /** What follows `-k`. */
  readonly kernel: string;
  /** Closes the target, and with it the session, when it aborts. */
  readonly signal?: AbortSignal;
}

const language: CommandLanguage = { split: splitCommands, find: findCommand, complete: completeCommand };

/**
 * Resolves when the link to the target is open; the target may be reached much later. Rejects with a one-line
 * UserError when a string is wrong, the link cannot be opened, or a server cannot start.
 */
export async function hostSession(options: HostOptions): Promise<HostedSession> {
  const connection = parseKernelConnection(options.kernel);
  for (const server of options.servers ?? []) parseServerString(server);
  const { kernel, initialBreak, signal } = options;
  signal?.throwIfAborted();
  const { askPassword, identity } = options;
  const notices: string[] = [];
  let notice = (line: string): void => {
    notices.push(line);
  };
  const lent =
    connection.kind === 'kdsrv'
      ? await lentLink(connection, { askPassword, identity, notice: (line) => notice(line) })
      : undefined;
  signal?.throwIfAborted();
  const target = openTarget(connection, { initialBreak, signal, lentLink: lent });
  const opened = linkOpened(target);
  const hosted = await hostEngine(createEngine(target), language, withoutSecrets(kernel), options);
  notice = (line) => hosted.session.notice(line);
  notices.forEach(notice);
  try {
    await opened;
    return hosted;
  } catch (error) {
    await hosted.dispose();
    signal?.throwIfAborted();
    throw error;
  }
}

/** A target first says that it opens its link, and next how that went. Never rejects unheard. */
function linkOpened({ stateChanged }: Target): Promise<void> {
  const opened = new Promise<void>((resolve, reject) => {
    let opening = true;
    const subscription = stateChanged(({ state, detail }) => {
      if (state === 'connecting' && opening) {
        opening = false;
        return;
      }
      subscription.dispose();
      if (state === 'closed') reject(new UserError(detail));
      else resolve();
    });
  });
  opened.catch(() => {});
  return opened;
}

/** A kernel string fit to be shown to all clients. */
export function withoutSecrets(kernel: string): string {
  return kernel.replace(/\b(key|password)\s*=\s*[^,}]*/gi, '$1=*');
}
