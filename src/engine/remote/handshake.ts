/**
 * What both sides of a session connection say before the session protocol begins, in lines, on any wire:
 *
 *   both      `vscode-kd-session VERSION` (the server adds ` open` or ` password`; a KD connection server
 *             ` link-open` or ` link-password`), at once; a server that wants TLS answers a peer
 *             without it with ` tls`, one without the certificate it wants with ` certificate`, and
 *             closes
 *   client    {"machine","user","login"?,"key"?}   login: first message of OPAQUE; key: see resume.ts
 *   server    {"login"}                     only with a password
 *   client    {"login"}                     only with a password
 *   server    {"welcome":true,"key"?,"resume"?} or {"refused":REASON}
 *
 * A peer of another kind or version is recognised by its first line.
 */
import { hostname, userInfo } from 'node:os';
import { withLimit } from '../base/abort';
import { UserError } from '../base/errors';
import type { Role } from '../command/command';
import { PROTOCOL_VERSION } from '../session/protocol';
import type { ResumableWire } from '../session/resumableWire';
import { oneLine } from '../session/text';
import type { Wire } from '../wire/wire';
import { LineError, LineWire, parseLine } from './lineWire';
import { remoteMessages as messages } from './messages';
import { startLogin, type PasswordVerifier, type Proven } from './password';
import { KeyAgreement, newTicketId, resumeAtServer, type Returning, type Ticket } from './resume';

const greeting = 'vscode-kd-session ';
const serverGreeting = /^(\d{1,9})(?: (link-)?(open|password|tls|certificate))?$/;

/** What a server offers: a session to join, or (KD connection server) the link to a target. */
export type Service = 'session' | 'link';

/** What answered is no debugging server of ours. */
export class GreetingError extends UserError {
  override readonly name = 'GreetingError';
}

export interface Identity {
  readonly machine: string;
  readonly user: string;
}

/** Why a server refuses; `access` does not say which part was wrong. */
export type Refusal = 'access' | 'full' | 'later' | 'gone';

/** Milliseconds until a peer must have greeted, and until the whole handshake must be over. */
export const greetingLimit = 5000;
export const handshakeLimit = 10_000;

/** What both ends send first. */
export function greetingLine(version: number | ''): string {
  return `${greeting}${version}`;
}

/** Who we are to others. */
export function localIdentity(): Identity {
  let user = process.env['USER'] ?? process.env['USERNAME'] ?? 'user';
  try {
    user = userInfo().username;
  } catch {
    // No entry for this user id (containers); the environment's word has to do.
  }
  return { machine: hostname(), user };
}

/** `MACHINE\user`, made of what a peer says of itself. */
export function identityText({ machine, user }: Identity): string {
  const part = (text: string) => oneLine(text, 64).replaceAll('\\', '/') || '?';
  return `${part(machine)}\\${part(user)}`;
}

export interface ClientHandshake {
  /** The server, as told to the user: `HOST:5005`. */
  readonly where: string;
  readonly identity: Identity;
  readonly password: string | undefined;
  /** What is wanted; a session when left out. */
  readonly service?: Service;
  /** Told what to come back with after the network broke, where the server allows that. */
  readonly ticketed?: (ticket: Ticket) => void;
  readonly signal?: AbortSignal;
  /** For tests of the version check. */
  readonly version?: number;
  readonly greetingTime?: number;
}

/** Returns the wire on which the session protocol goes on. Closes it and throws a one-line UserError otherwise. */
export async function clientHandshake(wire: Wire, options: ClientHandshake): Promise<Wire> {
  const lines = new LineWire(wire);
  const { where, version = PROTOCOL_VERSION } = options;
  try {
    await lines.writeLine(greetingLine(version));
    const { theirs, wantsPassword } = await readServerGreeting(lines, options);
    if (theirs !== version) throw new UserError(messages.version(version, theirs));
    const login = await answerDemand(wantsPassword, options);
    const signal = withLimit(options.signal, handshakeLimit, new UserError(messages.noAnswer(where)));
    const { machine, user } = options.identity;
    const agreement = options.ticketed && new KeyAgreement();
    const hello = { machine, user, ...(login && { login: login.request }) };
    await lines.writeLine(JSON.stringify({ ...hello, ...(agreement && { key: agreement.publicKey }) }));
    let loginKey: string | undefined;
    let answer = parseLine(await lines.readLine('{', signal));
    if (login && typeof answer['login'] === 'string') {
      const finished = login.finish(answer['login']);
      if (finished === undefined) throw new UserError(messages.access(where));
      await lines.writeLine(JSON.stringify({ login: finished.proof }));
      loginKey = finished.sessionKey;
      answer = parseLine(await lines.readLine('{', signal));
    } else if (login && answer['welcome'] === true) {
      throw new UserError(messages.noSense(where));
    }
    if (answer['welcome'] !== true) throw new UserError(refusalText(answer['refused'], where));
    const { key: theirKey, resume: id } = answer;
    const key = agreement?.agree(theirKey, loginKey);
    if (key && typeof id === 'string') options.ticketed?.({ id, key });
    return lines.release();
  } catch (error) {
    lines.close();
    if (error instanceof LineError) throw new UserError(messages.noSense(where), { cause: error });
    throw error;
  }
}

/** Comes back to a session after the network broke; then `resumed` goes on. Throws a one-line UserError otherwise. */
export async function clientResume(
  wire: Wire,
  options: ClientHandshake,
  ticket: Ticket,
  resumed: ResumableWire,
): Promise<void> {
  const lines = new LineWire(wire);
  const { where, version = PROTOCOL_VERSION } = options;
  try {
    await lines.writeLine(greetingLine(version));
    await readServerGreeting(lines, options);
    const signal = withLimit(options.signal, handshakeLimit, new UserError(messages.noAnswer(where)));
    const refused = (reason: unknown) =>
      reason === 'gone' ? new GoneError(messages.gone(where)) : new UserError(refusalText(reason, where));
    await resumeAtServer(lines, ticket, resumed, refused, signal);
  } catch (error) {
    lines.close();
    if (error instanceof LineError) throw new UserError(messages.noSense(where), { cause: error });
    throw error;
  }
}

async function readServerGreeting(
  lines: LineWire,
  { where, service, signal, greetingTime = greetingLimit }: ClientHandshake,
): Promise<{ theirs: number; wantsPassword: boolean }> {
  try {
    const late = new GreetingError(messages.silent(where, greetingTime / 1000));
    const limit = withLimit(signal, greetingTime, late);
    const line = await lines.readLine(greeting, limit);
    const match = serverGreeting.exec(line.slice(greeting.length));
    if (!match) throw new LineError('', line);
    const [, version, link, mode] = match;
    if (mode === 'tls') throw new UserError(messages.speaksTls(where));
    if (mode === 'certificate') throw new UserError(messages.clientCertificate(where));
    if (link && service !== 'link') throw new UserError(messages.lendsLink(where));
    if (mode && !link && service === 'link') throw new UserError(messages.hasSession(where));
    return { theirs: Number(version), wantsPassword: mode === 'password' };
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    const said = oneLine(error.received.split('\n', 1)[0] ?? '', 40);
    const text = said === '' ? messages.closedAtOnce(where) : messages.notOurs(where, said);
    throw new GreetingError(text, { cause: error });
  }
}

/** Whether a debugging server that takes clients is at the other end; the wire is the caller's to close. */
export async function looksLikeServer(wire: Wire, signal: AbortSignal): Promise<boolean> {
  const line = await new LineWire(wire).readLine(greeting, signal);
  return / (open|password|tls|certificate)$/.test(line);
}

async function answerDemand(wantsPassword: boolean, { where, password }: ClientHandshake) {
  if (wantsPassword && password === undefined) throw new UserError(messages.access(where));
  // A server that asks for none cannot show that it knows ours, so it may be somebody else's.
  if (!wantsPassword && password !== undefined) throw new UserError(messages.asksForNone(where));
  return password === undefined ? undefined : startLogin(password);
}

function refusalText(reason: unknown, where: string): string {
  if (reason === 'access') return messages.access(where);
  if (reason === 'full') return messages.full(where);
  if (reason === 'later') return messages.later(where);
  return messages.noSense(where);
}

/** The session does not know this client any more. */
export class GoneError extends UserError {
  override readonly name = 'GoneError';
}

export interface ServerHandshake {
  readonly verifier: PasswordVerifier | undefined;
  /** What is offered; a session when left out. */
  readonly service?: Service;
  /** Where clients come back to; left out where they cannot. */
  readonly returning?: Returning;
  /** Milliseconds to wait before looking at a password; undefined refuses it. */
  delay(): number | undefined;
  /** Called when the peer has shown that it knows the password. */
  proved(): void;
  /** Asked last: room for one more client? */
  hasRoom(): boolean;
  readonly signal: AbortSignal;
  readonly version?: number;
}

/** Somebody who was let in. */
export interface Newcomer {
  readonly wire: Wire;
  readonly identity: Identity;
  readonly role: Role;
  /** What it comes back with after the network broke. */
  readonly ticket?: Ticket;
}

/**
 * Returns who joins and the wire to go on with, undefined when a client came back and its own wire goes on; closes the
 * wire and throws when the peer is refused.
 */
export async function serverHandshake(wire: Wire, options: ServerHandshake): Promise<Newcomer | undefined> {
  const lines = new LineWire(wire);
  const { verifier, service, signal, version = PROTOCOL_VERSION } = options;
  const refuse = async (refused: Refusal): Promise<never> => {
    await lines.writeLine(JSON.stringify({ refused }));
    throw new UserError(`refused: ${refused}`);
  };
  try {
    await lines.writeLine(
      `${greetingLine(version)} ${service === 'link' ? 'link-' : ''}${verifier ? 'password' : 'open'}`,
    );
    const theirs = (await lines.readLine(greeting, signal)).slice(greeting.length);
    if (theirs !== String(version)) throw new UserError(`refused: version ${oneLine(theirs, 20)}`);
    const hello = parseLine(await lines.readLine('{', signal));
    const { returning } = options;
    if (returning && hello['resume'] !== undefined) {
      if (await returning.resume(lines, hello, signal)) return undefined;
      return await refuse('gone');
    }
    let proven: Proven | undefined;
    if (verifier) {
      const wait = options.delay();
      if (wait === undefined) return await refuse('later');
      await pause(wait, signal);
      proven = await provesPassword(lines, verifier, hello['login'], signal);
      if (!proven) return await refuse('access');
      options.proved();
    }
    if (!options.hasRoom()) return await refuse('full');
    const agreement = returning && hello['key'] !== undefined ? new KeyAgreement() : undefined;
    const key = agreement?.agree(hello['key'], proven?.sessionKey);
    const ticket = key && { id: newTicketId(), key };
    const offer = ticket && { key: agreement?.publicKey, resume: ticket.id };
    await lines.writeLine(JSON.stringify({ welcome: true, ...offer }));
    const { machine, user } = hello;
    return {
      wire: lines.release(),
      identity: {
        machine: typeof machine === 'string' ? machine : '',
        user: typeof user === 'string' ? user : '',
      },
      role: proven?.role ?? 'control',
      ticket,
    };
  } catch (error) {
    lines.close();
    throw error;
  }
}

async function provesPassword(
  lines: LineWire,
  verifier: PasswordVerifier,
  request: unknown,
  signal: AbortSignal,
): Promise<Proven | undefined> {
  const login = typeof request === 'string' ? verifier.start(request) : undefined;
  if (!login) return undefined;
  await lines.writeLine(JSON.stringify({ login: login.response }));
  const proof = parseLine(await lines.readLine('{', signal))['login'];
  return typeof proof === 'string' ? login.finish(proof) : undefined;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', abort, { once: true });
  });
}
