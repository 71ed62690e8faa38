/**
 * The Debug Adapter: takes DAP messages, finds the handler in the table, answers every request exactly once and
 * sends everything through one queue. Handlers do the work; nothing here knows what a request means.
 */
import { Event } from '@vscode/debugadapter';
import { ProtocolServer } from '@vscode/debugadapter/lib/protocol';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { CancelledError, UserError, errorText } from '../engine/base/errors';
import { ArgumentError, Arguments, isRecord } from './arguments';
import { FrameReader, frame } from './framing';
import { CommandError, type Adapter, type Handler } from './handler';
import type { SessionConfiguration } from './launchConfiguration';
import { LiveSession } from './live';
import { Outbox } from './outbox';
import { capabilities, requestTable } from './requests/table';
import type { OpenSession } from './sessionPort';

/** Ids of the errors that clients may want to tell apart. */
const errorIds = {
  user: 1,
  internal: 2,
  notStopped: 3,
  cancelled: 4,
  unknownRequest: 5,
  malformed: 6,
} as const;

export class AdapterSession extends ProtocolServer implements Adapter {
  readonly capabilities = capabilities;
  client: Readonly<Partial<DebugProtocol.InitializeRequestArguments>> = {};

  private readonly outbox = new Outbox((body) => super.sendEvent(new Event('output', body)));
  private readonly pending = new Map<number, AbortController>();
  private opening: Promise<void> | undefined;
  private readonly openingAbort = new AbortController();
  private opened: LiveSession | undefined;
  private finished: (() => void) | undefined;

  constructor(private readonly openSession: OpenSession) {
    super();
  }

  get live(): LiveSession {
    if (!this.opened) throw new UserError('There is no session yet: send launch or attach first.');
    if (this.opened.isOver) throw new UserError('The session is over.');
    return this.opened;
  }

  get current(): LiveSession | undefined {
    return this.opened?.isOver ? undefined : this.opened;
  }

  /** Serves one client on a pair of streams. Resolves when the client has left and all is in order. */
  serve(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<void> {
    const reader = new FrameReader({
      message: (value) => this.receive(value),
      malformed: (reason, text) => this.answerMalformed(reason, text),
    });
    this.onDidSendMessage((message) => {
      if (!output.write(frame(message))) this.outbox.setBlocked(true);
    });
    output.on('drain', () => this.outbox.setBlocked(false));
    return new Promise((resolve) => {
      // A client that vanishes is a client that leaves: the target must not stay behind with breakpoints in it.
      const gone = (): void => void this.leave(false).then(() => this.finish());
      this.finished = resolve;
      input.on('data', (bytes: Buffer) => reader.push(bytes));
      for (const event of ['end', 'close', 'error']) input.on(event, gone);
      output.on('error', gone);
    });
  }

  override handleMessage(message: DebugProtocol.ProtocolMessage): void {
    this.receive(message);
  }

  override sendEvent(event: DebugProtocol.Event): void {
    this.outbox.post(() => super.sendEvent(event));
  }

  override sendResponse(response: DebugProtocol.Response): void {
    this.outbox.post(() => super.sendResponse(response));
  }

  send(event: DebugProtocol.Event): void {
    this.sendEvent(event);
  }

  async open(configuration: SessionConfiguration, cancelled: AbortSignal): Promise<void> {
    if (this.opening)
      throw new UserError('This adapter has its session already; start another adapter for another.');
    const signal = AbortSignal.any([cancelled, this.openingAbort.signal]);
    this.opening = (async () => {
      const opened = await this.openSession(configuration, signal);
      if (signal.aborted) {
        await opened.dispose();
        throw new CancelledError();
      }
      this.opened = new LiveSession(configuration, opened, {
        client: this.client,
        send: (event) => this.sendEvent(event),
        output: (category, text) => this.outbox.output(category, text),
      });
      await this.opened.breakpoints.load(signal);
    })();
    try {
      await this.opening;
    } catch (error) {
      this.opening = undefined;
      await this.opened?.leave(true);
      this.opened = undefined;
      throw error;
    }
  }

  cancelRequest(seq: number): boolean {
    const controller = this.pending.get(seq);
    controller?.abort(new CancelledError());
    return controller !== undefined;
  }

  async leave(suspendDebuggee: boolean): Promise<void> {
    this.openingAbort.abort(new CancelledError('The client has left.'));
    await this.opening?.catch(() => undefined);
    await this.opened?.leave(suspendDebuggee);
  }

  finish(): void {
    this.outbox.flush();
    this.finished?.();
  }

  /** Tells of a mistake of ours where somebody may see and report it. */
  logInternal(text: string): void {
    this.outbox.output('stderr', `${text}\n`);
  }

  private receive(message: unknown): void {
    if (!isRecord(message) || message['type'] !== 'request') {
      // Responses and events are not for us; anything else is no DAP message. Only what has a number can be answered.
      if (isRecord(message) && (message['type'] === 'response' || message['type'] === 'event')) return;
      this.answerMalformed('a message that is no DAP request', JSON.stringify(message));
      return;
    }
    const { seq, command } = message;
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || typeof command !== 'string') {
      this.answerMalformed("a request without a numeric 'seq' and a 'command'", JSON.stringify(message));
      return;
    }
    const response = { type: 'response', seq: 0, request_seq: seq, command, success: true };
    void this.answer(response, message['arguments']);
  }

  private async answer(response: DebugProtocol.Response, value: unknown): Promise<void> {
    const { command, request_seq: seq } = response;
    const handler: Handler | undefined = requestTable.get(command);
    const controller = new AbortController();
    const after: (() => void)[] = [];
    this.pending.set(seq, controller);
    try {
      if (!handler) throw new UserError(`Unknown request '${command.slice(0, 64)}'.`);
      const call = {
        seq,
        signal: controller.signal,
        afterResponse: (action: () => void) => after.push(action),
      };
      const body = await handler.run(this, new Arguments(command, value), call);
      if (body !== undefined) response.body = body;
    } catch (error) {
      this.describeFailure(response, error, controller.signal, handler);
    }
    if (this.pending.get(seq) === controller) this.pending.delete(seq);
    this.sendResponse(response);
    for (const action of after) action();
  }

  private describeFailure(
    response: DebugProtocol.Response,
    error: unknown,
    signal: AbortSignal,
    handler: Handler | undefined,
  ): void {
    const internal = !(error instanceof UserError);
    const text = internal ? `Internal error in '${response.command}': ${errorText(error)}` : error.message;
    const cancelled = signal.aborted || error instanceof CancelledError;
    const running =
      handler?.needsStop === true &&
      !(error instanceof ArgumentError || error instanceof CommandError) &&
      this.current !== undefined &&
      this.current.stop === undefined;
    const kind: keyof typeof errorIds = cancelled
      ? 'cancelled'
      : internal
        ? 'internal'
        : running
          ? 'notStopped'
          : handler
            ? 'user'
            : 'unknownRequest';
    response.success = false;
    // DAP gives these two words a meaning of their own.
    response.message = kind === 'cancelled' || kind === 'notStopped' ? kind : text;
    response.body = {
      error: { id: errorIds[kind], format: text, showUser: handler?.showErrors === true && !cancelled },
    };
    if (internal) this.logInternal(error instanceof Error ? (error.stack ?? text) : text);
  }

  private answerMalformed(reason: string, text: string): void {
    const message = `The client sent ${reason}.`;
    const seq = Number(/"seq"\s*:\s*(\d{1,9})/.exec(text)?.[1] ?? 0);
    const command = /"command"\s*:\s*"([\w/]{1,64})"/.exec(text)?.[1] ?? '';
    const body = { error: { id: errorIds.malformed, format: message } };
    this.sendResponse({
      type: 'response',
      seq: 0,
      request_seq: seq,
      command,
      success: false,
      message,
      body,
    } as DebugProtocol.Response);
  }
}
