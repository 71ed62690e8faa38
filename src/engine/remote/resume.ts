/**
 * Coming back after the network broke. At the handshake both sides agree on a key (X25519, mixed with the key of the
 * password login where there is one), which never crosses the wire; who comes back proves that it has the key:
 *
 *   client    {"resume":ID,"nonce"}
 *   server    {"nonce"}
 *   client    {"proof","received"}        received: bytes of the server's that have come
 *   server    {"welcome":true,"proof","received"} or {"refused":"gone"}
 */
import {
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { UserError } from '../base/errors';
import type { ResumableWire } from '../session/resumableWire';
import { LineError, parseLine, type LineWire } from './lineWire';

/** Names a place in a session, and proves the right to it. */
export interface Ticket {
  readonly id: string;
  readonly key: Buffer;
}

/** The 12 bytes before the key itself in the DER form of an X25519 public key (RFC 8410). */
const derPrefix = Buffer.from('302a300506032b656e032100', 'hex');

/** One side of the agreement on a key. */
export class KeyAgreement {
  private readonly pair = generateKeyPairSync('x25519');

  get publicKey(): string {
    const der = this.pair.publicKey.export({ type: 'spki', format: 'der' });
    return der.subarray(derPrefix.length).toString('base64');
  }

  /** Undefined when what the peer sent is no key. `loginKey` ties the result to the password login. */
  agree(theirs: unknown, loginKey: string | undefined): Buffer | undefined {
    if (typeof theirs !== 'string' || !/^[A-Za-z0-9+/]{43}=$/.test(theirs)) return undefined;
    try {
      const key = Buffer.concat([derPrefix, Buffer.from(theirs, 'base64')]);
      const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
      const shared = diffieHellman({ privateKey: this.pair.privateKey, publicKey });
      return createHmac('sha256', shared)
        .update(`vscode-kd resume ${loginKey ?? ''}`)
        .digest();
    } catch {
      return undefined;
    }
  }
}

/** Bytes that may come right behind the last line: what the other side has kept. */
const replayLimit = 32 << 20;

export function newTicketId(): string {
  return randomBytes(16).toString('hex');
}

function newNonce(): string {
  return randomBytes(16).toString('base64');
}

function proof(key: Buffer, side: 'client' | 'server', clientNonce: string, serverNonce: string): string {
  return createHmac('sha256', key).update(`${side} ${clientNonce} ${serverNonce}`).digest('base64');
}

function same(expected: string, given: unknown): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(typeof given === 'string' ? given : '')];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The client's side, after the greeting. Resolves when `wire` goes on; rejects with a UserError. */
export async function resumeAtServer(
  lines: LineWire,
  ticket: Ticket,
  wire: ResumableWire,
  refused: (reason: unknown) => Error,
  signal: AbortSignal,
): Promise<void> {
  const nonce = newNonce();
  await lines.writeLine(JSON.stringify({ resume: ticket.id, nonce }));
  const challenge = parseLine(await lines.readLine('{', signal));
  const theirs = challenge['nonce'];
  if (typeof theirs !== 'string' || theirs.length > 64) throw refused(challenge['refused']);
  lines.allow(replayLimit);
  const mine = { proof: proof(ticket.key, 'client', nonce, theirs), received: wire.received };
  await lines.writeLine(JSON.stringify(mine));
  const answer = parseLine(await lines.readLine('{', signal));
  const received = answer['received'];
  if (answer['welcome'] !== true || typeof received !== 'number') throw refused(answer['refused']);
  if (!same(proof(ticket.key, 'server', nonce, theirs), answer['proof']) || !wire.canContinueFrom(received))
    throw new LineError('The peer is not the server we were at.', '');
  wire.attach(lines.release(), received);
}

/** A client that may come back. */
interface Absent {
  readonly key: Buffer;
  readonly wire: ResumableWire;
}

/** The server's side: who may come back. */
export class Returning {
  private readonly absent = new Map<string, Absent>();

  /** From now on until its wire is closed for good. */
  add({ id, key }: Ticket, wire: ResumableWire): void {
    this.absent.set(id, { key, wire });
    wire.closed(() => this.absent.delete(id));
  }

  /** Answers a hello with `resume` in it. Resolves to false when it was refused; the caller says so. */
  async resume(lines: LineWire, hello: Record<string, unknown>, signal: AbortSignal): Promise<boolean> {
    const { resume: id, nonce } = hello;
    const found = typeof id === 'string' ? this.absent.get(id) : undefined;
    if (!found || typeof nonce !== 'string' || nonce.length > 64) return false;
    const { key, wire } = found;
    const mine = newNonce();
    await lines.writeLine(JSON.stringify({ nonce: mine }));
    const answer = parseLine(await lines.readLine('{', signal));
    const theirs = answer['received'];
    if (!same(proof(key, 'client', nonce, mine), answer['proof'])) return false;
    lines.allow(replayLimit);
    // The old connection may still seem to be there; what came by it counts until now.
    wire.detach(new UserError('The client came back by another connection.'));
    if (typeof theirs !== 'number' || !wire.canContinueFrom(theirs)) return false;
    const welcome = { welcome: true, proof: proof(key, 'server', nonce, mine), received: wire.received };
    await lines.writeLine(JSON.stringify(welcome));
    wire.attach(lines.release(), theirs);
    return true;
  }
}
