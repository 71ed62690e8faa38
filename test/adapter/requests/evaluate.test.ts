import { describe, expect, it } from 'vitest';
import { colleague, self } from '../../support/fakeSession';
import { stopped } from './support';

describe('evaluate', () => {
  it('runs what is typed into the console as a command; its output is the result', async () => {
    const { session, client } = await stopped();
    session.answers.execute = () => {
      session.output('command', '0: kd> r\n', self);
      session.output('normal', 'rax=000000000000001f\n');
      return { ok: true };
    };
    const body = await client.request('evaluate', { expression: 'r', context: 'repl' });
    expect(body).toEqual({ result: 'rax=000000000000001f', variablesReference: 0 });
    expect(client.text()).toBe('');
  });

  it('colours the result where the client can show it', async () => {
    const { session, client } = await stopped({}, { supportsANSIStyling: true });
    session.answers.execute = ({ text }) => {
      session.output('command', `0: kd> ${text}\n`, self);
      if (text === 'r') session.output('normal', 'rax=1\n');
      return { ok: true };
    };
    expect(await client.request('evaluate', { expression: 'r', context: 'repl' })).toMatchObject({
      result: '\x1b[94mrax=1\x1b[0m',
    });
    expect(await client.request('evaluate', { expression: 'g', context: 'repl' })).toMatchObject({
      result: '',
    });
  });

  it('tells the error of a command as one, also while the target runs', async () => {
    const { session, client } = await stopped();
    session.fire('resumed', { kind: 'go' });
    session.answers.execute = () => {
      session.output('command', 'x!y\n', self);
      session.output('error', "Couldn't resolve 'x!y'\n");
      return { ok: false };
    };
    expect(await client.failure('evaluate', { expression: 'x!y', context: 'repl' })).toBe(
      "Couldn't resolve 'x!y'",
    );
    expect(client.text()).toBe('');
  });

  it('answers a long command early; the rest follows as events', async () => {
    const { session, client } = await stopped();
    let end: (() => void) | undefined;
    session.answers.execute = async () => {
      session.output('command', '0: kd> lm\n', self);
      session.output('normal', 'first\n');
      await new Promise<void>((resolve) => (end = resolve));
      session.output('normal', 'second\n');
      return { ok: true };
    };
    const body = await client.request('evaluate', { expression: 'lm', context: 'repl' });
    expect(body).toEqual({ result: 'first', variablesReference: 0 });
    end?.();
    await client.waitForOutput('second\n');
  });

  it('shows the commands of others', async () => {
    const { session, client } = await stopped();
    session.output('command', '0: kd> k\n', colleague);
    await client.waitForOutput(`[${colleague.identity}] 0: kd> k\n`);
  });

  it('runs several lines as one piece', async () => {
    const { session, client } = await stopped();
    await client.request('evaluate', { expression: 'r\nk', context: 'repl' });
    expect(session.params('execute')).toEqual([{ text: 'r\nk' }]);
  });

  it('evaluates an expression everywhere else', async () => {
    const { session, client } = await stopped();
    session.answers.evaluate = ({ expression }) => ({
      value: expression === '@rip' ? '0xfffff80000001000' : '0x0',
    });
    for (const context of ['hover', 'watch', 'clipboard', undefined]) {
      expect(await client.request('evaluate', { expression: ' @rip ', context })).toEqual({
        result: '0xfffff80000001000',
        variablesReference: 0,
        memoryReference: '0xfffff80000001000',
      });
    }
    expect(session.params('execute')).toEqual([]);
  });

  it('refuses a line that is too long for the debugger', async () => {
    const { client } = await stopped();
    expect(await client.failure('evaluate', { expression: 'x'.repeat(5000), context: 'repl' })).toContain(
      'is longer than a command line may be',
    );
  });

  it('clears the console for .cls', async () => {
    const { session, client } = await stopped();
    session.fire('clearScreen', {});
    await client.waitForOutput('\x1b[2J');
  });
});
