/**
 * One session as one DAP client sees it, from launch or attach to the end: listens to the session's events, hands
 * each to the part that turns it into DAP events, and knows how to leave and how to end.
 */
import { Event, InvalidatedEvent, MemoryEvent, TerminatedEvent, ThreadEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Disposable } from '../engine/base/emitter';
import { errorText } from '../engine/base/errors';
import { LocalSource } from '../engine/session/localSource';
import type { Events, SessionState, StopInfo } from '../engine/session/protocol';
import { BreakpointRegistry } from './breakpoints';
import type { SessionConfiguration } from './launchConfiguration';
import { MemoryViews } from './memoryViews';
import { ModuleList } from './modules';
import type { OutputCategory } from './outbox';
import { OutputView } from './output';
import { ConnectProgress } from './progress';
import { threadId } from './references';
import { RunControl } from './runControl';
import type { OpenedSession, SessionPort } from './sessionPort';

/** What a live session needs of the adapter around it. */
export interface LiveOptions {
  readonly client: Readonly<Partial<DebugProtocol.InitializeRequestArguments>>;
  send(event: DebugProtocol.Event): void;
  output(category: OutputCategory, text: string): void;
}

/** What is worth telling of a client; when it was last active is not. */
const clientKey = ({ id, role, away }: SessionState['clients'][number]) => [id, role, away];
/** The sequence by which clients clear their console (VS Code does). */
const clearConsole = '\x1b[2J';
/** Changes of state within this time are told as one, in milliseconds. */
const stateDelay = 25;
/** Time to put things in order in the target before the connection is closed, in milliseconds. */
const leaveTime = 3000;
/** Time that closing may take, in milliseconds. */
const closeTime = 5000;

export class LiveSession {
  readonly session: SessionPort;
  readonly run: RunControl;
  readonly breakpoints: BreakpointRegistry;
  readonly modules: ModuleList;
  readonly memory = new MemoryViews();
  readonly output: OutputView;
  /** The source path of this client alone. */
  readonly localSource: LocalSource;
  /** Addresses that begin an instruction for certain: the pc and the frames shown since the last stop. */
  readonly instructionStarts = new Set<bigint>();

  private lastStop: StopInfo | undefined;
  private readonly subscriptions: Disposable[] = [];
  private readonly progress: ConnectProgress | undefined;
  private processors = 1;
  private over = false;
  private leaving: Promise<void> | undefined;
  private readonly lifetime = new AbortController();
  private stateDue: NodeJS.Timeout | undefined;
  private shownState: string | undefined;

  constructor(
    readonly configuration: SessionConfiguration,
    private readonly opened: OpenedSession,
    private readonly options: LiveOptions,
  ) {
    const { client: session, self } = opened;
    this.session = session;
    this.modules = new ModuleList(session, options.send);
    this.localSource = new LocalSource(configuration.localSourcePath);
    this.breakpoints = new BreakpointRegistry(session, self.id, options.send);
    this.output = new OutputView(self.id, options.output);
    this.progress = options.client.supportsProgressReporting ? new ConnectProgress(options.send) : undefined;
    this.run = new RunControl({
      session,
      firstBreakIsEntry: this.owner && configuration.initialBreak,
      // No frame has source yet.
      stopsWithoutSource: options.client.clientID === 'vscode',
      send: options.send,
      hits: (stop) => this.breakpoints.hits(stop),
    });
    if (opened.banner !== '') options.output('console', `${opened.banner.trimEnd()}\n`);
    for (const item of opened.history) this.output.show(item);
    this.listen();
    if (this.over) this.stopListening();
    this.lastStop = session.state.stop;
    this.processors = Math.max(1, session.state.processorCount);
    this.stateChanged(session.state);
    this.tellUnused();
    if (!this.owner) void this.joined();
  }

  /** What a host does for its own session, a client does for itself: `-bonc` and `-c`. */
  private async joined(): Promise<void> {
    const { initialBreak, commands } = this.configuration;
    const { signal } = this.lifetime;
    try {
      if (initialBreak && !this.lastStop) await this.session.request('breakIn', {}, signal);
      for (const text of commands) await this.session.request('execute', { text }, signal);
    } catch {
      // Left or over before all had run.
    }
  }

  private tellUnused(): void {
    for (const name of ['symbolPath', 'imagePath', 'sourcePath', 'localSourcePath'] as const) {
      if (this.configuration[name] === undefined) continue;
      this.options.output('console', `'${name}' has no effect yet: symbol and source files are not read.\n`);
    }
  }

  private listen(): void {
    const { session } = this;
    this.subscriptions.push(
      session.on('output', (item) => this.output.show(item)),
      session.on('state', (state) => this.stateChanged(state)),
      session.on('stopped', (stop) => this.stopped(stop)),
      session.on('resumed', () => this.resumed()),
      session.on('breakpoint', (change) => this.breakpoints.changed(change)),
      session.on('module', (change) => this.moduleChanged(change)),
      session.on('memoryChanged', (change) => this.memoryChanged(change.address, change.count)),
      session.on('clearScreen', () => this.options.output('console', clearConsole)),
      session.on('ended', ({ reason }) => this.ended('console', reason)),
      session.closed((error) =>
        this.ended('stderr', error ? `The session was lost: ${errorText(error)}` : ''),
      ),
    );
  }

  /** True when this client's debugger owns the connection to the target. */
  get owner(): boolean {
    return this.configuration.request === 'launch';
  }

  /** The stop the target is in, as the events tell it. */
  get stop(): StopInfo | undefined {
    return this.lastStop;
  }

  get isOver(): boolean {
    return this.over;
  }

  get threadCount(): number {
    return this.processors;
  }

  get selfId(): number {
    return this.opened.self.id;
  }

  isConnecting(progressId: string): boolean {
    return this.progress?.isCurrent(progressId) ?? false;
  }

  /** Runs a command line for this client; `output` is what it printed, for a caller that shows it itself. */
  async execute(text: string, signal?: AbortSignal): Promise<{ ok: boolean; output: string }> {
    const lines: string[] = [];
    let mine = false;
    const listener = this.session.on('output', (item) => {
      if (item.kind === 'command') mine = item.author?.id === this.selfId;
      else if (mine && item.kind !== 'debuggee') lines.push(item.text);
    });
    try {
      const { ok } = await this.session.request('execute', { text }, signal);
      return { ok, output: lines.join('') };
    } finally {
      listener.dispose();
    }
  }

  /**
   * This client goes. A joined session goes on without it. The owner's session ends with it: unless `suspend` is set
   * the target is set running, without breakpoints.
   */
  leave(suspend: boolean): Promise<void> {
    this.leaving ??= this.doLeave(suspend);
    return this.leaving;
  }

  private async doLeave(suspend: boolean): Promise<void> {
    const clear = !this.over && !this.owner;
    const go = !this.over && this.owner && this.lastStop !== undefined && !suspend;
    this.stopListening();
    const signal = AbortSignal.timeout(leaveTime);
    try {
      if (clear) await this.breakpoints.removeOwn(signal);
      if (go) {
        await this.session.request('cancel', {}, signal);
        await this.session.request('execute', { text: 'bc *' }, signal);
        await this.session.request('resume', { kind: 'go' }, signal);
      }
    } catch {
      // The target or the server does not answer; there is nothing left to put in order.
    }
    await this.close();
  }

  /** Ends the session for everybody and leaves the target as it is, like `qq`. */
  async end(): Promise<void> {
    if (this.over) return;
    if (this.owner) {
      this.ended('console', '');
      await this.close();
    } else {
      await this.session.request('execute', { text: 'qq' }, AbortSignal.timeout(leaveTime));
    }
  }

  /** The user does not want to wait for the target any longer. */
  async giveUp(): Promise<void> {
    this.ended('console', '');
    await this.close();
  }

  /** The connection to the target or to the server is closed in order where that takes no longer than it may. */
  private async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeTime)));
    await Promise.race([this.opened.dispose(), late]).finally(() => clearTimeout(timer));
  }

  private ended(category: OutputCategory, reason: string): void {
    if (this.over) return;
    this.stopListening();
    if (reason !== '') this.options.output(category, `${reason}\n`);
    this.options.send(new TerminatedEvent());
  }

  private stopListening(): void {
    this.over = true;
    this.lastStop = undefined;
    this.lifetime.abort();
    this.progress?.end();
    clearTimeout(this.stateDue);
    for (const subscription of this.subscriptions.splice(0)) subscription.dispose();
  }

  private stopped(stop: StopInfo): void {
    this.lastStop = stop;
    this.instructionStarts.clear();
    this.retryBreakpoints();
    this.run.stopped(stop);
  }

  private resumed(): void {
    this.lastStop = undefined;
    this.run.resumed();
  }

  private moduleChanged(change: Events['module']): void {
    this.modules.changed(change);
    if (change.kind === 'load' && this.lastStop) this.retryBreakpoints();
  }

  /** Asked for before the client hears of the stop, so that it comes before whatever the client does next. */
  private retryBreakpoints(): void {
    this.breakpoints.retry(this.lifetime.signal).catch(() => {
      // They stay as they are: not verified, and tried again at the next stop.
    });
  }

  private stateChanged(state: SessionState): void {
    this.progress?.update(state);
    if (state.targetState !== 'stopped' && state.targetState !== 'running') this.lastStop = undefined;
    this.run.stateChanged(state);
    const count = Math.max(1, state.processorCount);
    for (; this.processors < count; this.processors++) {
      this.options.send(new ThreadEvent('started', threadId(this.processors)));
    }
    // After a reboot there may be fewer, but a lost link says nothing about the machine.
    if (state.targetState === 'stopped') {
      while (this.processors > count)
        this.options.send(new ThreadEvent('exited', threadId(--this.processors)));
    }
    if (this.shownState === undefined) this.showState();
    else this.stateDue ??= setTimeout(() => this.showState(), stateDelay);
  }

  /** Every command makes the session busy and idle again; what follows quickly is one event, and what says nothing new none. */
  private showState(): void {
    clearTimeout(this.stateDue);
    this.stateDue = undefined;
    const { state } = this.session;
    const text = JSON.stringify({ ...state, clients: state.clients.map(clientKey) });
    if (text === this.shownState) return;
    this.shownState = text;
    this.options.send(new Event('kd/state', state));
  }

  private memoryChanged(address: string | undefined, count: number | undefined): void {
    if (this.options.client.supportsInvalidatedEvent)
      this.options.send(new InvalidatedEvent(['stacks', 'variables']));
    if (!this.options.client.supportsMemoryEvent) return;
    for (const change of this.memory.touchedBy({ address, count })) {
      this.options.send(new MemoryEvent(change.memoryReference, change.offset, change.count));
    }
  }
}
