/**
 * A serial line with up to 255 channels: finds the frames, opens and accepts connections, and gives every connection
 * its turn, frame by frame, so that one with much to say holds up no other. One connection per channel; the frames of
 * a connection that nobody knows (its process was replaced) are answered with a reset.
 */
import { randomBytes } from 'node:crypto';
import { UserError } from '../../base/errors';
import { Emitter } from '../../base/emitter';
import type { Wire } from '../../wire/wire';
import { Connection, type ConnectionLine } from './connection';
import { encodeFrame, FrameKind, FrameParser, RefusalReason, type Frame } from './frame';

/** Bytes handed to the port at once: little, so that what is urgent does not wait long behind it. */
const batchSize = 1024;
/** Frames outside connections that may wait; more are left out, they are asked for again. */
const maxControl = 64;
const openInterval = 250;
const openLimit = 10_000;
/** How long the present client of a channel may take to show that it lives when another one comes. */
const proofLimit = 2000;

export class RefusedError extends UserError {
  override readonly name = 'RefusedError';
  constructor(readonly busy: boolean) {
    super(busy ? 'The channel is in use by another client.' : 'No debugging server listens on the channel.');
  }
}

interface Acceptor {
  accept(wire: Wire): void;
  current: Connection | undefined;
  /** When the present client was asked whether it lives. */
  asked: number | undefined;
}

interface Opening {
  readonly channel: number;
  accepted(): void;
  refused(reason: number): void;
}

export class ChannelLine implements ConnectionLine {
  private readonly parser = new FrameParser();
  private readonly connections = new Map<number, Connection>();
  private readonly acceptors = new Map<number, Acceptor>();
  private readonly openings = new Map<number, Opening>();
  private readonly control: Uint8Array[] = [];
  private readonly brokenEmitter = new Emitter<Error>();
  private writing = false;
  private timer: NodeJS.Timeout | undefined;
  private ended: Error | undefined;

  /** Fires once when the line itself is gone. */
  readonly broken = this.brokenEmitter.event;

  constructor(
    private readonly wire: Wire,
    readonly now: () => number = () => performance.now(),
  ) {
    wire.data((bytes) => {
      for (const frame of this.parser.push(bytes)) this.receive(frame);
    });
    wire.closed((reason) => this.end(reason ?? new UserError('The serial line was closed.')));
  }

  /** Takes clients on a channel, one at a time. Throws UserError when the channel is taken. */
  listen(channel: number, accept: (wire: Wire) => void): { close(): void } {
    if (this.acceptors.has(channel)) throw new UserError(`Channel ${channel} is in use on this port.`);
    const acceptor: Acceptor = { accept, current: undefined, asked: undefined };
    this.acceptors.set(channel, acceptor);
    return {
      close: () => {
        if (this.acceptors.get(channel) === acceptor) this.acceptors.delete(channel);
      },
    };
  }

  /** Opens a connection. Rejects with RefusedError, or UserError when nobody answers. */
  async connect(channel: number, signal: AbortSignal | undefined, timeLimit = openLimit): Promise<Wire> {
    if (this.ended) throw this.ended;
    signal?.throwIfAborted();
    const id = randomBytes(4).readUInt32BE();
    const frame = { kind: FrameKind.open, channel, connection: id, body: new Uint8Array(0) };
    let stop: () => void = () => {};
    try {
      return await new Promise<Wire>((resolve, reject) => {
        const again = setInterval(() => this.send(frame), openInterval);
        const late = setTimeout(() => reject(new UserError('No answer.')), timeLimit);
        const abort = () => reject(signal?.reason);
        const broken = this.broken(reject);
        stop = () => {
          clearInterval(again);
          clearTimeout(late);
          broken.dispose();
          signal?.removeEventListener('abort', abort);
          this.openings.delete(id);
        };
        signal?.addEventListener('abort', abort, { once: true });
        this.openings.set(id, {
          channel,
          accepted: () => {
            // At once, because frames of the connection may follow in the same batch.
            const connection = new Connection(channel, id, this);
            this.connections.set(id, connection);
            this.openings.delete(id);
            resolve(connection);
          },
          refused: (reason) => reject(new RefusedError(reason === RefusalReason.busy)),
        });
        this.send(frame);
      });
    } finally {
      stop();
    }
  }

  /** Ends every connection and closes the line. */
  close(): void {
    this.end(new UserError('The serial line was closed.'));
  }

  wake(): void {
    if (this.writing || this.ended) return;
    this.writing = true;
    // In a microtask, so that what belongs together goes out together.
    void Promise.resolve().then(() => this.pump());
  }

  forget(connection: Connection): void {
    if (this.connections.get(connection.id) !== connection) return;
    this.connections.delete(connection.id);
    for (const acceptor of this.acceptors.values()) {
      if (acceptor.current === connection) acceptor.current = undefined;
    }
    this.send({
      kind: FrameKind.reset,
      channel: connection.channel,
      connection: connection.id,
      body: new Uint8Array(0),
    });
  }

  private receive(frame: Frame): void {
    const { kind, channel, connection: id, body } = frame;
    if (kind === FrameKind.open) {
      this.onOpen(channel, id);
      return;
    }
    const opening = this.openings.get(id);
    if (opening && opening.channel === channel) {
      if (kind === FrameKind.accept) opening.accepted();
      else if (kind === FrameKind.refuse) opening.refused(body[0] ?? 0);
      return;
    }
    if (kind === FrameKind.accept || kind === FrameKind.refuse) return;
    const connection = this.connections.get(id);
    if (connection && connection.channel === channel) {
      if (kind === FrameKind.reset)
        connection.drop(new UserError('The other end of the serial line has gone.'));
      else connection.receive(frame);
      return;
    }
    if (kind !== FrameKind.reset)
      this.send({ kind: FrameKind.reset, channel, connection: id, body: new Uint8Array(0) });
  }

  private onOpen(channel: number, id: number): void {
    const answer = (kind: number, ...body: number[]) =>
      this.send({ kind, channel, connection: id, body: Uint8Array.from(body) });
    const existing = this.connections.get(id);
    if (existing) {
      // It did not hear our answer.
      if (existing.channel === channel) answer(FrameKind.accept);
      return;
    }
    const acceptor = this.acceptors.get(channel);
    if (!acceptor) {
      answer(FrameKind.refuse, RefusalReason.nobody);
      return;
    }
    const { current } = acceptor;
    if (current?.open) {
      if (!this.yields(acceptor, current)) {
        if (acceptor.asked === undefined) answer(FrameKind.refuse, RefusalReason.busy);
        return;
      }
      current.drop(new UserError('Another client has taken its place.'));
    }
    const connection = new Connection(channel, id, this);
    this.connections.set(id, connection);
    acceptor.current = connection;
    acceptor.asked = undefined;
    answer(FrameKind.accept);
    acceptor.accept(connection);
  }

  /**
   * Whether the present client makes room for a new one: it was asked for a sign of life and gave none. `asked` is left
   * undefined when it lives.
   */
  private yields(acceptor: Acceptor, current: Connection): boolean {
    const { asked } = acceptor;
    if (asked === undefined) {
      acceptor.asked = this.now();
      current.ask();
      return false;
    }
    if (current.lastHeard > asked) {
      acceptor.asked = undefined;
      return false;
    }
    if (this.now() - asked > proofLimit) return true;
    // The question may have been lost.
    current.ask();
    return false;
  }

  private send(frame: Frame): void {
    if (this.ended || this.control.length >= maxControl) return;
    this.control.push(encodeFrame(frame));
    this.wake();
  }

  private async pump(): Promise<void> {
    try {
      for (let batch = this.nextBatch(); batch.length > 0; batch = this.nextBatch()) {
        await this.wire.write(Buffer.concat(batch));
      }
      this.writing = false;
      this.schedule();
    } catch (error) {
      this.writing = false;
      this.end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Frames outside connections first, then one of each connection in turn. */
  private nextBatch(): Uint8Array[] {
    if (this.ended) return [];
    const batch: Uint8Array[] = this.control.splice(0);
    let size = batch.reduce((sum, frame) => sum + frame.length, 0);
    let found = true;
    while (found && size < batchSize) {
      found = false;
      for (const connection of [...this.connections.values()]) {
        const frame = connection.next();
        if (!frame) continue;
        found = true;
        const { channel, id } = connection;
        const encoded = encodeFrame({ ...frame, channel, connection: id });
        batch.push(encoded);
        size += encoded.length;
        // The next batch begins behind the last one that had its turn.
        this.connections.delete(id);
        this.connections.set(id, connection);
        if (size >= batchSize) break;
      }
    }
    return batch;
  }

  /** One timer for all connections. */
  private schedule(): void {
    clearTimeout(this.timer);
    const deadlines = [...this.connections.values()].flatMap((connection) => connection.tick() ?? []);
    if (this.ended || deadlines.length === 0) return;
    const delay = Math.max(1, Math.min(...deadlines) - this.now());
    this.timer = setTimeout(() => {
      for (const connection of [...this.connections.values()]) connection.tick();
      this.wake();
    }, delay);
  }

  private end(reason: Error): void {
    if (this.ended) return;
    this.ended = reason;
    clearTimeout(this.timer);
    this.wire.close();
    for (const connection of [...this.connections.values()]) connection.drop(reason);
    this.brokenEmitter.fire(reason);
    this.brokenEmitter.dispose();
  }
}
