/**
 * Three debugging servers on the demo machine, each with servers of all kinds, and one client for every way in which a
 * connection is lost: `stays` loses its clients, `killed` and `sleeps` are lost by theirs. All are real processes.
 */
import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { nextEvent } from '../../../src/engine/base/emitter';
import { pipePath } from '../../../src/engine/remote/transports/pipeNames';
import type { ClientInfo, SessionState } from '../../../src/engine/session/protocol';
import type { Watcher } from '../../engine/session/support/harness';
import { joinAs, later } from '../../engine/remote/support/hosted';
import { Network } from '../../engine/remote/support/network';
import { freePort } from '../../support/freePort';
import { openPtyPair, type PtyPair } from '../../support/ptyPair';
import { VskdProcess } from '../../support/vskdProcess';

export const transports = ['tcp', 'npipe', 'ssl', 'spipe', 'com', 'tcp reverse'] as const;
export type Transport = (typeof transports)[number];

export const losses = [
  'server killed',
  'client killed',
  'cable pulled',
  'client asleep',
  'server asleep',
] as const;
export type Loss = (typeof losses)[number];

/** Seconds; three dozen processes start at once. */
const startLimit = 60;

type HostName = 'stays' | 'killed' | 'sleeps';

/** Where a client is: its host, and what it takes to cut it off. */
interface Place {
  readonly client: string;
  /** A server of its own, where several clients cannot share one. */
  readonly server?: string;
  /** The server that calls the client, to be started when it waits. */
  readonly caller?: string;
  readonly cable?: { pull(): void; mend(): void };
}

export class Member {
  constructor(
    readonly name: string,
    readonly process: VskdProcess,
    readonly place: Place,
  ) {}

  /** Says something in the session, and sees that it was said. */
  async speak(text: string, seconds = 15): Promise<void> {
    this.process.type(`.echo ${this.name} ${text}\n`);
    await this.process.sees(new RegExp(`^${this.name} ${text}$`, 'm'), seconds);
  }
}

interface Servers {
  readonly tcp: number;
  readonly ssl: number;
  readonly pipe: string;
}

export class Scene {
  readonly hosts = new Map<HostName, VskdProcess>();
  readonly members = new Map<string, Member>();
  /** Sockets that host `stays` had open before anybody came. */
  idleSockets = 0;
  private readonly environment: Record<string, string>;
  private readonly servers = new Map<HostName, Servers>();
  private seen!: Watcher;

  /** `runtime` is the place of sockets and registry, for this process too; `folder` that of everything else. */
  constructor(
    runtime: string,
    private readonly folder: string,
  ) {
    this.environment = { XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder };
  }

  async open(): Promise<void> {
    const made = await this.start(['-newcert', 'lab']).exit();
    if (made.code !== 0) throw new Error(made.stderr);
    const places = new Map<string, Place>();
    for (const name of ['stays', 'killed', 'sleeps'] as const) {
      this.servers.set(name, { tcp: await freePort(), ssl: await freePort(), pipe: `kd-${name}` });
    }
    for (const loss of losses)
      for (const transport of transports)
        places.set(`${transport} ${loss}`, await this.place(transport, loss, loss.replace(' ', '-')));
    await Promise.all([...this.servers].map(([name, servers]) => this.openHost(name, servers, places)));
    const stays = this.hosts.get('stays')!;
    this.idleSockets = socketsOf(stays);
    this.seen = await joinAs('watcher', `tcp:port=${this.servers.get('stays')!.tcp},server=127.0.0.1`);
    await Promise.all([...places].map(([name, place]) => this.openMember(name, place)));
  }

  start(args: readonly string[]): VskdProcess {
    const child = VskdProcess.withPipes(args, this.environment);
    later(() => {
      child.signal('SIGKILL');
    });
    return child;
  }

  get state(): SessionState {
    return this.seen.client.state;
  }

  /** What all servers listened on. */
  get ports(): number[] {
    return [...this.servers.values()].flatMap(({ tcp, ssl }) => [tcp, ssl]);
  }

  /** The one who watches host `stays` goes. */
  leave(): Promise<void> {
    return this.seen.client.leave();
  }

  run(text: string): Promise<boolean> {
    return this.seen.run(text);
  }

  /** The member as host `stays` lists it. */
  listed(id: number): ClientInfo | undefined {
    return this.state.clients.find((client) => client.id === id);
  }

  /** The number of a member at host `stays`. */
  idOf({ name }: Member): number {
    const said = this.seen.items.find(
      ({ kind, text }) => kind === 'command' && text.includes(`.echo ${name} `),
    );
    if (!said?.author) throw new Error(`'${name}' has said nothing.`);
    return said.author.id;
  }

  /** Waits for the state of host `stays`; rejects after `limit` milliseconds. */
  async until(accept: (state: SessionState) => boolean, limit: number): Promise<void> {
    if (accept(this.state)) return;
    const listen = (listener: (state: SessionState) => void) => this.seen.client.on('state', listener);
    await nextEvent<SessionState>(listen, accept, AbortSignal.timeout(Math.max(1, limit)));
  }

  private async openHost(
    name: HostName,
    { tcp, ssl, pipe }: Servers,
    places: ReadonlyMap<string, Place>,
  ): Promise<void> {
    const own = [...places].flatMap(([key, { server }]) => (hostOf(key) === name && server ? [server] : []));
    const strings = [
      `tcp:port=${tcp},bind=127.0.0.1`,
      `npipe:pipe=${pipe}`,
      `ssl:proto=tls,certuser=lab,port=${ssl},bind=127.0.0.1`,
      `spipe:proto=tls,certuser=lab,pipe=${pipe}-s`,
      ...own,
    ];
    const host = this.start([...strings.flatMap((string) => ['-server', string]), '-k', 'demo:']);
    this.hosts.set(name, host);
    await host.sees(new RegExp(`^${strings.length - 1}: <debugger> -remote `, 'm'), startLimit);
  }

  private async openMember(name: string, place: Place): Promise<void> {
    const member = new Member(name.replaceAll(' ', '-'), this.start(['-remote', place.client]), place);
    this.members.set(name, member);
    if (place.caller !== undefined) {
      await member.process.complains(/ is to call port /, startLimit);
      this.hosts.get(hostOf(name))?.type(`.server ${place.caller}\n`);
    }
    await member.process.sees(/ connected at /, startLimit);
    await member.speak('is here', startLimit);
  }

  private async place(transport: Transport, loss: Loss, pty: string): Promise<Place> {
    const pulled = loss === 'cable pulled';
    const { tcp, ssl, pipe } = this.servers.get(hostOf(loss))!;
    const secure = 'proto=tls,certuser=lab,';
    switch (transport) {
      case 'tcp':
        return overTcp(tcp, pulled, (port) => `tcp:port=${port},server=127.0.0.1`);
      case 'ssl':
        return overTcp(ssl, pulled, (port) => `ssl:${secure}port=${port},server=127.0.0.1`);
      case 'npipe':
        return overPipe(pipe, pulled, (name) => `npipe:pipe=${name},server=localhost`);
      case 'spipe':
        return overPipe(`${pipe}-s`, pulled, (name) => `spipe:${secure}pipe=${name},server=localhost`);
      case 'com':
        return overPty(join(this.folder, pty));
      case 'tcp reverse': {
        const port = await freePort();
        const client = `tcp:port=${port},clicon=127.0.0.1`;
        const { client: caller, cable } = await overTcp(
          port,
          pulled,
          (at) => `tcp:port=${at},clicon=127.0.0.1`,
        );
        return { client, caller, cable };
      }
    }
  }
}

function hostOf(name: string): HostName {
  if (name.endsWith('server killed')) return 'killed';
  return name.endsWith('server asleep') ? 'sleeps' : 'stays';
}

function cableOf(network: Network) {
  return { pull: () => network.silence(), mend: () => network.mend() };
}

async function overTcp(port: number, pulled: boolean, client: (port: number) => string): Promise<Place> {
  if (!pulled) return { client: client(port) };
  const network = await Network.to(port);
  return { client: client(network.port), cable: cableOf(network) };
}

async function overPipe(name: string, pulled: boolean, client: (name: string) => string): Promise<Place> {
  if (!pulled) return { client: client(name) };
  const network = await Network.to(await pipePath(name), await pipePath(`${name}-cable`));
  return { client: client(`${name}-cable`), cable: cableOf(network) };
}

async function overPty(folder: string): Promise<Place> {
  mkdirSync(folder);
  const pair: PtyPair = await openPtyPair(folder);
  later(() => pair.close());
  const at = (port: string) => `com:port=${port},baud=115200,channel=0`;
  const cable = { pull: () => pair.freeze(), mend: () => pair.thaw() };
  return { client: at(pair.b), server: at(pair.a), cable };
}

/** Sockets a process has open (Linux; elsewhere 0). */
export function socketsOf({ pid }: VskdProcess): number {
  if (process.platform !== 'linux') return 0;
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(join(folder, fd));
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith('socket:')).length;
}
