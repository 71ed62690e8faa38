/** The debugging servers of a session: `.server`, `.servers`, `.endsrv`, and the door where clients come in. */
import { hostname } from 'node:os';
import { errorText, UserError } from '../base/errors';
import { Emitter } from '../base/emitter';
import type { ServerInfo } from '../session/protocol';
import { defaultHeartbeat, type Heartbeat } from '../session/peer';
import type { Issuer } from '../command/command';
import type { AwayLimits } from '../session/clientEnd';
import type { OutboxLimits } from '../session/outbox';
import { ResumableWire } from '../session/resumableWire';
import type { Session, SessionServers } from '../session/session';
import type { Wire } from '../wire/wire';
import { Admission } from './admission';
import { announceServer, type Announcement } from './discovery';
import { openFirewall } from './firewall';
import { identityText } from './handshake';
import { remoteMessages as messages } from './messages';
import { PasswordVerifier, resolvePassword } from './password';
import { Returning } from './resume';
import { dialClient, type DialTimes } from './reverse';
import {
  formatClientString,
  formatServerString,
  hostOf,
  parseServerString,
  type SessionString,
} from './sessionString';
import { transportOf } from './transports';
import type { Door, Peer, ServerLayer } from './transports/transport';

export interface ServerOptions {
  /** The name of this machine in client strings; the system's own when left out. */
  readonly hostName?: string;
  readonly askPassword?: () => Promise<string>;
  readonly heartbeat?: Heartbeat;
  readonly outbox?: OutboxLimits;
  /** How long clients whose connection broke are kept. */
  readonly away?: AwayLimits;
  /** Milliseconds a peer may take until it has joined. */
  readonly handshakeTime?: number;
  /** How long reverse connections are tried. */
  readonly dial?: DialTimes;
}

interface DebuggingServer {
  readonly id: number;
  /** As `.servers` shows it, and what a client needs. */
  readonly spec: string;
  readonly clientString: string;
  readonly transport: string;
  readonly layer: ServerLayer;
  readonly verifier: PasswordVerifier | undefined;
  /** Its clients may use commands that touch this machine. */
  readonly trusted: boolean;
  /** Its clients may come back after the network broke. */
  readonly resumable: boolean;
  /** Undefined when it takes no more clients. */
  door: Door | undefined;
  /** Makes it known to others; undefined when it is hidden or has ended. */
  announcement?: Announcement;
}

const maxServers = 32;
const maxClients = 256;

export class RemoteServers implements SessionServers {
  /** Ended ones stay listed, so that no number is given twice. */
  private readonly servers: DebuggingServer[] = [];
  private readonly admission: Admission;
  private readonly returning = new Returning();
  private readonly changes = new Emitter<void>();
  readonly changed = this.changes.event;
  private nextId = 0;

  constructor(
    private readonly session: Session,
    private readonly options: ServerOptions = {},
  ) {
    this.admission = new Admission(options);
  }

  async start(text: string, by?: Issuer): Promise<string> {
    const written = parseServerString(text);
    const { values } = written;
    if (by?.remote && !by.trusted) requireHarmless(values);
    const transport = transportOf(written.transport);
    if (this.active().length >= maxServers) throw new UserError(messages.tooManyServers(maxServers));
    const verifier = await this.verifier(values);
    const layer = await transport.serverLayer(written);
    const { carrier } = transport;
    const reverse = values.has('CliCon');
    const door = reverse
      ? dialClient(carrier, written, {
          times: this.options.dial,
          admit: (wire, peer) => this.admit(server, wire, peer),
          ended: (line) => this.doorEnded(server, line),
        })
      : await carrier.listen(written, (wire, peer) => void this.admit(server, wire, peer));
    const { string, port } = door;
    const server: DebuggingServer = {
      id: this.nextId++,
      spec: formatServerString(string, port),
      clientString: formatClientString(string, this.hostName(string), port),
      transport: string.transport,
      layer,
      verifier,
      trusted: values.get('Trust')?.toLowerCase() === 'full',
      resumable: !reverse,
      door,
    };
    this.servers.push(server);
    this.session.audit({ event: 'serverStart', id: server.id, server: server.spec });
    void door.failed?.then((error) =>
      this.doorEnded(server, messages.doorFailed(server.spec, errorText(error))),
    );
    await this.announce(server, written, port);
    this.changes.fire();
    const lines = this.active().map((each) => messages.commandLine(each.id, each.clientString));
    const notices = [
      ...layer.notices,
      ...(reverse ? [messages.dialing(carrier.where(written))] : []),
      ...(server.announcement?.notices ?? []),
      ...(values.has('IcfEnable') ? [await openFirewall(door.firewallPorts)] : []),
      ...(verifier || layer.authenticates ? [] : [messages.noPassword]),
    ];
    return `${[messages.started, ...lines, ...notices].join('\n')}\n`;
  }

  private async verifier(values: ReadonlyMap<string, string>): Promise<PasswordVerifier | undefined> {
    const ask = this.options.askPassword;
    const password = await resolvePassword(values.get('Password'), { ask });
    if (password === undefined) return undefined;
    const observers = await resolvePassword(values.get('Observer'), { ask });
    if (observers === password) throw new UserError(messages.samePasswords);
    return PasswordVerifier.create(password, observers);
  }

  list(): string {
    if (this.servers.length === 0) return `${messages.noServers}\n`;
    const lines = this.servers.map(({ id, spec, door }) =>
      door ? messages.listed(id, spec) : messages.disabled(id),
    );
    return `${lines.join('\n')}\n`;
  }

  async end(id: number): Promise<string> {
    const server = this.servers.find((each) => each.id === id);
    if (!server) throw new UserError(messages.unknownServer(id));
    if (!server.door) throw new UserError(messages.endedAlready(id));
    await this.close(server);
    const ended = this.servers.filter((each) => !each.door);
    const [oldest] = ended;
    if (oldest && ended.length > maxServers) this.servers.splice(this.servers.indexOf(oldest), 1);
    this.changes.fire();
    return `${messages.toldToExit}\n`;
  }

  infos(): readonly ServerInfo[] {
    return this.servers.map(({ id, spec, clientString, door }) => ({
      id,
      spec,
      clientString,
      disabled: door === undefined,
    }));
  }

  async dispose(): Promise<void> {
    this.admission.dispose();
    await Promise.all(this.active().map((server) => this.close(server)));
  }

  private active(): DebuggingServer[] {
    return this.servers.filter(({ door }) => door !== undefined);
  }

  private async close(server: DebuggingServer): Promise<void> {
    const { door, announcement } = server;
    server.door = undefined;
    server.announcement = undefined;
    this.session.audit({ event: 'serverEnd', id: server.id, server: server.spec });
    await Promise.all([door?.close(), announcement?.dispose()]);
  }

  private async announce(server: DebuggingServer, { values }: SessionString, port?: number): Promise<void> {
    if (values.has('Hidden') || values.has('CliCon')) return;
    const { spec, clientString } = server;
    const advertise = values.has('Advertise');
    const announcement = await announceServer({ kind: 'debugger', spec, clientString, advertise, port });
    if (server.door) server.announcement = announcement;
    else await announcement.dispose();
  }

  /** The name clients reach us by: a bound address is the only one that works. */
  private hostName({ values }: SessionString): string {
    const bound = hostOf(values, 'Bind');
    const wildcard = bound === undefined || bound === '0.0.0.0' || bound === '::';
    return wildcard ? (this.options.hostName ?? hostname()) : bound;
  }

  /** It takes no more clients without having been told so; `line` says it where nobody would notice. */
  private doorEnded(server: DebuggingServer, line: string | undefined): void {
    if (!server.door) return;
    server.door = undefined;
    if (line !== undefined && !this.session.ending) this.session.notice(line);
    this.changes.fire();
  }

  private async admit(server: DebuggingServer, wire: Wire, peer: Peer): Promise<boolean> {
    const { layer, verifier, trusted, resumable } = server;
    const from = `${server.transport} ${peer.address}`;
    const refused = (reason: string) =>
      this.session.audit({ event: 'refused', from, reason: reason.replace(/^refused: /, '') });
    const hasRoom = () => this.session.clientCount < maxClients;
    const door = {
      layer,
      verifier,
      isOpen: () => server.door !== undefined,
      hasRoom,
      returning: resumable ? this.returning : undefined,
      refused,
    };
    const joined = await this.admission.admit(door, wire, peer);
    if (!joined) return false;
    const { heartbeat = defaultHeartbeat, outbox, away } = this.options;
    const { role, ticket } = joined;
    const lasting = ticket && new ResumableWire(joined.wire);
    if (ticket && lasting) this.returning.add(ticket, lasting);
    const identity = `${identityText(joined.identity)} (${from})`;
    this.session.addClient(lasting ?? joined.wire, {
      identity,
      remote: true,
      role,
      trusted,
      heartbeat,
      outbox,
      away,
    });
    return true;
  }
}

/** What a remote client may not ask of a server it starts: trust that it does not have, files, questions, rules. */
function requireHarmless(values: ReadonlyMap<string, string>): void {
  if (values.get('Trust')?.toLowerCase() === 'full') throw new UserError(messages.hostOption("'Trust=full'"));
  if (values.has('IcfEnable')) throw new UserError(messages.hostOption("'IcfEnable'"));
  for (const name of ['Password', 'Observer']) {
    const value = values.get(name);
    if (value?.startsWith('@') || value === '*')
      throw new UserError(messages.hostOption(`'${name}=${value?.[0]}'`));
  }
}
