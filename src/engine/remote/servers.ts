/** The debugging servers of a session: `.server`, `.servers`, `.endsrv`, and the door where clients come in. */
import { hostname } from 'node:os';
import { UserError } from '../base/errors';
import { Emitter } from '../base/emitter';
import type { ServerInfo } from '../session/protocol';
import { defaultHeartbeat, type Heartbeat } from '../session/peer';
import type { OutboxLimits } from '../session/outbox';
import type { Session, SessionServers } from '../session/session';
import type { Wire } from '../wire/wire';
import { Admission } from './admission';
import { announceServer, type Announcement } from './discovery';
import { openFirewall } from './firewall';
import { identityText } from './handshake';
import { remoteMessages as messages } from './messages';
import { PasswordVerifier, resolvePassword } from './password';
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
  private readonly changes = new Emitter<void>();
  readonly changed = this.changes.event;
  private nextId = 0;

  constructor(
    private readonly session: Session,
    private readonly options: ServerOptions = {},
  ) {
    this.admission = new Admission(options);
  }

  async start(text: string): Promise<string> {
    const written = parseServerString(text);
    const { values } = written;
    const transport = transportOf(written.transport);
    if (this.active().length >= maxServers) throw new UserError(messages.tooManyServers(maxServers));
    const password = await resolvePassword(values.get('Password'), { ask: this.options.askPassword });
    const verifier = password === undefined ? undefined : await PasswordVerifier.create(password);
    const layer = await transport.serverLayer(written);
    const { carrier } = transport;
    const reverse = values.has('CliCon');
    const door = reverse
      ? dialClient(carrier, written, {
          times: this.options.dial,
          admit: (wire, peer) => this.admit(server, wire, peer),
          ended: (line) => this.reverseEnded(server, line),
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
      door,
    };
    this.servers.push(server);
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

  /** A reverse connection is over, or never came to be; `line` says so where nobody would notice. */
  private reverseEnded(server: DebuggingServer, line: string | undefined): void {
    if (!server.door) return;
    server.door = undefined;
    if (line !== undefined && !this.session.ending) this.session.notice(line);
    this.changes.fire();
  }

  private async admit(server: DebuggingServer, wire: Wire, peer: Peer): Promise<boolean> {
    const { layer, verifier } = server;
    const hasRoom = () => this.session.clientCount < maxClients;
    const door = { layer, verifier, isOpen: () => server.door !== undefined, hasRoom };
    const joined = await this.admission.admit(door, wire, peer);
    if (!joined) return false;
    const { heartbeat = defaultHeartbeat, outbox } = this.options;
    const identity = `${identityText(joined.identity)} (${server.transport} ${peer.address})`;
    this.session.addClient(joined.wire, { identity, remote: true, heartbeat, outbox });
    return true;
  }
}
