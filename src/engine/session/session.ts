/**
 * The owner of one debugging session: the engine, the command queue, the clients and the output. Every client is
 * told everything, in one order; clients hold no truth of their own.
 */
import { Emitter, type Disposable, type Event } from '../base/emitter';
import type { Command, Issuer, OutputKind, ServerControl } from '../command/command';
import type { Engine, Module } from '../command/engine';
import type { Wire } from '../wire/wire';
import type { AuditEntry } from './audit';
import { SessionClientEnd, type ClientOptions } from './clientEnd';
import { LineRunner } from './commandLine';
import { Flow } from './flow';
import { messages } from './messages';
import { OutputLog, type HistoryLimits } from './output';
import type {
  ClientInfo,
  EventName,
  Events,
  OutputItem,
  ResumeKind,
  ServerInfo,
  SessionState,
} from './protocol';
import { People } from './people';
import { CommandQueue } from './queue';
import { eventFrame } from './peer';
import { breakpointRow, moduleEventRow } from './rows';
import { TargetWatcher } from './targetWatcher';
import { countLines } from './text';

/** The command language, as far as a session needs it. */
export interface CommandLanguage {
  /** Cuts a line at the semicolons between commands. */
  split(line: string): readonly string[];
  find(text: string): { readonly command: Command; readonly args: string } | undefined;
  complete(text: string): readonly { readonly label: string; readonly detail: string }[];
}

/** Debugging servers of this session; the remote room has them. */
export interface SessionServers extends ServerControl {
  infos(): readonly ServerInfo[];
  readonly changed: Event<void>;
  /** Ends all of them; attached clients stay. */
  dispose(): Promise<void>;
}

export interface SessionOptions {
  /** Becomes the session's: it is disposed when the session ends. */
  readonly engine: Engine;
  readonly language: CommandLanguage;
  /** The target connection as shown to people, without secrets. */
  readonly connection: string;
  /** What a joining client is greeted with; whole lines. */
  readonly banner?: string;
  /** The target has been asked to break in as soon as it is reached; the connection line says so. */
  readonly initialBreak?: boolean;
  /** Lets nobody use commands that touch this machine. */
  readonly secure?: boolean;
  /** Refuses `.shell` to everybody. */
  readonly noShell?: boolean;
  readonly history?: HistoryLimits;
  /** Told who did what; see audit.ts. */
  readonly audit?: (entry: AuditEntry) => void;
}

export class Session {
  readonly engine: Engine;
  readonly language: CommandLanguage;
  readonly queue = new CommandQueue();
  readonly runner: LineRunner;
  readonly people: People;
  readonly banner: string;
  readonly initialBreak: boolean;
  /** What the last typed resume was, for the `resumed` event. */
  resumeKind: ResumeKind = 'go';

  private readonly connection: string;
  private readonly output: OutputLog;
  private readonly flow = new Flow(() => this.attached.values());
  private readonly auditor: SessionOptions['audit'];
  private readonly watcher: TargetWatcher;
  private readonly attached = new Map<number, SessionClientEnd>();
  private readonly pending = new Set<SessionClientEnd>();
  private readonly subscriptions: Disposable[] = [];
  private readonly endedEmitter = new Emitter<string>();
  private nextClientId = 0;
  private serverControl: SessionServers | undefined;
  private shownState = '';
  private knownModules: readonly Module[] = [];
  private finishing: Promise<void> | undefined;

  /** Fires once, with the reason, when everything is closed. */
  readonly ended = this.endedEmitter.event;

  constructor(options: SessionOptions) {
    this.engine = options.engine;
    this.language = options.language;
    this.connection = options.connection;
    this.banner = options.banner ?? '';
    this.initialBreak = options.initialBreak ?? false;
    this.people = new People(this, { secure: options.secure ?? false, noShell: options.noShell ?? false });
    this.auditor = options.audit;
    this.output = new OutputLog((item) => this.deliver(item), options.history);
    this.runner = new LineRunner(this);
    this.watcher = new TargetWatcher(this);
    const { breakpoints, target } = this.engine;
    this.subscriptions.push(
      this.queue.changed(() => this.updateState()),
      breakpoints.changed(({ kind, breakpoint }) =>
        this.broadcast('breakpoint', { kind, breakpoint: breakpointRow(breakpoint) }),
      ),
      target.moduleChanged((event) =>
        this.broadcast('module', {
          kind: event.kind,
          ...(event.kind !== 'unloadAll' && { module: moduleEventRow(event) }),
        }),
      ),
    );
    this.watcher.start();
  }

  get ending(): boolean {
    return this.finishing !== undefined;
  }

  /** The target is stopped and the stop has been shown. */
  get targetStopped(): boolean {
    return this.watcher.stop !== undefined;
  }

  get clientCount(): number {
    return this.attached.size + this.pending.size;
  }

  get servers(): SessionServers | undefined {
    return this.serverControl;
  }

  setServers(servers: SessionServers): void {
    this.serverControl = servers;
    this.subscriptions.push(servers.changed(() => this.updateState()));
    this.updateState();
  }

  get state(): SessionState {
    const { target } = this.engine;
    const stop = this.watcher.stop;
    return {
      connection: this.connection,
      targetState: target.state === 'stopped' && !stop ? 'running' : target.state,
      detail: target.detail,
      architecture: target.architecture?.name,
      processorCount: target.processorCount,
      processor: this.engine.processor,
      stop,
      busy: this.queue.busy || !stop,
      prompt: stop ? `${this.engine.promptName}> ` : '',
      servers: this.serverControl?.infos() ?? [],
      clients: this.clients.map((client) => client.info),
    };
  }

  /** Those who have joined, in that order, but for those who have been away for long. */
  get clients(): readonly SessionClientEnd[] {
    return [...this.attached.values()].filter((client) => !client.isHidden);
  }

  /** The text of `.clients`. */
  clientsText(): string {
    return this.clients.map(({ info }) => `${messages.client(info)}\n`).join('');
  }

  /** Serves one client over a wire; it joins when it sends `attach`. */
  addClient(wire: Wire, options: ClientOptions): void {
    const client = new SessionClientEnd(this, wire, this.nextClientId++, options);
    if (this.ending) client.end(messages.sessionOver);
    else this.pending.add(client);
  }

  /** Called by the client's end when it sent `attach`; the newcomer finds its own announcement in the history. */
  join(client: SessionClientEnd): void {
    const { info } = client;
    const text = messages.connectedAt(info.identity, new Date());
    if (info.remote) this.notice(text);
    this.output.flush();
    this.pending.delete(client);
    this.attached.set(info.id, client);
    this.audit({ event: 'join', client: info });
    this.updateState(client);
    if (info.remote) this.broadcast('clientJoined', { client: info, text }, client);
  }

  /** Called by the client's end when its connection is over. */
  leave(client: SessionClientEnd): void {
    this.pending.delete(client);
    if (!this.attached.delete(client.info.id)) return;
    this.audit({ event: 'leave', client: client.info });
    this.queue.forget(client.info.id);
    this.updateState();
    this.broadcast('clientLeft', { client: client.info });
  }

  /** The module list; while the target runs, what is known of it. */
  async modules(): Promise<readonly Module[]> {
    try {
      this.knownModules = await this.engine.modules();
    } catch (error) {
      if (this.engine.stop) throw error;
    }
    return this.knownModules;
  }

  history(count: number | undefined): OutputItem[] {
    return this.output.recent(count ?? Number.MAX_SAFE_INTEGER);
  }

  /** Prints for everybody. `source` tells writers apart, see OutputLog. */
  print(source: string, kind: OutputKind, text: string, author?: ClientInfo): void {
    this.output.write(source, kind, text, author);
  }

  notice(line: string): void {
    this.print('session', 'notice', `${line}\n`);
  }

  /** The number of the newest output item. */
  get lastSeq(): number {
    return this.output.lastSeq;
  }

  /** Resolves when the clients have taken most of what was printed; see flow.ts. */
  drained(signal: AbortSignal): Promise<void> {
    return this.flow.drained(signal);
  }

  /** Writes to the session log, where there is one. */
  audit(entry: AuditEntry): void {
    this.auditor?.(entry);
  }

  /** One line for one client only. */
  tell(issuer: Issuer, kind: OutputKind, line: string): void {
    this.output.flush();
    const item = { seq: this.output.lastSeq, kind, text: `${line}\n` };
    this.attached.get(issuer.id)?.send('output', item);
  }

  sendTo<E extends EventName>(issuer: Issuer, name: E, payload: Events[E]): void {
    this.output.flush();
    this.attached.get(issuer.id)?.send(name, payload);
  }

  broadcast<E extends EventName>(name: E, payload: Events[E], except?: SessionClientEnd): void {
    this.output.flush();
    for (const client of this.attached.values()) if (client !== except) client.send(name, payload);
  }

  /** Sends the state to all clients when it has changed; `except` has it already. */
  updateState(except?: SessionClientEnd): void {
    this.output.flush();
    const state = this.state;
    const text = JSON.stringify(state);
    if (text === this.shownState) return;
    this.shownState = text;
    for (const client of this.attached.values()) if (client !== except) client.send('state', state);
  }

  /** Ends the session for everybody, in order. Resolves when all is closed. */
  end(reason: string): Promise<void> {
    this.finishing ??= this.finish(reason);
    return this.finishing;
  }

  private async finish(reason: string): Promise<void> {
    this.audit({ event: 'end', reason });
    // Not before the caller, which may be a command, has got its answer.
    await this.queue.close();
    await new Promise((resolve) => setImmediate(resolve));
    this.watcher.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
    await this.serverControl?.dispose();
    this.broadcast('ended', { reason });
    await Promise.all([...this.attached.values(), ...this.pending].map((client) => client.close()));
    await this.engine.dispose();
    this.endedEmitter.fire(reason);
  }

  private deliver(item: OutputItem): void {
    const frame = eventFrame('output', item);
    const lines = countLines(item.text);
    for (const client of this.attached.values()) client.sendFrame(frame, lines);
  }
}
