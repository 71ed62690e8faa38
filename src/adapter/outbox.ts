/**
 * The one way out: every response and event goes through this queue, so their order is the order of `post`.
 * Output is collected until the end of the turn (or until the stream takes more) and neighbours of one category are
 * sent as one event, so that a flood of short lines neither floods the client nor grows without bound here.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';

export type OutputCategory = 'console' | 'important' | 'stdout' | 'stderr';

interface PendingOutput {
  readonly category: OutputCategory;
  text: string;
}

/** Either a message that is ready or output that may still grow. */
type Entry = { readonly send: () => void } | PendingOutput;

/** Longest text of one output event, and how much is kept for a client that does not read, in characters. */
const longestEvent = 64 * 1024;
const mostKept = 16 * 1024 * 1024;

export class Outbox {
  private readonly queue: Entry[] = [];
  private keptOutput = 0;
  private leftOut = 0;
  private scheduled: NodeJS.Immediate | undefined;
  private blocked = false;

  /** `sendOutput` gets the output's text; other messages bring their own way of being sent. */
  constructor(private readonly sendOutput: (body: DebugProtocol.OutputEvent['body']) => void) {}

  post(send: () => void): void {
    this.queue.push({ send });
    this.flush();
  }

  output(category: OutputCategory, text: string): void {
    if (text === '') return;
    if (this.keptOutput + text.length > mostKept) {
      this.leftOut += text.length;
      return;
    }
    this.keptOutput += text.length;
    const last = this.queue.at(-1);
    if (
      last &&
      'text' in last &&
      last.category === category &&
      last.text.length + text.length <= longestEvent
    ) {
      last.text += text;
    } else {
      this.queue.push({ category, text });
    }
    this.scheduled ??= setImmediate(() => this.flush());
  }

  /** While blocked, nothing is sent: the stream has not taken what it got. */
  setBlocked(blocked: boolean): void {
    this.blocked = blocked;
    if (!blocked) this.flush();
  }

  flush(): void {
    if (this.scheduled) clearImmediate(this.scheduled);
    this.scheduled = undefined;
    while (!this.blocked) {
      const entry = this.queue.shift();
      if (!entry) break;
      if ('send' in entry) {
        entry.send();
      } else {
        this.keptOutput -= entry.text.length;
        this.sendOutput({ category: entry.category, output: entry.text });
      }
    }
    if (this.queue.length === 0 && this.leftOut > 0) {
      const note = `[${this.leftOut} characters of output were left out: the client did not read them in time]\n`;
      this.leftOut = 0;
      this.sendOutput({ category: 'stderr', output: note });
    }
  }
}
