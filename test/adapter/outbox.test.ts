import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/adapter/outbox';

function outbox() {
  const sent: string[] = [];
  return { sent, box: new Outbox((body) => sent.push(`${body.category}:${body.output}`)) };
}

describe('Outbox', () => {
  it('joins neighbours of one category and keeps the order', () => {
    const { sent, box } = outbox();
    box.output('stdout', 'a');
    box.output('stdout', 'b');
    box.output('stderr', 'c');
    box.output('stdout', 'd');
    box.post(() => sent.push('response'));
    expect(sent).toEqual(['stdout:ab', 'stderr:c', 'stdout:d', 'response']);
  });

  it('sends output at the end of the turn', async () => {
    const { sent, box } = outbox();
    box.output('stdout', 'a');
    expect(sent).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual(['stdout:a']);
  });

  it('holds everything while the stream is full', () => {
    const { sent, box } = outbox();
    box.setBlocked(true);
    box.output('stdout', 'a');
    box.post(() => sent.push('one'));
    box.output('stdout', 'b');
    expect(sent).toEqual([]);
    box.setBlocked(false);
    expect(sent).toEqual(['stdout:a', 'one', 'stdout:b']);
  });

  it('bounds what it keeps for a client that does not read, and says what is missing', () => {
    const { sent, box } = outbox();
    box.setBlocked(true);
    const line = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 20; i++) box.output('stdout', line);
    box.setBlocked(false);
    const kept = sent.filter((each) => each.startsWith('stdout')).length;
    expect(kept).toBe(16);
    expect(sent.at(-1)).toContain(`${4 * 1024 * 1024} characters of output were left out`);
  });
});
