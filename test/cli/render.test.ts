import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText, renderItem, withoutColor } from '../../src/cli/render';
import type { OutputItem } from '../../src/engine/session/protocol';

const plain = { color: false, verbose: false, noisySymbols: false };
const other = { id: 2, identity: 'LAB\\ann (tcp 10.0.0.5:63141)', remote: true, lastActive: 0 };

function item(part: Partial<OutputItem>): OutputItem {
  return { seq: 1, kind: 'normal', text: 'text\n', ...part };
}

describe('renderItem', () => {
  it('puts the author before the command of another client, not before ours or the host', () => {
    const command = item({ kind: 'command', text: '0: kd> k', author: other });
    expect(renderItem(command, 1, plain)).toBe('[LAB\\ann (tcp 10.0.0.5:63141)] 0: kd> k\n');
    expect(renderItem(command, 2, plain)).toBe('0: kd> k\n');
    expect(renderItem({ ...command, author: { ...other, remote: false } }, 1, plain)).toBe('0: kd> k\n');
  });

  it('leaves out verbose and symbol output unless asked for', () => {
    expect(renderItem(item({ kind: 'verbose' }), 1, plain)).toBe('');
    expect(renderItem(item({ kind: 'symbols' }), 1, plain)).toBe('');
    expect(renderItem(item({ kind: 'verbose' }), 1, { ...plain, verbose: true })).toBe('text\n');
    expect(renderItem(item({ kind: 'symbols' }), 1, { ...plain, noisySymbols: true })).toBe('text\n');
  });

  it('shows control characters instead of obeying them', () => {
    const text = 'a\x1b]0;owned\x07\tb\r\nc\rd\x7f\x9b2J\u202e\n';
    expect(renderItem(item({ kind: 'debuggee', text }), 1, plain)).toBe('a^[]0;owned^G\tb\nc^Md^??2J\n');
  });

  it('colours line by line', () => {
    const colored = renderItem(item({ kind: 'error', text: 'one\n\ntwo\n' }), 1, { ...plain, color: true });
    expect(colored).toBe('\x1b[31mone\x1b[0m\n\n\x1b[31mtwo\x1b[0m\n');
    expect(withoutColor(colored)).toBe('one\n\ntwo\n');
  });

  it('lets nothing through that could drive a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plainText(text)).not.toMatch(/[^\P{Cc}\n\t]/u);
      }),
    );
  });
});
