/** Runs the command lines of clients: cuts them into commands, checks permissions, shows them and their errors. */
import { CancelledError, errorText, UserError } from '../base/errors';
import type { Command, CommandContext } from '../command/command';
import type { SessionClientEnd } from './clientEnd';
import { messages } from './messages';
import type { Line as CommandOrigin } from './people';
import type { Slot } from './queue';
import type { Session } from './session';

/** In characters, as documented for WinDbg's command line. */
export const maxCommandLength = 4096;

interface Step {
  readonly text: string;
  readonly command: Command | undefined;
  readonly args: string;
}

interface Line {
  /** As others may see it. */
  readonly text: string;
  readonly steps: readonly Step[];
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
    const lines = this.parseAll(client, text);
    const first = lines[0]?.steps[0];
    if (!first) return true;
    if (first.command?.atOnce && lines.length === 1 && lines[0]?.steps.length === 1)
      return this.runAtOnce(client, first.command, first.args, signal);
    try {
      return await session.queue.submit(
        {
          client: client.info.id,
          needsStop: first.command?.whileRunning === 'wait',
          onWait: () => {
            if (!patient) session.tell(client.info, 'notice', messages.busy(session.engine.target.state));
          },
          run: async (slot) => {
            for (const line of lines) if (!(await this.run(client, line, slot, patient))) return false;
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

  private parseAll(client: SessionClientEnd, text: string): Line[] {
    return text
      .split(/\r\n|[\r\n]/)
      .map((line) => this.parse(client, line))
      .filter((line) => line.steps.length > 0);
  }

  /** Comments are neither run nor shown, so they are not steps; bare Enter repeats where the command allows it. */
  private parse(client: SessionClientEnd, line: string): Line {
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

  private async run(client: SessionClientEnd, line: Line, slot: Slot, script: boolean): Promise<boolean> {
    const { session } = this;
    const source = `line${this.lines++}`;
    const text = withoutSecrets(line.text);
    session.print(source, 'command', `${session.state.prompt}${text}\n`, client.info);
    session.audit({ event: 'command', client: client.info, command: text });
    const context = this.context(client, slot, source, {
      script,
      run: async (commands) => {
        for (const { steps } of this.parseAll(client, commands))
          await this.runSteps(client, context, steps, slot);
      },
    });
    try {
      await this.runSteps(client, context, line.steps, slot);
      return true;
    } catch (error) {
      if (session.ending) return true;
      session.print(source, 'error', `${this.complaint(error, slot.signal)}\n`);
      return false;
    }
  }

  /** Past the queue: for what must not wait behind the running command. */
  private async runAtOnce(
    client: SessionClientEnd,
    command: Command,
    args: string,
    signal = new AbortController().signal,
  ): Promise<boolean> {
    const { session } = this;
    const never = () => Promise.reject(new Error(`${command.name} cannot wait for the target.`));
    const line = { script: false, run: never };
    const context = this.context(client, { signal, untilStopped: never }, `line${this.lines++}`, line);
    try {
      this.require(command, client);
      session.audit({
        event: 'command',
        client: client.info,
        command: `${command.name} ${args.trim()}`.trim(),
      });
      await command.run(context, args);
      return true;
    } catch (error) {
      session.tell(client.info, 'error', this.complaint(error, signal));
      return false;
    }
  }

  private context(client: SessionClientEnd, slot: Slot, source: string, line: CommandOrigin): CommandContext {
    const { session } = this;
    return {
      engine: session.engine,
      issuer: { ...client.info, trusted: client.trusted },
      signal: slot.signal,
      servers: session.servers,
      session: session.people.controlFor(client, line),
      clients: () => session.clientsText(),
      write: (written, kind = 'normal') => session.print(source, kind, written),
      drained: () => session.drained(slot.signal),
      untilStopped: () => slot.untilStopped(),
      clearScreen: () => session.sendTo(client.info, 'clearScreen', {}),
      endSession: () => void session.end(messages.endedByUser),
    };
  }

  private async runSteps(
    client: SessionClientEnd,
    context: CommandContext,
    steps: readonly Step[],
    slot: Slot,
  ): Promise<void> {
    const { session } = this;
    let resumed = false;
    for (const { text, command, args } of steps) {
      slot.signal.throwIfAborted();
      if (!command) throw new UserError(session.people.unknown(text));
      this.require(command, client);
      // What follows a command that set the target running belongs to the next stop.
      const wait = resumed || command.whileRunning === 'wait';
      if (wait && !session.targetStopped) await slot.untilStopped();
      const wasStopped = session.targetStopped;
      await command.run(context, args);
      if (session.ending) return;
      resumed = wasStopped && !session.targetStopped;
    }
  }

  /** The one check before every command, wherever it comes from. */
  private require(command: Command, client: SessionClientEnd): void {
    const refusal = this.session.people.refusal(command, client);
    if (refusal !== undefined) throw new UserError(refusal);
  }

  private complaint(error: unknown, signal: AbortSignal): string {
    if (error instanceof CancelledError || signal.aborted) return messages.cancelled;
    return error instanceof UserError ? error.message : messages.internal(errorText(error));
  }
}

/** What others may see of a line: `.server tcp:port=5005,password=*`. */
function withoutSecrets(text: string): string {
  return text.replace(/\b((?:password|observer)\s*=\s*)[^\s,;"'}]+/gi, '$1*');
}

function isComment({ command }: Step): boolean {
  return command?.name === '*' || command?.name === '$$';
}
