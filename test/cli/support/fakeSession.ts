/** A session that answers from the test: what the front ends need of one, without an engine behind it. */
import { Emitter } from '../../../src/engine/base/emitter';
import type { SessionPort } from '../../../src/cli/conversation';
import type {
  ClientInfo,
  EventName,
  Events,
  OutputItem,
  RequestName,
  SessionState,
} from '../../../src/engine/session/protocol';

export const self: ClientInfo = { id: 1, identity: 'LAB\\me', remote: false, lastActive: 0 };
export const other: ClientInfo = {
  id: 2,
  identity: 'DEV\\ann (tcp 10.0.0.5:1)',
  remote: true,
  lastActive: 0,
};

type Handler = (params: never) => unknown;

export class FakeSession implements SessionPort {
  state: SessionState = {
    connection: 'demo:',
    targetState: 'stopped',
    detail: '',
    architecture: 'x64',
    processorCount: 1,
    processor: 0,
    stop: undefined,
    busy: false,
    prompt: 'kd> ',
    servers: [],
    clients: [self],
  };
  readonly requests: { method: RequestName; params: unknown }[] = [];
  readonly handlers: Partial<Record<RequestName, Handler>> = {};
  private readonly events = new Map<EventName, Emitter<never>>();
  private readonly wireClosed = new Emitter<Error | undefined>();
  readonly closed = this.wireClosed.event;
  private seq = 0;

  request: SessionPort['request'] = async (method, params) => {
    this.requests.push({ method, params });
    const answer = await this.handlers[method]?.(params as never);
    return (answer ?? {}) as never;
  };

  on: SessionPort['on'] = (event, listener) => this.emitter(event).event(listener);

  emit<E extends EventName>(event: E, value: Events[E]): void {
    this.emitter(event).fire(value);
  }

  update(change: Partial<SessionState>): void {
    this.state = { ...this.state, ...change };
    this.emit('state', this.state);
  }

  print(text: string, kind: OutputItem['kind'] = 'normal', author?: ClientInfo): void {
    this.emit('output', { seq: ++this.seq, kind, text, author });
  }

  close(error?: Error): void {
    this.wireClosed.fire(error);
  }

  /** The texts of the commands that arrived. */
  get commands(): string[] {
    return this.requests
      .filter((each) => each.method === 'execute')
      .map((each) => (each.params as { text: string }).text);
  }

  private emitter<E extends EventName>(event: E): Emitter<Events[E]> {
    let emitter = this.events.get(event);
    if (!emitter) this.events.set(event, (emitter = new Emitter<never>()));
    return emitter as unknown as Emitter<Events[E]>;
  }
}
