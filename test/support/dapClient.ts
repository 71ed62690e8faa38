/**
 * A small DAP client for tests: sends requests, waits for events, keeps everything that came in the order it came.
 * Every wait has an end, and what came before is shown when it is reached.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { FrameReader, frame } from '../../src/adapter/framing';
import { AdapterSession } from '../../src/adapter/session';
import type { OpenSession } from '../../src/adapter/sessionPort';
import type { FakeSession } from './fakeSession';

/** Bodies differ by message; JSON.parse gives them this type too, and tests assert what is in them. */
type Body = ReturnType<typeof JSON.parse>;

export type Message = DebugProtocol.ProtocolMessage & {
  readonly event?: string;
  readonly command?: string;
  readonly request_seq?: number;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: Body;
};

const patience = 10_000;

export class DapClient {
  /** Everything received, in order. */
  readonly received: Message[] = [];
  private readonly waiting = new Set<() => void>();
  private seq = 0;
  private readonly consumed = new Set<Message>();

  constructor(
    input: Readable,
    private readonly output: Writable,
  ) {
    const reader = new FrameReader({
      message: (value) => {
        this.received.push(value as Message);
        for (const check of [...this.waiting]) check();
      },
      malformed: (reason, text) => {
        throw new Error(`the adapter sent ${reason}: ${text}`);
      },
    });
    input.on('data', (bytes: Buffer) => reader.push(bytes));
  }

  /** Sends any bytes. */
  sendRaw(bytes: string | Buffer): void {
    this.output.write(bytes);
  }

  /** Sends a request without waiting; returns its number. */
  send(command: string, args?: unknown): number {
    const seq = ++this.seq;
    this.output.write(frame({ type: 'request', seq, command, arguments: args }));
    return seq;
  }

  response(seq: number): Promise<Message> {
    return this.until(`response to ${seq}`, () =>
      this.received.find((each) => each.type === 'response' && each.request_seq === seq),
    );
  }

  /** The body of a response; throws when the request failed. */
  async request(command: string, args?: unknown): Promise<Body> {
    const answer = await this.response(this.send(command, args));
    if (!answer.success)
      throw new Error(`${command} failed: ${answer.body?.error?.format ?? answer.message}`);
    return answer.body;
  }

  /** The one-line message of a request that must fail. */
  async failure(command: string, args?: unknown): Promise<string> {
    const answer = await this.response(this.send(command, args));
    if (answer.success) throw new Error(`${command} succeeded: ${JSON.stringify(answer.body)}`);
    return answer.body.error.format;
  }

  /** The body of the next event of that name; each event is found once. */
  async waitFor(event: string, accept: (body: Body) => boolean = () => true): Promise<Body> {
    const found = await this.until(`event ${event}`, () => {
      const next = this.received.find(
        (each) => each.event === event && !this.consumed.has(each) && accept(each.body),
      );
      if (next) this.consumed.add(next);
      return next;
    });
    return found.body;
  }

  /** Waits until the text of all output events together contains `text`. */
  async waitForOutput(text: string | RegExp): Promise<void> {
    await this.until(`output ${text}`, () =>
      (typeof text === 'string' ? this.text().includes(text) : text.test(this.text())) ? true : undefined,
    );
  }

  /** The text of the output events, of one category or of all. */
  text(category?: string): string {
    return this.events('output')
      .filter((body) => category === undefined || body.category === category)
      .map((body) => body.output)
      .join('');
  }

  events(name: string): Body[] {
    return this.received.filter((each) => each.event === name).map((each) => each.body);
  }

  private until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        const came = this.received.slice(-30).map((each) => JSON.stringify(each).slice(0, 300));
        reject(new Error(`no ${what}; what came last:\n${came.join('\n')}`));
      }, patience);
      this.waiting.add(check);
      check();
    });
  }
}

/** An adapter in this process over a pair of streams. */
export function startAdapter(open: OpenSession): {
  client: DapClient;
  served: Promise<void>;
  hangUp(): void;
} {
  const toAdapter = new PassThrough();
  const fromAdapter = new PassThrough();
  const served = new AdapterSession(open).serve(toAdapter, fromAdapter);
  return { client: new DapClient(fromAdapter, toAdapter), served, hangUp: () => void toAdapter.end() };
}

/** An adapter with a fake session, initialized, launched and configured. */
export async function launchFake(
  session: FakeSession,
  configuration: object = {},
  capabilities: object = {},
): Promise<DapClient> {
  const { client } = startAdapter(() => Promise.resolve(session.opened()));
  await client.request('initialize', { adapterID: 'kd', supportsInvalidatedEvent: true, ...capabilities });
  await client.request('launch', { target: 'demo:', ...configuration });
  await client.waitFor('initialized');
  await client.request('configurationDone');
  return client;
}

/** The built adapter as a process of its own, on its standard input and output. */
export function spawnAdapter(
  program: string,
  args: string[] = [],
): { client: DapClient; process: ChildProcess } {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  return { client: new DapClient(child.stdout, child.stdin), process: child };
}
