/**
 * The output of a session: numbers it, joins small writes into items, keeps the recent part for those who join
 * late, and hands each item out once, in order.
 */
import type { OutputKind } from '../command/command';
import type { ClientInfo, OutputItem } from './protocol';
import { pieces, printable } from './text';

export interface HistoryLimits {
  readonly items: number;
  /** Of the texts, in UTF-16 units. */
  readonly size: number;
}

/** Longest text of one item, in UTF-16 units; longer writes become several. */
const itemSize = 32 * 1024;
const defaultLimits: HistoryLimits = { items: 10_000, size: 1 << 20 };

interface Draft {
  readonly source: string;
  readonly kind: OutputKind;
  readonly author: ClientInfo | undefined;
  text: string;
}

export class OutputLog {
  private readonly items: OutputItem[] = [];
  private size = 0;
  private seq = 0;
  private draft: Draft | undefined;
  private flushTimer: NodeJS.Immediate | undefined;
  /** Who wrote last, and whether that ended a line. */
  private lastSource = '';
  private lineOpen = false;

  constructor(
    private readonly deliver: (item: OutputItem) => void,
    private readonly limits: HistoryLimits = defaultLimits,
  ) {}

  /** The number of the newest item. */
  get lastSeq(): number {
    return this.seq;
  }

  /** `source` tells writers apart: a line that one of them left open is ended before another writes. */
  write(source: string, kind: OutputKind, text: string, author?: ClientInfo): void {
    if (text === '') return;
    if (this.lineOpen && source !== this.lastSource) this.append(this.lastSource, 'normal', '\n');
    this.append(source, kind, printable(text), author);
    this.lastSource = source;
    this.lineOpen = !text.endsWith('\n');
  }

  /** Hands out what is still being joined; called before anything else is told to the clients. */
  flush(): void {
    if (this.flushTimer) clearImmediate(this.flushTimer);
    this.flushTimer = undefined;
    const draft = this.draft;
    if (!draft) return;
    this.draft = undefined;
    for (const text of pieces(draft.text, itemSize)) {
      const item: OutputItem = {
        seq: ++this.seq,
        kind: draft.kind,
        text,
        ...(draft.author && { author: draft.author }),
      };
      this.keep(item);
      this.deliver(item);
    }
  }

  /** The newest items, oldest first. */
  recent(count: number): OutputItem[] {
    this.flush();
    return count === 0 ? [] : this.items.slice(-count);
  }

  private append(source: string, kind: OutputKind, text: string, author?: ClientInfo): void {
    const draft = this.draft;
    const joins = draft && draft.source === source && draft.kind === kind && draft.author === author;
    if (joins && kind !== 'command' && draft.text.length < itemSize) {
      draft.text += text;
      return;
    }
    this.flush();
    this.draft = { source, kind, author, text };
    this.flushTimer = setImmediate(() => this.flush());
  }

  private keep(item: OutputItem): void {
    this.items.push(item);
    this.size += item.text.length;
    let first = 0;
    while (this.items.length - first > this.limits.items || this.size > this.limits.size) {
      const oldest = this.items[first++];
      if (!oldest) break;
      this.size -= oldest.text.length;
    }
    // Removed in blocks, or every item of a full history would move all others.
    if (first > 0) this.items.splice(0, first);
  }
}
