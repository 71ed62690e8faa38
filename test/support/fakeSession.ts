/**
 * A session for tests of the adapter: requests are answered by functions of the test, and the test fires the events.
 * Not a model of a session: what a session does is tested on real ones.
 */
import { Emitter, type Disposable } from '../../src/engine/base/emitter';
import { CancelledError, UserError } from '../../src/engine/base/errors';
import type { OpenedSession, SessionPort } from '../../src/adapter/sessionPort';
import type {
  BreakpointRow,
  EventName,
  Events,
  OutputItem,
  RequestName,
  Requests,
  SessionState,
  StopInfo,
} from '../../src/engine/session/protocol';

type Answers = {
  [M in RequestName]?: (
    params: Requests[M]['params'],
    signal: AbortSignal | undefined,
  ) => Requests[M]['result'] | Promise<Requests[M]['result']>;
};

export const self = { id: 3, identity: 'HOST\\user', remote: false, lastActive: 0 };
export const colleague = { id: 7, identity: 'BOX\\ann (tcp 10.0.0.5:63141)', remote: true, lastActive: 0 };

export function stopAt(pc: string, changes: Partial<StopInfo> = {}): StopInfo {
  return {
    reason: 'breakIn',
    processor: 0,
    pc,
    thread: '0xfffff80000400000',
    description: 'Break instruction exception - code 80000003 (first chance)',
    breakpointIds: [],
    ...changes,
  };
}

export class FakeSession implements SessionPort {
  /** Every request, in order. */
  readonly requests: { method: RequestName; params: unknown }[] = [];
  readonly breakpoints: BreakpointRow[] = [];
  readonly history: OutputItem[] = [];
  /** Expressions that have no address yet. */
  readonly unresolved = new Set<string>();
  disposed = 0;
  state: SessionState = {
    connection: 'demo:',
    targetState: 'connecting',
    detail: 'Waiting to reconnect...',
    architecture: undefined,
    processorCount: 0,
    processor: 0,
    stop: undefined,
    busy: true,
    prompt: '',
    servers: [],
    clients: [self],
  };

  private readonly emitters = new Map<EventName, Emitter<unknown>>();
  private readonly closedEmitter = new Emitter<Error | undefined>();
  private nextBreakpoint = 0;
  private seq = 0;

  readonly closed = this.closedEmitter.event;
  readonly answers: Answers = {
    resume: () => null,
    breakIn: () => null,
    cancel: () => ({ cancelled: true }),
    execute: () => ({ ok: true }),
    breakpoints: () => ({ breakpoints: this.breakpoints }),
    setBreakpoints: (params) => this.setBreakpoints(params),
    modules: () => ({ modules: [] }),
  };

  async request<M extends RequestName>(
    method: M,
    params: Requests[M]['params'],
    signal?: AbortSignal,
  ): Promise<Requests[M]['result']> {
    this.requests.push({ method, params });
    await Promise.resolve();
    if (signal?.aborted) throw new CancelledError();
    const answer = this.answers[method];
    if (!answer) throw new UserError(`no answer for ${method}`);
    return answer(params, signal);
  }

  on<E extends EventName>(event: E, listener: (value: Events[E]) => void): Disposable {
    return this.emitter(event).event((value) => listener(value as Events[E]));
  }

  fire<E extends EventName>(event: E, value: Events[E]): void {
    this.emitter(event).fire(value);
  }

  /** Changes the state and tells it. */
  changeState(changes: Partial<SessionState>): void {
    this.state = { ...this.state, ...changes };
    this.fire('state', this.state);
  }

  stop(stop: StopInfo): void {
    this.state = { ...this.state, targetState: 'stopped', stop, processor: stop.processor };
    this.state = { ...this.state, processorCount: Math.max(1, this.state.processorCount), busy: false };
    this.fire('stopped', stop);
    this.fire('state', this.state);
  }

  run(): void {
    this.fire('resumed', { kind: 'go' });
    this.changeState({ targetState: 'running', stop: undefined, busy: true });
  }

  output(kind: OutputItem['kind'], text: string, author?: OutputItem['author']): void {
    this.fire('output', { seq: ++this.seq, kind, text, ...(author && { author }) });
  }

  /** The parameters of all requests of one kind. */
  params<M extends RequestName>(method: M): Requests[M]['params'][] {
    return this.requests.filter((each) => each.method === method).map((each) => each.params as never);
  }

  close(): void {
    this.closedEmitter.fire(undefined);
  }

  lose(reason: string): void {
    this.closedEmitter.fire(new Error(reason));
  }

  opened(): OpenedSession {
    return {
      client: this,
      self,
      banner: '',
      history: this.history,
      dispose: () => {
        this.disposed++;
        return Promise.resolve();
      },
    };
  }

  private emitter(event: EventName): Emitter<unknown> {
    let emitter = this.emitters.get(event);
    if (!emitter) this.emitters.set(event, (emitter = new Emitter()));
    return emitter;
  }

  private setBreakpoints({ owner, expressions }: Requests['setBreakpoints']['params']) {
    for (const row of [...this.breakpoints]) {
      if (row.owner !== owner || expressions.includes(row.expression)) continue;
      this.breakpoints.splice(this.breakpoints.indexOf(row), 1);
      this.fire('breakpoint', { kind: 'removed', breakpoint: row });
    }
    const results = expressions.map((expression): { breakpoint: BreakpointRow } | { error: string } => {
      if (this.unresolved.has(expression)) return { error: `Couldn't resolve error at '${expression}'` };
      const known = this.breakpoints.find((row) => row.owner === owner && row.expression === expression);
      if (known) return { breakpoint: known };
      const breakpoint: BreakpointRow = {
        id: this.nextBreakpoint++,
        address: expression.startsWith('0x') ? expression : '0xfffff80000012340',
        expression,
        enabled: true,
        hits: 0,
        owner,
      };
      this.breakpoints.push(breakpoint);
      this.fire('breakpoint', { kind: 'new', breakpoint });
      return { breakpoint };
    });
    return { results };
  }
}
