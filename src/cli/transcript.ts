/** Everything the user sees goes through here once: rendered for the screen, and copied to the log file. */
import type { OutputKind } from '../engine/command/command';
import type { OutputItem } from '../engine/session/protocol';
import type { Log } from './log';
import { renderItem, type RenderOptions } from './render';

export class Transcript {
  /** Settings may be changed while the session goes on (`-v`, Ctrl+V). */
  verbose: boolean;

  constructor(
    private readonly ownId: number,
    private readonly options: RenderOptions,
    private readonly screen: (text: string) => void,
    private readonly log?: Log,
  ) {
    this.verbose = options.verbose;
  }

  /** `onScreen` is false for what the user sees already, such as the command line just typed. */
  item(item: OutputItem, onScreen = true): void {
    const text = renderItem(item, this.ownId, { ...this.options, verbose: this.verbose });
    if (text === '') return;
    this.log?.write(text);
    if (onScreen) this.screen(text);
  }

  /** A line of our own, not of the session. */
  line(text: string, kind: OutputKind = 'notice'): void {
    this.item({ seq: 0, kind, text: `${text}\n` });
  }
}
