/**
 * A session around an engine that exists: its debugging servers, and the host's place in it. The host is a client like
 * all others, over a wire in memory.
 */
import type { Engine } from '../command/engine';
import type { PathKind } from '../command/searchPaths';
import { openAudit, type AuditEntry } from '../session/audit';
import type { AwayLimits } from '../session/clientEnd';
import type { OutboxLimits } from '../session/outbox';
import type { Heartbeat } from '../session/peer';
import { SessionClient } from '../session/rpc';
import { Session, type CommandLanguage } from '../session/session';
import { memoryWirePair } from '../wire/memory';
import { openedSession, type OpenedSession } from './client';
import { identityText, localIdentity, type Identity } from './handshake';
import type { DialTimes } from './reverse';
import { RemoteServers } from './servers';

export interface HostedSession extends OpenedSession {
  readonly session: Session;
  readonly servers: RemoteServers;
}

export interface EngineHostOptions {
  /** Strings as after `.server`, started in this order. */
  readonly servers?: readonly string[];
  /** The target is to break in as soon as it is reached. */
  readonly initialBreak?: boolean;
  /** Command lines that run when the target stops for the first time, in order. */
  readonly commands?: readonly string[];
  /** Nobody may use commands that touch this machine. */
  readonly secure?: boolean;
  /** Nobody may use `.shell`. */
  readonly noShell?: boolean;
  /** What joining clients are greeted with; whole lines. */
  readonly banner?: string;
  /** Who the host is to the others; this machine and user when left out. */
  readonly identity?: Identity;
  /** The name of this machine in client strings. */
  readonly hostName?: string;
  /** Asks for a password that a server string leaves open (`password=*`). */
  readonly askPassword?: () => Promise<string>;
  readonly heartbeat?: Heartbeat;
  /** Bounds of what may wait for a slow client. */
  readonly outbox?: OutboxLimits;
  /** How long clients whose connection broke are kept. */
  readonly away?: AwayLimits;
  /** The file of the session log (`-audit`). */
  readonly audit?: string;
  /** `.sympath`, `.srcpath` and `.exepath` at the start. */
  readonly paths?: Partial<Readonly<Record<PathKind, string>>>;
  /** Milliseconds a peer may take until it has joined. */
  readonly handshakeTime?: number;
  /** How long reverse connections are tried. */
  readonly dial?: DialTimes;
}

/**
 * The engine becomes the session's and is disposed with it, also when this fails. `connection` is the target connection
 * as others may see it.
 */
export async function hostEngine(
  engine: Engine,
  language: CommandLanguage,
  connection: string,
  options: EngineHostOptions = {},
): Promise<HostedSession> {
  const { banner, initialBreak, secure, noShell, hostName, askPassword } = options;
  const { heartbeat, outbox, away, handshakeTime, dial } = options;
  for (const [kind, path] of Object.entries(options.paths ?? {})) engine.paths.set(kind as PathKind, path);
  const audit = options.audit === undefined ? undefined : await auditOf(options.audit, engine);
  const session = new Session({
    engine,
    language,
    connection,
    banner,
    initialBreak,
    secure,
    noShell,
    audit: audit?.write,
  });
  audit?.into(session);
  const servers = new RemoteServers(session, {
    hostName,
    askPassword,
    heartbeat,
    outbox,
    away,
    handshakeTime,
    dial,
  });
  session.setServers(servers);
  try {
    const [near, far] = memoryWirePair();
    const identity = identityText(options.identity ?? localIdentity());
    session.addClient(far, { identity, remote: false });
    const client = await SessionClient.attach(near);
    for (const server of options.servers ?? []) {
      session.print('server', 'normal', await servers.start(server));
    }
    void runInOrder(client, options.commands ?? []);
    return { ...openedSession(client, () => session.end('The debugger has ended.')), session, servers };
  } catch (error) {
    await session.end('');
    throw error;
  }
}

/** Opens the session log; the engine is given up when that fails. */
async function auditOf(path: string, engine: Engine) {
  let session: Session | undefined;
  try {
    const log = openAudit(path, (line) => session?.notice(line));
    return {
      write: (entry: AuditEntry) => log.write(entry),
      into(owner: Session) {
        session = owner;
        owner.audit({ event: 'start', reason: `vscode-kd, process ${process.pid}` });
        owner.ended(() => log.close());
      },
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

/** What a command prints, errors included, reaches everybody as output. */
async function runInOrder(client: SessionClient, commands: readonly string[]): Promise<void> {
  try {
    for (const text of commands) await client.request('execute', { text });
  } catch {
    // The session has ended before they had all run.
  }
}
