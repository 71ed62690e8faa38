/**
 * Gets a target's attention: a running one looks for the break-in byte only, a stopped one for a RESET only, and from
 * here they look alike. So the two are sent in turn until something is heard.
 */
import type { Clock } from '../base/clock';
import type { Disposable } from '../base/emitter';
import type { KdLink } from '../kd/link';

/** Milliseconds between two attempts, and after the very first. */
const period = 1000;
const firstPause = 300;
/** RESETs per attempt of the user's: some pipes keep them all for a machine that is off and deliver them later. */
const resetLimit = 8;

export interface AttentionWishes {
  /** The user wants the target to stop. */
  readonly breakIn: boolean;
  /** Nothing is known about the target's state. */
  readonly resync: boolean;
}

export class Attention {
  private timer: Disposable | undefined;
  private resets = 0;
  private turn = 0;
  private writing = false;

  constructor(
    private readonly clock: Clock,
    private readonly unlimitedResets: boolean,
    private readonly wishes: () => AttentionWishes,
    private readonly link: () => KdLink | undefined,
  ) {}

  /** Begins anew: for a fresh link, or because the user asks (again). */
  start(): void {
    this.resets = 0;
    this.turn = 0;
    this.timer?.dispose();
    this.timer = undefined;
    this.next();
  }

  stop(): void {
    this.timer?.dispose();
    this.timer = undefined;
  }

  private next(): void {
    const link = this.link();
    const { breakIn, resync } = this.wishes();
    if (!link || (!breakIn && !resync)) {
      this.timer = undefined;
      return;
    }
    // A line that takes nothing is not filled further.
    if (!this.writing) {
      this.writing = true;
      void this.send(link, breakIn, resync).finally(() => (this.writing = false));
    }
    this.timer = this.clock.after(this.turn > 1 ? period : firstPause, () => this.next());
  }

  private send(link: KdLink, breakIn: boolean, resync: boolean): Promise<void> {
    const turn = this.turn++;
    // A target believed to be running is given a second chance to hear the byte before it is doubted.
    const resetTurn = !breakIn || (resync ? turn % 2 === 1 : turn > 1 && turn % 2 === 0);
    if (!resetTurn) return link.breakIn();
    if (this.resets >= resetLimit && !this.unlimitedResets)
      return breakIn ? link.breakIn() : Promise.resolve();
    this.resets++;
    return link.reset();
  }
}
