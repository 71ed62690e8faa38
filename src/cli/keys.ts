/**
 * The keyboard in front of node:readline: takes out KD's control keys, which count only when Enter follows, and tells
 * the terminal that something is about to be typed, so that it can show an input line first.
 */
import { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';

/** Bytes of the keys that are taken out, and whether they work only on an empty line. */
const chords: Readonly<Record<number, { readonly name: Chord; readonly emptyLineOnly: boolean }>> = {
  0x02: { name: 'B', emptyLineOnly: false },
  0x16: { name: 'V', emptyLineOnly: true },
  0x17: { name: 'W', emptyLineOnly: true },
};

/** Ctrl+B leaves, Ctrl+V switches verbose output, Ctrl+W shows the version. */
export type Chord = 'B' | 'V' | 'W';

export interface KeyHandlers {
  /** Before text is handed on. */
  typing(): void;
  lineIsEmpty(): boolean;
  /** A control key waits for its Enter. */
  armed(chord: Chord): void;
  chord(chord: Chord): void;
  /** Ctrl+D on an empty line. */
  endOfInput(): void;
}

const enter = new Set([0x0a, 0x0d]);
const ctrlD = 0x04;
/** The first byte that is no control key. */
const space = 0x20;

/** A readable that stands for the terminal `source`, for `readline.createInterface`. */
export class Keys extends Readable {
  readonly isTTY = true;
  private armedChord: Chord | undefined;
  private readonly onData = (chunk: Buffer) => this.receive(chunk);
  private readonly onEnd = () => this.push(null);

  constructor(
    private readonly source: ReadStream,
    private readonly handlers: KeyHandlers,
  ) {
    super();
    source.on('data', this.onData);
    source.once('end', this.onEnd);
    source.once('close', this.onEnd);
    // Another reader (of a password) may have paused it.
    source.resume();
  }

  setRawMode(on: boolean): this {
    this.source.setRawMode(on);
    return this;
  }

  override _read(): void {
    // Bytes are pushed as they are typed.
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.source.off('data', this.onData);
    this.source.off('end', this.onEnd);
    this.source.off('close', this.onEnd);
    this.source.pause();
    done(error);
  }

  /** Hands on line by line, so that pasted lines each see the effect of the one before. */
  private receive(chunk: Buffer): void {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (this.special(byte, i === from)) {
        this.hand(chunk.subarray(from, i));
        from = i + 1;
      } else if (enter.has(byte)) {
        this.hand(chunk.subarray(from, i + 1));
        from = i + 1;
      }
    }
    this.hand(chunk.subarray(from));
  }

  /** True when the byte is not for readline. `first` says that nothing is waiting to be handed on before it. */
  private special(byte: number, first: boolean): boolean {
    const armed = this.armedChord;
    this.armedChord = undefined;
    if (armed !== undefined && enter.has(byte)) {
      this.handlers.chord(armed);
      return true;
    }
    const empty = first && this.handlers.lineIsEmpty();
    if (byte === ctrlD && empty) {
      this.handlers.endOfInput();
      return true;
    }
    const chord = chords[byte];
    if (!chord || (chord.emptyLineOnly && !empty)) return false;
    this.armedChord = chord.name;
    this.handlers.armed(chord.name);
    return true;
  }

  private hand(bytes: Buffer): void {
    if (bytes.length === 0 || this.readableEnded || this.destroyed) return;
    if ((bytes[0] ?? 0) >= space) this.handlers.typing();
    this.push(bytes);
  }
}
