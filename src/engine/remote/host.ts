/** Opens a session of our own: the target, the engine, the debugging servers, and the host's place in it. */
import { createEngine } from '../command/engineImpl';
import { commandLanguage } from '../command/language';
import { openTarget, parseKernelConnection } from '../target/connection';
import { hostEngine, type EngineHostOptions, type HostedSession } from './hostEngine';
import { parseServerString } from './sessionString';

export type { HostedSession } from './hostEngine';

export interface HostOptions extends EngineHostOptions {
  /** What follows `-k`. */
  readonly kernel: string;
  readonly signal?: AbortSignal;
}

/** Rejects with a one-line UserError when a string is wrong, the link cannot be opened, or a server cannot start. */
export async function hostSession(options: HostOptions): Promise<HostedSession> {
  const connection = parseKernelConnection(options.kernel);
  for (const server of options.servers ?? []) parseServerString(server);
  const target = await openTarget(connection, { signal: options.signal });
  return hostEngine(createEngine(target), commandLanguage, withoutSecrets(options.kernel), options);
}

/** A kernel string fit to be shown to all clients. */
export function withoutSecrets(kernel: string): string {
  return kernel.replace(/\b(key|password)\s*=\s*[^,}]*/gi, '$1=*');
}
