/**
 * What a KD connection server lends. Clients name the link; it is opened with the rights of whoever started the
 * server, so a name must not be a way to anything else on that machine or in its network.
 */
import { UserError } from '../base/errors';
import { parseKernelConnection, type KernelConnection } from '../target/kernelConnection';
import { kdsrvMessages as messages } from './kdsrvMessages';

export type LentConnection = Extract<KernelConnection, { kind: 'serial' | 'pipe' | 'tcp' | 'demo' }>;

export interface LendingPolicy {
  /** Links as after `-k`; when there are any, no other is lent. */
  readonly allowed: readonly string[];
  /** Clients have proved who they are. */
  readonly trusted: boolean;
}

/** Serial ports by the names that systems give them; other device files do things when they are opened. */
const serialName = /^(?:COM\d{1,3}|\/dev\/(?:tty|cu\.|pts\/|serial\/)[\w./:-]*)$/;

/** The link that `trans` names, by this machine's environment. Throws a one-line UserError when it is not lent. */
export function lentConnection(trans: string, name: string, policy: LendingPolicy): LentConnection {
  const connection = parseLink(trans);
  if (policy.allowed.length > 0) {
    const key = linkKey(connection);
    if (policy.allowed.some((each) => linkKey(parseLink(each)) === key)) return connection;
    throw new UserError(messages.notAllowed(name));
  }
  if (connection.kind === 'serial' && (!serialName.test(connection.port) || connection.port.includes('..')))
    throw new UserError(messages.noDevice(connection.port));
  const reachesOthers = connection.kind === 'pipe' || connection.kind === 'tcp';
  if (reachesOthers && !policy.trusted) throw new UserError(messages.needsTrust(name));
  return connection;
}

/** Throws a one-line UserError for what is no link of this machine. */
export function parseLink(trans: string): LentConnection {
  const connection = parseKernelConnection(trans);
  switch (connection.kind) {
    case 'serial':
    case 'pipe':
    case 'tcp':
    case 'demo':
      return connection;
    default:
      throw new UserError(messages.onlyLinks(trans.split(':', 1)[0] ?? ''));
  }
}

/** The same for the same link, whatever its options. */
export function linkKey(connection: LentConnection): string {
  switch (connection.kind) {
    case 'serial':
      return `serial ${connection.port}`;
    case 'pipe':
      return `pipe ${connection.path}`;
    case 'tcp':
      return `tcp ${connection.host.toLowerCase()}:${connection.port}`;
    case 'demo':
      return 'demo';
  }
}
