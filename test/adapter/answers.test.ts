import { describe, expect, it } from 'vitest';
import { Answers } from '../../src/adapter/answers';

function answers() {
  const written: string[] = [];
  return { written, answers: new Answers((category, text) => written.push(`${category}|${text}`)) };
}

describe('Answers', () => {
  it('gives what a command prints as its result', async () => {
    const { written, answers: all } = answers();
    const answer = all.create();
    all.begin(answer);
    all.write('stdout', 'a\n', true);
    all.write('stdout', 'b\n', true);
    answer.finish();
    expect(await answer.result).toEqual({ text: 'a\nb', failed: false });
    answer.sent();
    expect(written).toEqual([]);
    all.write('stdout', 'c\n', true);
    expect(written).toEqual(['stdout|c\n']);
  });

  it('keeps the order: what others print ends the result and follows the response', async () => {
    const { written, answers: all } = answers();
    const answer = all.create();
    all.begin(answer);
    all.write('stdout', 'a\n', true);
    all.write('console', 'ann came\n', false);
    all.write('stdout', 'b\n', true);
    expect(await answer.result).toEqual({ text: 'a', failed: false });
    expect(written).toEqual([]);
    answer.sent();
    expect(written).toEqual(['console|ann came\n', 'stdout|b\n']);
  });

  it('an error is the result when nothing was printed before it', async () => {
    const { written, answers: all } = answers();
    const [first, second] = [all.create(), all.create()];
    all.begin(first);
    all.write('stderr', 'no\n', true);
    expect(await first.result).toEqual({ text: 'no', failed: true });
    first.sent();
    all.begin(second);
    all.write('stdout', 'a\n', true);
    all.write('stderr', 'no\n', true);
    expect(await second.result).toEqual({ text: 'a', failed: false });
    second.sent();
    expect(written).toEqual(['stderr|no\n']);
  });

  it('does not wait for more than a screenful, nor long', async () => {
    const { written, answers: all } = answers();
    const [much, slow] = [all.create(), all.create()];
    all.begin(much);
    const line = `${'x'.repeat(1000)}\n`;
    for (let i = 0; i < 30; i++) all.write('stdout', line, true);
    expect((await much.result).text.length).toBeLessThan(18_000);
    much.sent();
    expect((await much.result).text.length + 1 + written.join('').replace(/stdout\|/g, '').length).toBe(
      30 * line.length,
    );
    all.begin(slow);
    all.write('stdout', 'first\n', true);
    expect((await slow.result).text).toBe('first');
    slow.sent();
  });

  it('a second answer waits for the first to be sent', async () => {
    const { written, answers: all } = answers();
    const [first, second] = [all.create(), all.create()];
    all.begin(first);
    all.write('stdout', 'a\n', true);
    first.finish();
    all.begin(second);
    all.write('stdout', 'b\n', true);
    second.finish();
    all.begin(undefined);
    all.write('console', 'k\n', false);
    expect([await first.result, await second.result].map(({ text }) => text)).toEqual(['a', 'b']);
    first.sent();
    expect(written).toEqual([]);
    second.sent();
    expect(written).toEqual(['console|k\n']);
  });

  it('what a command prints after its response is output', () => {
    const { written, answers: all } = answers();
    const answer = all.create();
    all.begin(answer);
    answer.sent();
    all.begin(answer);
    all.write('stdout', 'late\n', true);
    expect(written).toEqual(['stdout|late\n']);
  });
});
