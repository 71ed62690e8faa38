/**
 * The interactive prompt: an input line at the bottom of what the session shows. Output that arrives while the user
 * types goes above the line, which is drawn again below it. There is a prompt only when it is the user's turn.
 */
import * as readline from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import type { OutputItem } from '../engine/session/protocol';
import { type Conversation, type End } from './conversation';
import type { FrontEnd } from './frontEnd';
import { historyLimit, loadHistory, saveHistory } from './history';
import { type Chord, Keys } from './keys';
import { plainText } from './render';
import type { Transcript } from './transcript';

export interface TerminalOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly historyFile: string;
  /** True for the owner of the session, whose leaving ends it. */
  readonly owner: boolean;
  readonly versionLine: string;
}

const busyPrompt = '*BUSY* ';
/** A second Ctrl+C within this time leaves while the target cannot be reached; milliseconds. */
const secondPress = 3000;

export class Terminal implements FrontEnd {
  private readonly keys: Keys;
  private readonly line: readline.Interface;
  private history: string[];
  /** The prompt that stands on the screen now, with the user's text behind it; undefined when there is none. */
  private shown: string | undefined;
  private atLineStart = true;
  private waiting = '';
  /** The user began to type while the debugger was busy. */
  private typing = false;
  /** The next command of ours that the session reports stands on the screen already. */
  private typedAtPrompt = false;
  /** Ctrl+C was pressed while a command ran: should that command still set the target going, it is stopped again. */
  private stopWanted = false;
  private lastInterrupt = -Infinity;
  private closed = false;

  constructor(private readonly options: TerminalOptions) {
    this.history = loadHistory(options.historyFile);
    this.keys = new Keys(options.input, {
      typing: () => this.beginTyping(),
      lineIsEmpty: () => this.line.line === '',
      armed: (chord) => this.hint(`^${chord} (Enter ${chordMeaning[chord]})`),
      chord: (chord) => this.runChord(chord),
      endOfInput: () => this.endOfInput(),
    });
    this.line = readline.createInterface({
      input: this.keys,
      output: options.output,
      terminal: true,
      history: [...this.history],
      historySize: historyLimit,
      removeHistoryDuplicates: true,
      completer: (text: string, done: (error: null, result: [string[], string]) => void) =>
        void this.complete(text).then((result) => done(null, result)),
    });
    this.line.on('history', (history: string[]) => (this.history = [...history]));
  }

  private conversation: Conversation | undefined;
  private transcript: Transcript | undefined;

  /** Writes above the input line. Texts that come together are written together. */
  readonly show = (text: string): void => {
    if (this.waiting === '') setImmediate(() => this.flush());
    this.waiting += text;
  };

  /** Runs until the session is over or the user leaves. */
  async run(conversation: Conversation, transcript: Transcript, start: () => Promise<void>): Promise<End> {
    this.conversation = conversation;
    this.transcript = transcript;
    conversation.client.on('output', (item) => this.output(item));
    conversation.client.on('clearScreen', () => this.clearScreen());
    conversation.changed(() => this.onChange(conversation));
    conversation.client.on('title', ({ text }) => this.options.output.write(`\x1b]0;${plainText(text)}\x07`));
    conversation.answered((text) => transcript.item({ seq: 0, kind: 'normal', text }));
    conversation.failed((message) => transcript.line(message, 'error'));
    this.line.on('line', (text) => this.submit(text));
    this.line.on('SIGINT', () => this.interrupt());
    this.line.on('close', () => conversation.leave());
    this.show('');
    void start();
    return conversation.end;
  }

  /** Puts the terminal back and keeps the history. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.erase();
    this.write(this.waiting);
    this.waiting = '';
    this.line.close();
    this.keys.destroy();
    if (!this.atLineStart) this.write('\n');
    saveHistory(this.options.historyFile, this.history);
  }

  private onChange(conversation: Conversation): void {
    if (this.stopWanted && conversation.state.targetState === 'running') void conversation.breakIn();
    if (conversation.idle || conversation.state.targetState === 'running') this.stopWanted = false;
    this.show('');
  }

  private output(item: OutputItem): void {
    const own = item.kind === 'command' && item.author?.id === this.conversation?.self.id;
    const onScreen = !(own && this.typedAtPrompt);
    if (own) this.typedAtPrompt = false;
    this.transcript?.item(item, onScreen);
  }

  private submit(text: string): void {
    this.flush();
    this.shown = undefined;
    this.atLineStart = true;
    this.typing = false;
    const conversation = this.conversation;
    if (!conversation) return;
    this.stopWanted = false;
    const turn = conversation.idle;
    // Enter alone repeats the last command, but not while one runs.
    if (text.trim() === '' && !turn) return this.update();
    this.typedAtPrompt = turn;
    void conversation.execute(text).then(() => {
      if (turn) this.typedAtPrompt = false;
    });
  }

  private interrupt(): void {
    const conversation = this.conversation;
    if (!conversation) return;
    const { targetState } = conversation.state;
    if (targetState === 'running') {
      void conversation.breakIn();
    } else if (!conversation.idle && targetState === 'stopped') {
      this.stopWanted = true;
      void conversation.cancel();
    } else if (targetState === 'stopped') {
      this.clearLine();
      this.hint(this.options.owner ? 'q ends the session.' : 'Ctrl+B, Enter leaves the session.');
    } else {
      void conversation.breakIn();
      const now = performance.now();
      if (now - this.lastInterrupt < secondPress) conversation.leave();
      this.lastInterrupt = now;
      this.hint('The target will be stopped when it is reached; Ctrl+C once more leaves.');
    }
  }

  private runChord(chord: Chord): void {
    if (chord === 'B') {
      this.conversation?.leave();
    } else if (chord === 'V' && this.transcript) {
      this.transcript.verbose = !this.transcript.verbose;
      this.hint(`Verbose output is ${this.transcript.verbose ? 'on' : 'off'}.`);
    } else if (chord === 'W') {
      this.hint(this.options.versionLine);
    }
  }

  private endOfInput(): void {
    if (this.options.owner) this.hint('q ends the session.');
    else this.conversation?.leave();
  }

  private async complete(text: string): Promise<[string[], string]> {
    const word = /[^\s;]*$/.exec(text)?.[0] ?? '';
    const labels = (await this.conversation?.complete(text)) ?? [];
    return [labels.map(plainText), word];
  }

  private clearLine(): void {
    this.line.write(null, { ctrl: true, name: 'e' });
    this.line.write(null, { ctrl: true, name: 'u' });
  }

  private hint(text: string): void {
    if (this.transcript) this.transcript.line(text);
    else this.show(`${text}\n`);
  }

  private beginTyping(): void {
    if (this.shown !== undefined) return;
    this.flush();
    this.typing = true;
    this.update();
  }

  private clearScreen(): void {
    this.flush();
    this.erase();
    readline.cursorTo(this.options.output, 0, 0);
    readline.clearScreenDown(this.options.output);
    this.atLineStart = true;
    this.update();
  }

  private flush(): void {
    if (this.closed) return;
    const text = this.waiting;
    this.waiting = '';
    if (text !== '') {
      this.erase();
      this.write(text);
    }
    this.update();
  }

  /** Brings the input line in step with whose turn it is. */
  private update(): void {
    if (this.closed) return;
    const wanted = this.prompt();
    if (wanted === this.shown) return;
    this.erase();
    if (wanted === undefined) return;
    if (!this.atLineStart) this.write('\n');
    this.line.setPrompt(wanted);
    this.line.prompt(true);
    this.shown = wanted;
  }

  private prompt(): string | undefined {
    const conversation = this.conversation;
    if (!conversation || conversation.isOver) return undefined;
    if (conversation.idle) {
      this.typing = false;
      return plainText(conversation.state.prompt);
    }
    return this.typing || this.line.line !== '' ? busyPrompt : undefined;
  }

  /** Takes the input line off the screen; the text typed so far stays in readline. */
  private erase(): void {
    if (this.shown === undefined) return;
    readline.cursorTo(this.options.output, 0);
    readline.moveCursor(this.options.output, 0, -this.line.getCursorPos().rows);
    readline.clearScreenDown(this.options.output);
    this.shown = undefined;
    this.atLineStart = true;
  }

  private write(text: string): void {
    if (text === '') return;
    this.options.output.write(text);
    this.atLineStart = text.endsWith('\n');
  }
}

const chordMeaning: Readonly<Record<Chord, string>> = {
  B: 'leaves',
  V: 'switches verbose output',
  W: 'shows the version',
};
