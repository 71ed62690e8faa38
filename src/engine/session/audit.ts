/**
 * The session log (`-audit FILE`): one line of JSON for everything people did, appended to a file that only its owner
 * can read. Passwords never get here; what a quit lock was locked with is left out too.
 *
 *   {"time":"2026-01-02T03:04:05.678Z","event":"command","id":1,"who":"DEV\\ann","from":"tcp 10.0.0.5:63141",
 *    "command":"r"}
 */
import { closeSync, fchmodSync, openSync, writeSync } from 'node:fs';
import { errorText, UserError } from '../base/errors';
import type { ClientInfo } from './protocol';
import { oneLine } from './text';

export type AuditEntry =
  | { readonly event: 'start' | 'end'; readonly reason: string }
  | { readonly event: 'join' | 'leave' | 'away' | 'back'; readonly client: ClientInfo }
  /** Somebody at `from` who was not let in. */
  | { readonly event: 'refused'; readonly from: string; readonly reason: string }
  | { readonly event: 'command'; readonly client: ClientInfo; readonly command: string }
  /** A typed request that changes something. */
  | { readonly event: 'request'; readonly client: ClientInfo; readonly request: string }
  | { readonly event: 'role'; readonly client: ClientInfo; readonly role: string; readonly by: string }
  | { readonly event: 'serverStart' | 'serverEnd'; readonly id: number; readonly server: string };

export interface AuditLog {
  write(entry: AuditEntry): void;
  close(): void;
}

/**
 * Throws UserError when the file cannot be written. When that fails later, `failed` is told once and the session goes
 * on without its log.
 */
export function openAudit(path: string, failed: (line: string) => void): AuditLog {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'a', 0o600);
    if (process.platform !== 'win32') fchmodSync(descriptor, 0o600);
  } catch (error) {
    throw new UserError(`The session log '${path}' cannot be written: ${errorText(error)}`, { cause: error });
  }
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  return {
    write(entry) {
      if (descriptor === undefined) return;
      try {
        writeSync(descriptor, auditLine(entry, new Date()));
      } catch (error) {
        close();
        failed(`Warning: the session log '${path}' was closed: ${errorText(error)}`);
      }
    },
    close,
  };
}

/** Ends with `\n`. */
export function auditLine(entry: AuditEntry, time: Date): string {
  const { event, ...rest } = entry;
  const { client, ...details } = rest as { client?: ClientInfo } & Record<string, unknown>;
  for (const [key, value] of Object.entries(details))
    if (typeof value === 'string') details[key] = oneLine(withoutSecrets(value), 8192);
  return `${JSON.stringify({ time: time.toISOString(), event, ...(client && person(client)), ...details })}\n`;
}

/** `DEV\ann (tcp 10.0.0.5:63141)` is who and from where. */
function person({ id, identity, role }: ClientInfo): object {
  const match = /^(.*) \(([^()]*)\)$/.exec(identity);
  return {
    id,
    who: match?.[1] ?? identity,
    ...(match && { from: match[2] }),
    ...(role && { role }),
  };
}

function withoutSecrets(text: string): string {
  return text.replace(/(\.quit_lock\s+[/-][sq]\s+)[^;]+/gi, '$1*');
}
