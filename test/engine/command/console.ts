/** Types commands at an engine, as a session would. */
import type { CommandContext, ServerControl } from '../../../src/engine/command/command';
import type { Engine } from '../../../src/engine/command/engine';
import { createEngine } from '../../../src/engine/command/engineImpl';
import { findCommand, splitCommands } from '../../../src/engine/command/language';
import { nextEvent } from '../../../src/engine/base/emitter';
import { FakeTarget } from './fakeTarget';

export class Console {
  readonly engine: Engine;
  readonly controller = new AbortController();
  ended = false;
  cleared = false;
  remote = false;
  servers: ServerControl | undefined;
  private output = '';

  constructor(readonly target = new FakeTarget()) {
    this.engine = createEngine(target);
  }

  /** Runs a line; its output, or the message of the error it ended with after `error: `. */
  async type(line: string): Promise<string> {
    this.output = '';
    try {
      for (const text of splitCommands(line)) {
        const found = findCommand(text);
        if (!found) throw new Error(`unknown command ${text}`);
        if (found.command.whileRunning === 'wait') await this.untilStopped();
        await found.command.run(this.context, found.args);
      }
    } catch (error) {
      return `${this.output}error: ${(error as Error).message}`;
    }
    return this.output;
  }

  /** Where the current processor is, as a name. */
  async where(): Promise<string> {
    await this.untilStopped();
    const { pc } = await this.engine.registers();
    return (await this.engine.symbolFor(pc)) ?? pc.toString(16);
  }

  private async untilStopped(): Promise<void> {
    if (!this.engine.stop) await nextEvent(this.engine.stopped, undefined, AbortSignal.timeout(2000));
  }

  private get context(): CommandContext {
    return {
      engine: this.engine,
      issuer: { id: 1, identity: 'HOST\\user', remote: this.remote },
      signal: this.controller.signal,
      servers: this.servers,
      session: undefined,
      clients: () => 'HOST\\user, last active now\n',
      write: (text) => {
        this.output += text;
      },
      drained: () => Promise.resolve(),
      untilStopped: () => this.untilStopped(),
      clearScreen: () => {
        this.cleared = true;
      },
      endSession: () => {
        this.ended = true;
      },
    };
  }
}
