/**
 * Output items to terminal text. What comes from the target or from another machine is shown, never obeyed: control
 * characters other than line feed and tab become visible, so that nobody's text can drive the user's terminal.
 */
import type { OutputKind } from '../engine/command/command';
import type { OutputItem } from '../engine/session/protocol';

export interface RenderOptions {
  readonly color: boolean;
  readonly verbose: boolean;
  readonly noisySymbols: boolean;
}

/** SGR parameters; a kind that is not here has no colour. */
const colors: Partial<Record<OutputKind, string>> = {
  error: '31',
  warning: '33',
  verbose: '2',
  command: '1',
  debuggee: '36',
  symbols: '2',
  notice: '32',
};

/** Text to write for one item; empty when it is not wanted. `ownId` is the id of this client. */
export function renderItem(item: OutputItem, ownId: number, options: RenderOptions): string {
  if (item.kind === 'verbose' && !options.verbose) return '';
  if (item.kind === 'symbols' && !options.noisySymbols) return '';
  const text = plainText(item.text);
  if (item.kind !== 'command') return paint(text, item.kind, options.color);
  const line = text.endsWith('\n') ? text : `${text}\n`;
  const other = item.author && item.author.id !== ownId && item.author.remote;
  const shown = other ? `[${plainText(item.author.identity)}] ${line}` : line;
  return paint(shown, item.kind, options.color);
}

/** Control characters made visible (`^[`), line ends made `\n`; bidirectional overrides are dropped. */
export function plainText(text: string): string {
  return (
    text
      .replace(/\r+\n/g, '\n')
      .replace(/[\0-\x08\x0b-\x1f\x7f]/g, (ch) => `^${String.fromCharCode(ch.charCodeAt(0) ^ 0x40)}`)
      // C1 controls act like their two-byte forms in many terminals.
      .replace(/[\x80-\x9f]/g, '?')
      .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
  );
}

/** Colours line by line, so that a line cut off later never leaves a colour behind. */
function paint(text: string, kind: OutputKind, color: boolean): string {
  const code = colors[kind];
  if (!color || code === undefined || text === '') return text;
  return text.replace(/[^\n]+/g, (line) => `\x1b[${code}m${line}\x1b[0m`);
}

/** `text` without the colours of `paint`, for a log file. */
export function withoutColor(text: string): string {
  return text.replace(/\x1b\[\d*m/g, '');
}
