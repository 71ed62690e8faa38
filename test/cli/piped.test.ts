import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Conversation } from '../../src/cli/conversation';
import { Piped, type PipedOptions } from '../../src/cli/piped';
import { Transcript } from '../../src/cli/transcript';
import { FakeSession, self } from './support/fakeSession';

function start(session: FakeSession, options: Partial<PipedOptions> = {}) {
  const input = new PassThrough();
  const output = new PassThrough({ encoding: 'utf8' });
  const conversation = new Conversation(session, self);
  const piped = new Piped({
    input,
    output,
    untilStopped: false,
    signal: new AbortController().signal,
    waiting: () => undefined,
    ...options,
  });
  const transcript = new Transcript(
    self.id,
    { color: false, verbose: false, noisySymbols: false },
    piped.show,
  );
  const run = piped.run(conversation, transcript, () => Promise.resolve());
  return { input, run, text: () => (output.read() as string | null) ?? '' };
}

it('runs one line after the other and leaves at the end of the input', async () => {
  const session = new FakeSession();
  let running = 0;
  session.handlers.execute = async ({ text }: { text: string }) => {
    expect(++running).toBe(1);
    await Promise.resolve();
    session.print(`kd> ${text}\n`, 'command', self);
    session.print(`did ${text}\n`);
    running--;
    return { ok: true };
  };
  const { input, run, text } = start(session);
  input.end('r\r\n\nlm\nk');
  expect(await run).toEqual({ kind: 'left', reason: '' });
  expect(text()).toBe('kd> r\ndid r\nkd> lm\ndid lm\nkd> k\ndid k\n');
});

it('waits for the first stop', async () => {
  const session = new FakeSession();
  session.update({ targetState: 'connecting', busy: true, prompt: '' });
  const { input, run } = start(session, { untilStopped: true });
  input.end('r\n');
  await new Promise(setImmediate);
  expect(session.commands).toEqual([]);
  session.update({ targetState: 'stopped', busy: false, prompt: 'kd> ' });
  await run;
  expect(session.commands).toEqual(['r']);
});

it('gives up in time, saying why', async () => {
  const session = new FakeSession();
  session.update({ targetState: 'connecting', detail: 'Waiting to reconnect...', busy: true, prompt: '' });
  const { run } = start(session, { untilStopped: true, timeoutSeconds: 0.01 });
  await expect(run).rejects.toThrow('The target did not stop within 0.01 s: Waiting to reconnect.');
});

it('ends its wait when aborted', async () => {
  const session = new FakeSession();
  session.update({ targetState: 'connecting' });
  const controller = new AbortController();
  const { run } = start(session, { untilStopped: true, signal: controller.signal });
  controller.abort(new Error('SIGINT'));
  await expect(run).rejects.toThrow('SIGINT');
});

it('ends with the session, whether or not there is more input', async () => {
  const session = new FakeSession();
  session.handlers.execute = () => {
    session.emit('ended', { reason: 'quit' });
    session.close();
    throw new Error('closed');
  };
  const { input, run, text } = start(session);
  input.write('q\nr\n');
  expect(await run).toEqual({ kind: 'ended', reason: 'quit' });
  expect(session.commands).toEqual(['q']);
  expect(text()).toBe('');
});

it('tells a lost session from an ended one', async () => {
  const session = new FakeSession();
  const { run } = start(session);
  session.close(new Error('no sign of life for 15 s'));
  expect(await run).toEqual({ kind: 'lost', reason: 'no sign of life for 15 s' });
});

it('shows a refusal and goes on', async () => {
  const session = new FakeSession();
  session.handlers.execute = ({ text }: { text: string }) => {
    if (text === 'bad') throw new Error('Command refused.');
  };
  const { input, run, text } = start(session);
  input.end('bad\nr\n');
  await run;
  expect(session.commands).toEqual(['bad', 'r']);
  expect(text()).toBe('Command refused.\n');
});
