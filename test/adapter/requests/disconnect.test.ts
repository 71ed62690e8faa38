import { describe, expect, it } from 'vitest';
import { startAdapter } from '../../support/dapClient';
import { FakeSession, stopAt } from '../../support/fakeSession';
import { stopped } from './support';

async function joined() {
  const session = new FakeSession();
  const { client, served } = startAdapter(() => Promise.resolve(session.opened()));
  await client.request('initialize', {});
  await client.request('attach', { remote: 'tcp:Port=5005,Server=HOST' });
  await client.request('configurationDone');
  session.stop(stopAt('0x1000'));
  await client.waitFor('stopped');
  return { session, client, served };
}

describe('disconnect', () => {
  it('leaves an owned target running, without breakpoints', async () => {
    const { session, client } = await stopped();
    await client.request('disconnect', {});
    expect(session.params('execute')).toEqual([{ text: 'bc *' }]);
    expect(session.params('resume')).toEqual([{ kind: 'go' }]);
    expect(session.disposed).toBe(1);
  });

  it('leaves it halted when asked', async () => {
    const { session, client } = await stopped();
    await client.request('disconnect', { suspendDebuggee: true });
    expect(session.params('resume')).toEqual([]);
    expect(session.disposed).toBe(1);
  });

  it('leaves a joined session as it is, but for our own breakpoints', async () => {
    const { session, client, served } = await joined();
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'nt!Foo' }] });
    await client.request('disconnect', {});
    await served;
    expect(session.params('resume')).toEqual([]);
    expect(session.params('execute')).toEqual([]);
    expect(session.breakpoints).toEqual([]);
    expect(session.disposed).toBe(1);
  });

  it('works without a session', async () => {
    const { client, served } = startAdapter(() => new Promise(() => undefined));
    await client.request('disconnect');
    await served;
  });

  it('comes to an end although the target does not answer', async () => {
    const { session, client } = await stopped();
    session.answers.execute = (_params, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    await client.request('disconnect', {});
    expect(session.disposed).toBe(1);
  });
});

describe('terminate', () => {
  it('gives up a session that is still being opened', async () => {
    const { client } = startAdapter(
      (_configuration, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const launch = client.send('launch', { target: 'demo:' });
    await client.request('terminate');
    await client.waitFor('terminated');
    expect(await client.response(launch)).toMatchObject({ success: false, message: 'cancelled' });
  });

  it('ends an owned session and leaves the target as it is', async () => {
    const { session, client } = await stopped();
    await client.request('terminate');
    await client.waitFor('terminated');
    expect(session.disposed).toBe(1);
    expect(session.requests.filter(({ method }) => method === 'resume' || method === 'execute')).toEqual([]);
    expect(await client.failure('threads')).toBe('The session is over.');
    await client.request('disconnect', {});
  });

  it('ends a joined session for everybody by qq', async () => {
    const { session, client } = await joined();
    session.answers.execute = () => {
      session.fire('ended', { reason: 'The session has ended (quit).' });
      return { ok: true };
    };
    await client.request('terminate');
    await client.waitFor('terminated');
    expect(session.params('execute')).toEqual([{ text: 'qq' }]);
    expect(client.text('console')).toContain('The session has ended (quit).');
  });
});

describe('the end of a session', () => {
  it('is told with its reason', async () => {
    const { session, client } = await joined();
    session.lose('no sign of life for 15 s');
    await client.waitFor('terminated');
    expect(client.text('stderr')).toBe('The session was lost: no sign of life for 15 s\n');
    session.lose('again');
    expect(client.events('terminated')).toHaveLength(1);
  });
});

describe('attach', () => {
  it('breaks in and runs its commands when asked', async () => {
    const session = new FakeSession();
    session.history.push({ seq: 1, kind: 'normal', text: 'what was before\n' });
    const { client } = startAdapter(() => Promise.resolve(session.opened()));
    await client.request('attach', { remote: 'x', initialBreak: true, commands: ['lm', 'k'] });
    await client.waitForOutput('what was before');
    expect(session.params('breakIn')).toHaveLength(1);
    expect(session.params('execute')).toEqual([{ text: 'lm' }, { text: 'k' }]);
  });
});
