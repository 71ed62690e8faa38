/**
 * Session passwords: where they come from, and how both sides prove to each other that they know the same one. The
 * proof is OPAQUE (RFC 9807): nothing that crosses the wire, recorded or provoked, allows guessing offline.
 */
import { open } from 'node:fs/promises';
import { errorText, UserError } from '../base/errors';
import type { Role } from '../command/command';

/** In characters; a password from a file or the environment may have any. */
const longest = 128;

export interface PasswordOptions {
  /** Asks the user, for `*`. */
  readonly ask?: () => Promise<string>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * The password that `Password=` stands for: itself, `@FILE` (its first line), `@env:NAME`, `*` (asks). Undefined when
 * there is none. Throws UserError, never with the password in it.
 */
export async function resolvePassword(
  written: string | undefined,
  { ask, environment = process.env }: PasswordOptions = {},
): Promise<string | undefined> {
  if (written === undefined) return undefined;
  if (written === '*') {
    if (!ask) {
      throw new UserError(
        "'Password=*' stands for the password; write the password itself, @FILE or @env:NAME.",
      );
    }
    return checked(await ask(), 'The password typed');
  }
  if (written.startsWith('@env:')) {
    const name = written.slice('@env:'.length);
    return checked(environment[name] ?? '', `The password in environment variable '${name}'`);
  }
  if (written.startsWith('@')) {
    const path = written.slice(1);
    return checked(await firstLine(path), `The password in file '${path}'`);
  }
  return written;
}

function checked(password: string, what: string): string {
  if (password === '') throw new UserError(`${what} is empty.`);
  if (password.length > longest) throw new UserError(`${what} is longer than ${longest} characters.`);
  return password;
}

async function firstLine(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(4096), position: 0 });
      return buffer.toString('utf8', 0, bytesRead).split(/\r?\n/, 1)[0] ?? '';
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new UserError(`The password file '${path}' cannot be read: ${errorText(error)}`, { cause: error });
  }
}

/** Registration and login name the same, only user; who somebody is, is not part of the proof. */
const userIdentifier = 'session';
/**
 * OPAQUE stretches the password to slow down whoever stole the server's record. Ours lives in the memory of a process
 * that knows the password anyway, so the smallest setting will do.
 */
const keyStretching = { 'argon2id-custom': { iterations: 1, memory: 1024, parallelism: 1 } };

/** Loaded when the first password is used: it is a WebAssembly module of some size. */
async function loadOpaque() {
  const opaque = await import('@serenity-kit/opaque');
  await opaque.ready;
  return opaque;
}

/** What a peer has proved to know. */
export interface Proven {
  readonly role: Role;
  /** Only the two sides of this login have it. */
  readonly sessionKey: string;
}

interface Registration {
  readonly role: Role;
  readonly serverSetup: string;
  readonly registrationRecord: string;
}

/**
 * The server's side; made once per server. With a second password for observers every login is answered for both, in
 * words separated by a space; which of them the client can use, and so which password it knows, shows in its proof.
 */
export class PasswordVerifier {
  private constructor(
    private readonly opaque: Awaited<ReturnType<typeof loadOpaque>>,
    private readonly registrations: readonly Registration[],
  ) {}

  static async create(password: string, observerPassword?: string): Promise<PasswordVerifier> {
    const opaque = await loadOpaque();
    const { client, server } = opaque;
    const register = (role: Role, password: string): Registration => {
      const serverSetup = server.createSetup();
      const { clientRegistrationState, registrationRequest } = client.startRegistration({ password });
      const { registrationResponse } = server.createRegistrationResponse({
        serverSetup,
        userIdentifier,
        registrationRequest,
      });
      const { registrationRecord } = client.finishRegistration({
        clientRegistrationState,
        registrationResponse,
        password,
        keyStretching,
      });
      return { role, serverSetup, registrationRecord };
    };
    const registrations = [register('control', password)];
    if (observerPassword !== undefined) registrations.push(register('observe', observerPassword));
    return new PasswordVerifier(opaque, registrations);
  }

  /** Answers a client's first message; undefined when it is malformed. `finish` judges its last one. */
  start(
    request: string,
  ): { readonly response: string; finish(proof: string): Proven | undefined } | undefined {
    const { server } = this.opaque;
    try {
      const logins = this.registrations.map(({ role, serverSetup, registrationRecord }) => ({
        role,
        ...server.startLogin({
          userIdentifier,
          registrationRecord,
          serverSetup,
          startLoginRequest: request,
        }),
      }));
      return {
        response: logins.map(({ loginResponse }) => loginResponse).join(' '),
        finish: (finishLoginRequest) => {
          const proofs = logins.map(({ role, serverLoginState }) => {
            try {
              return {
                role,
                sessionKey: server.finishLogin({ finishLoginRequest, serverLoginState }).sessionKey,
              };
            } catch {
              return undefined;
            }
          });
          return proofs.find((each) => each !== undefined);
        },
      };
    } catch {
      return undefined;
    }
  }
}

/** Answers of a server that a client tries. */
const maxResponses = 2;

/** The client's side of one login. `finish` gives the last message, undefined when the server knows another password. */
export async function startLogin(password: string): Promise<{
  readonly request: string;
  finish(response: string): { readonly proof: string; readonly sessionKey: string } | undefined;
}> {
  const { client } = await loadOpaque();
  const { clientLoginState, startLoginRequest } = client.startLogin({ password });
  const tryOne = (loginResponse: string) => {
    try {
      const done = client.finishLogin({ clientLoginState, loginResponse, password, keyStretching });
      return done && { proof: done.finishLoginRequest, sessionKey: done.sessionKey };
    } catch {
      return undefined;
    }
  };
  return {
    request: startLoginRequest,
    finish: (response) =>
      response
        .split(' ')
        .slice(0, maxResponses)
        .map(tryOne)
        .find((each) => each !== undefined),
  };
}
