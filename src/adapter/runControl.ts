/**
 * Turns the session's stops and resumes into DAP events. Anyone in the session may resume or stop the target; this
 * client must hear of it exactly once and in an order that makes sense: the response to its own `continue` or step
 * before the stop that follows, no `continued` for what it asked for itself, nothing before its configuration is done.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { ResumeKind, SessionState, StopInfo } from '../engine/session/protocol';
import { ContinuedEvent, Event } from '@vscode/debugadapter';
import { threadId } from './references';
import type { SessionPort } from './sessionPort';

export interface RunControlOptions {
  readonly session: SessionPort;
  /** The first break-in is the start of debugging (`entry`), not somebody's pause. */
  readonly firstBreakIsEntry: boolean;
  /**
   * For VS Code, which at a stop selects the first frame with source and else none (no registers, no code), unless
   * the stop is an instruction breakpoint: then it selects the top frame and shows the disassembly.
   */
  readonly stopsWithoutSource?: boolean;
  send(event: DebugProtocol.Event): void;
  /** What kind of breakpoint of ours was hit, and the DAP ids of all that were. */
  hits(stop: StopInfo): { reason: string; ids: number[] };
}

type Happening =
  | { readonly kind: 'stopped'; readonly stop: StopInfo }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'state'; readonly state: SessionState };

/** More than this many happenings while a response is due means the client is far behind; the oldest are dropped. */
const mostHeld = 1000;

export class RunControl {
  /** What the DAP client believes. */
  private shownStopped = false;
  private shownProcessor = 0;
  /** Present while nothing may be told: before the configuration is done, and until our own resume is answered. */
  private held: Happening[] | undefined = [];
  private resuming = 0;
  /** Our own resume whose `resumed` event has not been seen yet. */
  private expectResumed = false;
  private configured = false;
  private entryDue: boolean;

  constructor(private readonly options: RunControlOptions) {
    this.entryDue = options.firstBreakIsEntry;
  }

  /** The client has sent its breakpoints: tell it how things stand, and from now on what happens. */
  start(): void {
    if (this.configured) return;
    this.configured = true;
    this.held = undefined;
    const { stop, targetState } = this.options.session.state;
    if (stop && targetState === 'stopped') this.apply({ kind: 'stopped', stop });
  }

  /** Resumes for this client; `afterResponse` runs its argument when the request has been answered. */
  async resume(
    kind: ResumeKind,
    processor: number | undefined,
    signal: AbortSignal,
    afterResponse: (action: () => void) => void,
  ): Promise<void> {
    this.resuming++;
    this.held ??= [];
    afterResponse(() => {
      if (--this.resuming === 0) this.release();
    });
    this.expectResumed = true;
    try {
      await this.options.session.request('resume', { kind, processor }, signal);
    } catch (error) {
      this.expectResumed = false;
      throw error;
    }
  }

  stopped(stop: StopInfo): void {
    this.happen({ kind: 'stopped', stop });
  }

  resumed(): void {
    this.happen({ kind: 'resumed' });
  }

  stateChanged(state: SessionState): void {
    this.happen({ kind: 'state', state });
  }

  private happen(happening: Happening): void {
    if (!this.held) {
      this.apply(happening);
      return;
    }
    // Before the configuration is done only the final state counts, and start() asks for that.
    if (!this.configured) return;
    this.held.push(happening);
    if (this.held.length > mostHeld) this.held.shift();
  }

  private release(): void {
    const held = this.held ?? [];
    if (!this.configured) return;
    this.held = undefined;
    for (const happening of held) this.apply(happening);
  }

  private apply(happening: Happening): void {
    if (happening.kind === 'stopped') this.applyStop(happening.stop);
    else if (happening.kind === 'resumed') this.applyResume();
    else this.applyState(happening.state);
  }

  private applyResume(): void {
    const own = this.expectResumed;
    this.expectResumed = false;
    if (this.shownStopped && !own) this.sendContinued();
    this.shownStopped = false;
  }

  private applyStop(stop: StopInfo): void {
    this.expectResumed = false;
    this.shownStopped = true;
    this.shownProcessor = stop.processor;
    const hits = this.options.hits(stop);
    const entry = this.entryDue && (stop.reason === 'breakIn' || stop.reason === 'exception');
    this.entryDue = false;
    this.sendStopped({
      reason: entry ? 'entry' : stop.reason === 'breakpoint' ? hits.reason : dapReasons[stop.reason],
      // A step that ends as asked needs no words; anything else says what happened.
      ...(stop.reason === 'step' ? {} : { description: stop.description, text: stop.description }),
      threadId: threadId(stop.processor),
      hitBreakpointIds: hits.ids.length > 0 ? hits.ids : undefined,
    });
  }

  private applyState(state: SessionState): void {
    if (!this.shownStopped) return;
    if (state.targetState === 'stopped') {
      // `~1s` by anyone: the client's view follows.
      if (state.processor === this.shownProcessor) return;
      this.shownProcessor = state.processor;
      this.sendStopped({
        reason: 'pause',
        description: `Processor ${state.processor}`,
        threadId: threadId(state.processor),
      });
    } else if (state.targetState !== 'running') {
      // The link was lost while stopped; a mere `running` is told by `resumed`.
      this.sendContinued();
      this.shownStopped = false;
    }
  }

  private sendStopped(body: DebugProtocol.StoppedEvent['body']): void {
    const told = this.options.stopsWithoutSource
      ? {
          ...body,
          reason: 'instruction breakpoint',
          description: body.description ?? `Paused on ${body.reason}`,
        }
      : body;
    this.options.send(new Event('stopped', { ...told, allThreadsStopped: true }));
  }

  private sendContinued(): void {
    this.options.send(new ContinuedEvent(threadId(this.shownProcessor), true));
  }
}

const dapReasons = {
  breakIn: 'pause',
  breakpoint: 'breakpoint',
  step: 'step',
  exception: 'exception',
  switch: 'pause',
} as const;
