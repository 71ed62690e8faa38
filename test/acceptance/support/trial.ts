/** One try of a point on one transport: folders of its own, the processes it started, and what to undo at its end. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Result, VskdProcess } from '../../support/vskdProcess';
import { type Cable, type Door, serialCable, type Transport } from './transports';

export interface HostOptions {
  /** Of vskd, after `-k`. */
  readonly args?: readonly string[];
  readonly terminal?: boolean;
}

export interface ClientOptions {
  readonly args?: readonly string[];
  /** Follows the client's string: `,password=x`. */
  readonly string?: string;
  readonly terminal?: boolean;
}

/** A session that at least one client has joined. */
export interface Joined {
  readonly h: VskdProcess;
  readonly a: VskdProcess;
  readonly door: Door;
}

export class Trial {
  /** Short: names of Unix sockets are. */
  readonly folder = mkdtempSync(join(tmpdir(), 'kda-'));
  private readonly environment: NodeJS.ProcessEnv;
  private line: Promise<Cable> | undefined;
  private readonly undo: (() => Promise<void> | void)[] = [];

  constructor(
    readonly transport: Transport,
    configuration: string,
  ) {
    const folder = (name: string) => {
      const path = join(this.folder, name);
      mkdirSync(path, { mode: 0o700 });
      return path;
    };
    const home = folder('home');
    const runtime = folder('run');
    const config = folder('config');
    cpSync(configuration, config, { recursive: true });
    this.environment = {
      HOME: home,
      USERPROFILE: home,
      XDG_STATE_HOME: folder('state'),
      XDG_CONFIG_HOME: config,
      APPDATA: config,
      LOCALAPPDATA: home,
      ...(process.platform === 'win32' ? { TEMP: runtime } : { XDG_RUNTIME_DIR: runtime }),
    };
  }

  /** Undone in reverse order, also after a failure. */
  onEnd(action: () => Promise<void> | void): void {
    this.undo.push(action);
  }

  vskd(args: readonly string[], terminal = false): VskdProcess {
    const child = VskdProcess[terminal ? 'onTerminal' : 'withPipes'](args, this.environment);
    this.onEnd(async () => {
      if (child.ended) return;
      child.signal('SIGKILL');
      await child.exit();
    });
    return child;
  }

  /** With all of its input; resolves when it has ended. */
  runVskd(args: readonly string[], input = ''): Promise<Result> {
    const child = this.vskd(args);
    child.type(input);
    child.endInput();
    return child.exit();
  }

  /** The serial cable of this trial. */
  cable(): Promise<Cable> {
    this.line ??= serialCable(this);
    return this.line;
  }

  /** The transport's next server and client strings. */
  door(options = ''): Promise<Door> {
    return this.transport.open(this, options);
  }

  /** A debugger on the demo machine with these servers; resolves when they are open and the target is stopped. */
  async host(servers: readonly string[], { args = [], terminal = false }: HostOptions = {}) {
    const open = servers.flatMap((server) => ['-server', server]);
    const h = this.vskd([...open, '-k', 'demo:', ...(terminal ? ['-b'] : []), ...args], terminal);
    await this.ready(h);
    return h;
  }

  /** Waits until the host's target is stopped. */
  async ready(h: VskdProcess): Promise<void> {
    await h.sees(/Break instruction exception/, 30);
    await settled(h);
  }

  /** Starts a client. */
  client(door: Door, { args = [], string = '', terminal = false }: ClientOptions = {}): VskdProcess {
    return this.vskd(['-remote', door.client + string, ...args], terminal);
  }

  /** Starts a client and resolves when it is in the session; the door's server is open (or is opened by `open`). */
  async join(door: Door, options: ClientOptions = {}, open?: () => void): Promise<VskdProcess> {
    const client = this.client(door, options);
    if (open) {
      if (this.transport.clientFirst) await waits(client, options.terminal);
      open();
    }
    await client.sees(/ connected at /);
    return client;
  }

  /** A new client of a running session: by its open server, or by another one where that has no room. */
  async another(h: VskdProcess, door: Door, options: ClientOptions = {}): Promise<VskdProcess> {
    if (!this.transport.single) return this.join(door, options);
    return (await this.byNewDoor(h, '', options)).client;
  }

  /** A new server of a running session, which `by` asks for, and its first client. */
  async byNewDoor(by: VskdProcess, server = '', options: ClientOptions = {}) {
    const door = await this.door(server);
    const open = () => by.type(`.server ${door.server}\n`);
    if (this.transport.clientFirst) return { door, client: await this.join(door, options, open) };
    open();
    await by.sees(/Client can connect with any of these command lines/);
    return { door, client: await this.join(door, options) };
  }

  /** A host and its first client. `server` follows the server's string. */
  async session(
    server = '',
    host: HostOptions = {},
    client: ClientOptions = {},
    given?: Door,
  ): Promise<Joined> {
    const door = given ?? (await this.door(server));
    if (!this.transport.clientFirst) {
      const h = await this.host([door.server], host);
      return { h, a: await this.join(door, client), door };
    }
    let started: Promise<VskdProcess> | undefined;
    const a = await this.join(door, client, () => (started = this.host([door.server], host)));
    return { h: await (started as unknown as Promise<VskdProcess>), a, door };
  }

  async dispose(): Promise<void> {
    for (const action of this.undo.reverse()) await action();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A terminal shows errors among the rest. */
async function waits(client: VskdProcess, terminal = false): Promise<void> {
  const asked = /is to call port \d+/;
  if (terminal) await client.sees(asked);
  else await client.complains(asked);
}

let marks = 0;

/** Text that has not been seen before. */
export function mark(): string {
  return `mark-${++marks}`;
}

/** Resolves when all that `from` did so far has been shown there and to `others`. */
export async function settled(from: VskdProcess, ...others: VskdProcess[]): Promise<void> {
  const text = mark();
  from.type(`.echo ${text}\n`);
  await Promise.all([from, ...others].map((each) => each.sees(new RegExp(`^${text}$`, 'm'))));
}

/** What a command shows where it is typed: its output without its own line, `''` when there is none. */
export async function answer(by: VskdProcess, command: string): Promise<string> {
  const [begin, end] = [mark(), mark()];
  by.type(`.echo ${begin}\n${command}\n.echo ${end}\n`);
  const text = await by.sees(new RegExp(`^${end}$`, 'm'), 30);
  const lines = text.split('\n');
  const from = lines.indexOf(begin) + 1;
  const to = lines.findIndex((line) => line.endsWith(`kd> .echo ${end}`));
  const own = /^(?:\d+: )?kd> /.test(lines[from] ?? '') ? 1 : 0;
  return lines.slice(from + own, to).join('\n');
}

/** A prompt on a terminal that waits for input, after what was above it. */
export const atPrompt = /\x1b\[0?J(?:\d+: )?kd> /;
