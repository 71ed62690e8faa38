/** Runs the command lines of clients: cuts them into commands, checks permissions, shows them and their errors. */
import { CancelledError, errorText, UserError } from '../base/errors';
import type { Command, CommandContext } from '../command/command';
import type { SessionClientEnd } from './clientEnd';
import { messages } from './messages';
import type { Slot } from './queue';
import type { Session } from './session';
import { oneLine } from './text';

/** In characters, as documented for WinDbg's command line. */
export const maxCommandLength = 4096;

interface Step {
  readonly text: string;
  readonly command: Command | undefined;
  readonly args: string;
}

export class LineRunner {
  private lines = 0;

  constructor(private readonly session: Session) {}

  /** Queues a line; resolves to false when it was refused, cancelled or failed. What went wrong has been printed. */
  async execute(
    client: SessionClientEnd,
    text: string,
    { signal, patient = false }: { signal?: AbortSignal; patient?: boolean } = {},
  ): Promise<boolean> {
    const { session } = this;
    if (text.length > maxCommandLength) {
      session.tell(client.info, 'error', messages.tooLong(text.length, maxCommandLength));
      return false;
    }
    const lines = text
      .split(/\r\n|[\r\n]/)
      .map((line) => this.parse(client, line))
      .filter((line) => line.steps.length > 0);
    const first = lines[0]?.steps[0];
    if (!first) return true;
    try {
      return await session.queue.submit(
        {
          client: client.info.id,
          needsStop: first.command?.whileRunning === 'wait',
          onWait: () => {
            if (!patient) session.tell(client.info, 'notice', messages.busy(session.engine.target.state));
          },
          run: async (slot) => {
            for (const line of lines)
              if (!(await this.run(client, line.text, line.steps, slot))) return false;
            return true;
          },
        },
        signal,
      );
    } catch (error) {
      session.tell(
        client.info,
        'error',
        error instanceof CancelledError ? messages.cancelled : errorText(error),
      );
      return false;
    }
  }

  /** Comments are neither run nor shown, so they are not steps; bare Enter repeats where the command allows it. */
  private parse(client: SessionClientEnd, line: string): { text: string; steps: Step[] } {
    if (line.trim() === '') {
      const again = client.repeatable;
      return { text: again ?? '', steps: again === undefined ? [] : [this.step(again)] };
    }
    const all = this.session.language
      .split(line)
      .filter((text) => text.trim() !== '')
      .map((text) => this.step(text));
    const steps = all.filter((step) => !isComment(step));
    const last = steps.at(-1)?.command;
    if (last) client.repeatable = last.repeat ? last.name : undefined;
    const text = steps.length === all.length ? line.trim() : steps.map((step) => step.text.trim()).join('; ');
    return { text, steps };
  }

  private step(text: string): Step {
    const found = this.session.language.find(text);
    return { text, command: found?.command, args: found?.args ?? '' };
  }

  private async run(client: SessionClientEnd, text: string, steps: Step[], slot: Slot): Promise<boolean> {
    const { session } = this;
    const source = `line${this.lines++}`;
    session.print(source, 'command', `${session.state.prompt}${withoutPasswords(text)}\n`, client.info);
    const context: CommandContext = {
      engine: session.engine,
      issuer: client.info,
      signal: slot.signal,
      servers: session.servers,
      clients: () => session.clientsText(),
      write: (written, kind = 'normal') => session.print(source, kind, written),
      untilStopped: () => slot.untilStopped(),
      clearScreen: () => session.sendTo(client.info, 'clearScreen', {}),
      endSession: () => void session.end(messages.endedByUser),
    };
    try {
      let resumed = false;
      for (const { text: name, command, args } of steps) {
        slot.signal.throwIfAborted();
        if (!command) throw new UserError(messages.unknownCommand(oneLine(name, 60)));
        const refusal = session.refusal(command, client.info);
        if (refusal !== undefined) throw new UserError(refusal);
        // What follows a command that set the target running belongs to the next stop.
        const wait = resumed || command.whileRunning === 'wait';
        if (wait && !session.targetStopped) await slot.untilStopped();
        const wasStopped = session.targetStopped;
        await command.run(context, args);
        if (session.ending) return true;
        resumed = wasStopped && !session.targetStopped;
      }
      return true;
    } catch (error) {
      if (session.ending) return true;
      const line =
        error instanceof CancelledError || slot.signal.aborted
          ? messages.cancelled
          : error instanceof UserError
            ? error.message
            : messages.internal(errorText(error));
      session.print(source, 'error', `${line}\n`);
      return false;
    }
  }
}

/** What others may see of a line: `.server tcp:port=5005,password=*`. */
function withoutPasswords(text: string): string {
  return text.replace(/\b(password\s*=\s*)[^\s,;"'}]+/gi, '$1*');
}

function isComment({ command }: Step): boolean {
  return command?.name === '*' || command?.name === '$$';
}
