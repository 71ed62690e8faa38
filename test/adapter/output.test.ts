import { describe, expect, it } from 'vitest';
import { OutputView } from '../../src/adapter/output';
import type { OutputItem } from '../../src/engine/session/protocol';
import { colleague, self } from '../support/fakeSession';

function view() {
  const shown: string[] = [];
  const output = new OutputView(self.id, (category, text) => shown.push(`${category}|${text}`));
  const show = (kind: OutputItem['kind'], text: string, author?: OutputItem['author']): void =>
    output.show({ seq: 1, kind, text, ...(author && { author }) });
  return { shown, output, show };
}

describe('OutputView', () => {
  it('gives each kind its category', () => {
    const { shown, show } = view();
    show('normal', 'rax=1\n');
    show('error', 'no\n');
    show('debuggee', 'hello\n');
    show('debuggee', 'Server started.\n');
    show('notice', 'Server started.  Client can connect with any of these command lines\n');
    expect(shown).toEqual([
      'stdout|rax=1\n',
      'stderr|no\n',
      'stdout|hello\n',
      'stdout|Server started.\n',
      'important|Server started.  Client can connect with any of these command lines\n',
    ]);
  });

  it('shows commands of others with their author, of the owner without', () => {
    const { shown, show } = view();
    show('command', '0: kd> k\n', colleague);
    show('command', '0: kd> lm\n', { ...self, id: 99 });
    expect(shown).toEqual([`console|[${colleague.identity}] 0: kd> k\n`, 'console|0: kd> lm\n']);
  });

  it('does not show again what was typed into the console', () => {
    const { shown, output, show } = view();
    const answer = output.expectEcho('r ');
    output.expectEcho('* a comment is never echoed');
    const second = output.expectEcho('lm; $$ modules');
    show('command', '0: kd> r\n', self);
    show('command', '0: kd> lm\n', self);
    answer.sent();
    second.sent();
    expect(shown).toEqual([]);
    show('command', '0: kd> r\n', self);
    expect(shown).toEqual(['console|0: kd> r\n']);
  });

  it('shows the same command of somebody else', () => {
    const { shown, output, show } = view();
    output.expectEcho('r');
    show('command', '0: kd> r\n', colleague);
    expect(shown).toHaveLength(1);
  });
});
