/**
 * Shows the session's output in the Debug Console: everyone's commands with their author, their output, the target's
 * prints. What the user typed into the console is there already and is not shown again.
 */
import type { OutputItem } from '../engine/session/protocol';
import { Answers, type Answer } from './answers';
import type { OutputCategory } from './outbox';

/** Inputs that were never echoed (comments are not) are forgotten beyond this many. */
const mostTyped = 100;

export class OutputView {
  private readonly typed: { readonly text: string; readonly answer: Answer }[] = [];
  private readonly answers: Answers;
  private lastWasOwn = false;

  constructor(
    private readonly selfId: number,
    write: (category: OutputCategory, text: string) => void,
  ) {
    this.answers = new Answers(write);
  }

  /** Lines that the console itself shows. The answer gets what they print first. */
  expectEcho(lines: string): Answer {
    const answer = this.answers.create();
    for (const line of lines.split(/\r\n|[\r\n]/)) {
      this.typed.push({ text: line.trim(), answer });
      if (this.typed.length > mostTyped) this.typed.shift();
    }
    return answer;
  }

  show(item: OutputItem): void {
    if (item.kind === 'command') this.showCommand(item);
    else this.answers.write(this.category(item), item.text, item.kind === 'normal' || item.kind === 'error');
  }

  private category({ kind, text }: OutputItem): OutputCategory {
    if (kind === 'error') return 'stderr';
    if (kind === 'debuggee') return 'stdout';
    // What colleagues have to type to join deserves more than a line, unless it answers what was just typed here.
    if (!this.lastWasOwn && /^Server started\./m.test(text)) return 'important';
    // VS Code shows `console` as warnings: for what is about the session. The answers to commands read as plain text.
    return kind === 'normal' ? 'stdout' : 'console';
  }

  private showCommand({ text, author }: OutputItem): void {
    this.lastWasOwn = author?.id === this.selfId;
    const line = text.endsWith('\n') ? text : `${text}\n`;
    if (author?.id === this.selfId) {
      const index = this.typed.findIndex((typed) => isEchoOf(text, typed.text));
      if (index >= 0) {
        this.answers.begin(this.typed[index]?.answer);
        this.typed.splice(0, index + 1);
        return;
      }
    }
    this.answers.begin(undefined);
    const foreign = author?.remote === true && author.id !== this.selfId;
    const shown = foreign && !text.startsWith('[') ? `[${author.identity}] ${line}` : line;
    this.answers.write('console', shown, false);
  }
}

/** The echo is the prompt and the line, in which comments may have been left out. */
function isEchoOf(echo: string, typed: string): boolean {
  const command = /> (.*)/s.exec(echo)?.[1]?.trim() ?? echo.trim();
  const first = command.split(';')[0] ?? command;
  return command === typed || (typed.startsWith(first) && /^\s*;/.test(typed.slice(first.length)));
}
