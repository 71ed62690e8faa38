/**
 * Input that is no terminal: one line after the other, each when the one before is done. The session reports every
 * command with its prompt, so what is shown reads as a log of the session.
 */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { UserError } from '../engine/base/errors';
import type { SessionState } from '../engine/session/protocol';
import type { Conversation, End } from './conversation';
import type { FrontEnd } from './frontEnd';
import type { Transcript } from './transcript';

export interface PipedOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Wait for the first stop before anything is run. */
  readonly untilStopped: boolean;
  /** Bound of that wait; none when left out. */
  readonly timeoutSeconds?: number;
  /** Ends that wait. */
  readonly signal: AbortSignal;
  /** Told what is waited for, and again when that changes. */
  readonly waiting: (text: string) => void;
}

/** Silence after which the user is told what is waited for; milliseconds. */
const patience = 2000;

export class Piped implements FrontEnd {
  constructor(private readonly options: PipedOptions) {}

  readonly show = (text: string): void => {
    this.options.output.write(text);
  };

  /** Also throws UserError when the target is not reached in time. */
  async run(conversation: Conversation, transcript: Transcript, start: () => Promise<void>): Promise<End> {
    conversation.client.on('output', (item) => transcript.item(item));
    conversation.failed((message) => transcript.line(message, 'error'));
    const stopWatching = watchWaits(conversation, this.options.waiting);
    const lines = createInterface({ input: this.options.input, crlfDelay: Infinity, terminal: false });
    // The iterator must exist before the first line is read: lines are dropped otherwise.
    const iterator = lines[Symbol.asyncIterator]();
    try {
      if (this.options.untilStopped) await this.firstStop(conversation);
      await start();
      while (!conversation.isOver) {
        const next = await Promise.race([iterator.next(), conversation.end.then(() => undefined)]);
        // At the end of the input a client leaves, and the owner's session ends as with `q`.
        if (!next || next.done) break;
        if (next.value.trim() !== '') await conversation.execute(next.value, true);
      }
    } finally {
      stopWatching();
      lines.close();
    }
    conversation.leave();
    return conversation.end;
  }

  close(): void {
    // Nothing was changed that would have to be put back.
  }

  private async firstStop(conversation: Conversation): Promise<void> {
    const seconds = this.options.timeoutSeconds;
    const timer = new AbortController();
    const tooLate = () => {
      const why = waitText(conversation.state);
      timer.abort(new UserError(`The target did not stop within ${seconds} s: ${why}.`));
    };
    const timeout = seconds === undefined ? undefined : setTimeout(tooLate, seconds * 1000);
    const signal = AbortSignal.any([this.options.signal, timer.signal]);
    try {
      await conversation.until((state) => state.targetState === 'stopped' && !state.busy, signal);
    } finally {
      clearTimeout(timeout);
    }
  }
}

/** Reports a wait for the target once it is `patience` old, and every change of it from then on. */
function watchWaits(conversation: Conversation, report: (text: string) => void): () => void {
  let last = '';
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const { state } = conversation;
    const waits = !conversation.isOver && state.targetState !== 'stopped';
    const text = waits ? waitText(state) : '';
    if (text === last) return;
    last = text;
    clearTimeout(timer);
    if (text !== '') timer = setTimeout(() => report(text), patience);
  };
  const subscription = conversation.changed(look);
  look();
  return () => {
    clearTimeout(timer);
    subscription.dispose();
  };
}

function waitText(state: SessionState): string {
  if (state.targetState === 'running') return 'the target runs';
  return state.detail === '' ? `the target is ${state.targetState}` : state.detail.replace(/[.…\s]+$/, '');
}
