import { describe, expect, it } from 'vitest';
import { stopped } from './support';

describe('completions', () => {
  it('completes the word at the caret', async () => {
    const { session, client } = await stopped();
    session.answers.complete = ({ text }) => ({ items: [{ label: '.server', detail: `after ${text}` }] });
    expect(await client.request('completions', { text: 'r; .serxxx', column: 8 })).toEqual({
      targets: [{ label: '.server', detail: 'after r; .ser', start: 4, length: 4 }],
    });
  });

  it('looks at the line the caret is in', async () => {
    const { session, client } = await stopped();
    session.answers.complete = () => ({ items: [] });
    await client.request('completions', { text: 'lm\n.re', column: 4, line: 2 });
    expect(session.params('complete')).toEqual([{ text: '.re' }]);
  });

  it('counts columns from 0 when the client does', async () => {
    const { session, client } = await stopped({}, { columnsStartAt1: false });
    session.answers.complete = () => ({ items: [{ label: 'rdmsr', detail: '' }] });
    expect((await client.request('completions', { text: 'rd', column: 2 })).targets[0]).toMatchObject({
      start: 0,
      length: 2,
    });
  });
});
