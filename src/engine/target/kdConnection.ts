/**
 * Keeps a KD target connected: opens the wire, opens it again when it breaks, listens on the link, asks for the
 * target's attention, and says in one line why it does not get on. What a stop means is KdTarget's.
 */
import { delay, type Clock } from '../base/clock';
import { errorText, UserError } from '../base/errors';
import { KdLink } from '../kd/link';
import { PacketType } from '../kd/packet';
import { decodeStateChange, type StateChange } from '../kd/stateChange';
import { decodeDebugIo, refuseFileIo } from '../kd/targetIo';
import type { Wire } from '../wire/wire';
import { Attention } from './attention';
import type { TargetState } from './target';

/** Where the wire to a target comes from. */
export interface WireSource {
  /** For people: `pipe '\\.\pipe\com_1'`. */
  readonly name: string;
  /** Rejects with a one-line UserError. */
  open(signal: AbortSignal): Promise<Wire>;
  /** Go on trying when the first attempt to open fails. */
  readonly keepTrying?: boolean;
  /** `resets=0`: no limit to the RESETs sent while synchronising. */
  readonly unlimitedResets?: boolean;
  /** Of a slow line. */
  readonly bytesPerSecond?: number;
}

export interface KdTargetOptions {
  readonly clock: Clock;
  /** Break in as soon as the target is reached (`-b`). */
  readonly initialBreak?: boolean;
  /** Answers a prompt of the target's (DbgPrompt); without it the answer is empty. */
  readonly onPrompt?: (prompt: string) => Promise<string>;
}

export interface ConnectionOwner {
  state(): TargetState;
  /** The target was reached before and is not any more: nothing that was known of it holds. */
  lost(detail: string): void;
  connecting(detail: string): void;
  /** It talks without having stopped. */
  running(detail: string): void;
  stateChange(link: KdLink, change: StateChange): void;
  output(text: string): void;
  /** There will be no connection. */
  failed(detail: string): void;
}

/** Milliseconds between attempts to open the wire again: from the first, doubling, to the second. */
const retryPauses = [100, 1000] as const;
/** Bytes of noise that say that something else than KD is talking. */
const noiseLimit = 64;

export class KdConnection {
  link: KdLink | undefined;
  private wire: Wire | undefined;
  private readonly ending = new AbortController();
  private readonly attention: Attention;
  /** The target has been reached once; from then on a broken wire is mended. */
  private seen = false;
  private packets = 0;
  private noise = 0;
  private breakInWanted: boolean;
  /** True while the target may be stopped without our knowing. */
  private resyncWanted = false;

  constructor(
    private readonly source: WireSource,
    private readonly options: KdTargetOptions,
    private readonly owner: ConnectionOwner,
  ) {
    this.breakInWanted = options.initialBreak ?? false;
    this.attention = new Attention(
      options.clock,
      source.unlimitedResets ?? false,
      () => ({
        breakIn: this.breakInWanted && (owner.state() === 'connecting' || owner.state() === 'running'),
        resync: this.resyncWanted && owner.state() === 'connecting',
      }),
      () => this.link,
    );
  }

  start(): void {
    this.owner.connecting(`Opening ${this.source.name}...`);
    void this.keepConnected();
  }

  /** True from `askBreakIn` (or the initial break) until `stopped`. */
  get breakInPending(): boolean {
    return this.breakInWanted;
  }

  askBreakIn(): void {
    this.breakInWanted = true;
    this.attention.start();
  }

  /** The target has stopped and been told to the user: no more break-ins. */
  stopped(): void {
    this.breakInWanted = false;
    this.attention.stop();
  }

  /** The target has told something and goes on: what was asked of it is asked again. */
  goesOn(): void {
    if (this.breakInWanted) this.attention.start();
  }

  close(): void {
    this.ending.abort(new UserError('Closed.'));
    this.attention.stop();
    this.link?.dispose();
    this.link = undefined;
    this.wire?.close();
  }

  private async keepConnected(): Promise<void> {
    const { signal } = this.ending;
    let pause: number = retryPauses[0];
    while (!signal.aborted) {
      this.packets = 0;
      let reason: string;
      try {
        const wire = await this.source.open(signal);
        if (signal.aborted) {
          wire.close();
          return;
        }
        reason = await this.converse(wire);
      } catch (error) {
        reason = errorText(error);
      }
      if (signal.aborted) return;
      this.link = undefined;
      if (!this.seen && !this.source.keepTrying) {
        this.owner.failed(reason);
        return;
      }
      if (this.owner.state() !== 'connecting') this.owner.lost(reason);
      this.owner.connecting(`Waiting to reconnect... (${reason})`);
      if (this.packets > 0) pause = retryPauses[0];
      await delay(this.options.clock, pause, signal).catch(() => {});
      pause = Math.min(pause * 2, retryPauses[1]);
    }
  }

  /** Talks over `wire` until it ends; resolves with the reason. */
  private converse(wire: Wire): Promise<string> {
    const { name, bytesPerSecond } = this.source;
    this.wire = wire;
    this.noise = 0;
    const link = new KdLink(
      wire,
      {
        received: (type, payload) => this.onPacket(link, type, payload),
        restarted: () => this.onRestarted(),
        silent: () => this.onSilent(),
        noise: () => this.onNoise(),
      },
      { clock: this.options.clock, bytesPerSecond },
    );
    this.link = link;
    return new Promise((resolve) => {
      wire.closed((error) => resolve(error ? error.message : `The connection to ${name} was closed.`));
      this.owner.connecting(`Opened ${name}; waiting for the target.`);
      link.start();
      // A stopped target tells its state after one RESET; a running one is asked only when the user wants it to stop.
      this.resyncWanted = true;
      this.attention.start();
      this.resyncWanted = this.breakInWanted;
    });
  }

  private onNoise(): void {
    this.noise++;
    if (this.owner.state() !== 'connecting' || this.noise !== noiseLimit) return;
    this.owner.connecting(
      `Bytes arrive from ${this.source.name}, but no KD packet (firmware output, or a wrong baud rate?).`,
    );
  }

  private onRestarted(): void {
    this.noise = 0;
    this.owner.lost('The target has restarted.');
    this.owner.connecting('The target has restarted; reconnecting...');
    if (this.breakInWanted) this.attention.start();
  }

  private onSilent(): void {
    this.owner.lost('The target does not answer any more.');
    this.owner.connecting('The target does not answer; resynchronising...');
    this.resyncWanted = true;
    this.attention.start();
  }

  private onPacket(link: KdLink, type: number, payload: Uint8Array): void {
    this.seen = true;
    this.packets++;
    this.resyncWanted = false;
    switch (type) {
      case PacketType.stateChange64: {
        const change = decodeStateChange(payload);
        if (!change) return;
        // It is stopped and listens to requests; a RESET would only begin them anew.
        this.attention.stop();
        this.owner.stateChange(link, change);
        return;
      }
      case PacketType.stateChange32:
        this.owner.failed(
          'This target speaks the KD protocol of Windows 2000 and earlier, which is not supported.',
        );
        return;
      case PacketType.fileIo: {
        const answer = refuseFileIo(payload);
        if (answer) link.answer(type, answer).catch(() => {});
        break;
      }
      case PacketType.debugIo:
        this.onDebugIo(link, payload);
        break;
      default:
        break;
    }
    if (this.owner.state() === 'connecting') this.owner.running('Connected.');
  }

  private onDebugIo(link: KdLink, payload: Uint8Array): void {
    const io = decodeDebugIo(payload);
    if (!io) return;
    if (io.text !== '') this.owner.output(io.text);
    if (io.kind === 'print') return;
    const answer = this.options.onPrompt?.(io.text) ?? Promise.resolve('');
    answer
      .catch(() => '')
      .then((text) => link.answer(PacketType.debugIo, io.reply(text)))
      .catch(() => {});
  }
}
