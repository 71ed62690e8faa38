/**
 * What the commands typed into the console print goes back as the result of the `evaluate` request: clients show a
 * line for the result, an empty one when there is none. Only what comes quickly is waited for; the rest, and all that
 * others print meanwhile, follows as output events after the response, so that nothing changes its order.
 */
import type { OutputCategory } from './outbox';

/** A result is given at the latest when so much has been printed (characters), and so long after the first of it (ms). */
const mostWaitedFor = 16 * 1024;
const longestWait = 200;

interface Piece {
  readonly category: OutputCategory;
  readonly text: string;
}

export interface Result {
  readonly text: string;
  /** The text is an error. */
  readonly failed: boolean;
}

/** The answer to one `evaluate` request. */
export interface Answer {
  /** Resolves when the result can be given; `finish` makes it so. */
  readonly result: Promise<Result>;
  finish(): void;
  /** The response is on its way: what came after the result may follow. */
  sent(): void;
}

class OpenAnswer implements Answer {
  readonly result: Promise<Result>;
  readonly held: Piece[] = [];
  isSent = false;
  private give: ((result: Result) => void) | undefined;
  private taken = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly gone: () => void) {
    this.result = new Promise((resolve) => (this.give = resolve));
  }

  /** Of the commands themselves. An error is a result when nothing came before it. */
  add(piece: Piece): void {
    const failed = piece.category === 'stderr';
    if (!this.give || (failed && this.taken !== '')) {
      this.hold(piece);
      return;
    }
    this.taken += piece.text;
    if (failed || this.taken.length >= mostWaitedFor) this.finish(failed);
    else this.timer ??= setTimeout(() => this.finish(), longestWait);
  }

  /** Of anybody: the result is what came before it. */
  hold(piece: Piece): void {
    this.finish();
    this.held.push(piece);
  }

  finish(failed = false): void {
    clearTimeout(this.timer);
    const { give } = this;
    this.give = undefined;
    give?.({ text: this.taken.replace(/\n$/, ''), failed });
  }

  sent(): void {
    this.finish();
    this.isSent = true;
    this.gone();
  }
}

export class Answers {
  /** Whose commands have begun and whose response has not been sent, oldest first. */
  private readonly open: OpenAnswer[] = [];
  /** The answer to which what is printed now belongs. */
  private current: OpenAnswer | undefined;

  constructor(private readonly writeNow: (category: OutputCategory, text: string) => void) {}

  create(): Answer {
    return new OpenAnswer(() => this.release());
  }

  /** A command begins: of `answer`, or of nobody who waits. */
  begin(answer: Answer | undefined): void {
    this.current = answer instanceof OpenAnswer && !answer.isSent ? answer : undefined;
    if (this.current && !this.open.includes(this.current)) this.open.push(this.current);
  }

  /** `plain` is what the running command prints; everything else ends the result. */
  write(category: OutputCategory, text: string, plain: boolean): void {
    const last = this.open.at(-1);
    if (!last) this.writeNow(category, text);
    else if (plain && last === this.current) last.add({ category, text });
    else last.hold({ category, text });
  }

  private release(): void {
    while (this.open[0]?.isSent) {
      const [first] = this.open.splice(0, 1);
      if (first === this.current) this.current = undefined;
      for (const { category, text } of first?.held ?? []) this.writeNow(category, text);
    }
  }
}
