import { describe, expect, it } from 'vitest';
import { launchFake, startAdapter } from '../support/dapClient';
import { FakeSession, stopAt } from '../support/fakeSession';

/** What happened to the thread, in order, of both kinds of message. */
function story(
  received: { event?: string; command?: string; type: string; body?: { reason?: string } }[],
): string[] {
  const names = ['stopped', 'continued', 'continue', 'next', 'stepIn'];
  return received.flatMap((each) => {
    const name = each.event ?? each.command ?? '';
    if (!names.includes(name)) return [];
    return [
      each.event === 'stopped'
        ? `stopped ${each.body?.reason}`
        : `${each.type} ${name}`.replace('event ', ''),
    ];
  });
}

describe('run control', () => {
  it('calls the first break-in entry and later ones pause', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.stop(stopAt('0x1000'));
    expect(await client.waitFor('stopped')).toEqual({
      reason: 'entry',
      description: 'Break instruction exception - code 80000003 (first chance)',
      text: 'Break instruction exception - code 80000003 (first chance)',
      threadId: 1,
      allThreadsStopped: true,
    });
    session.run();
    session.stop(stopAt('0x1000', { processor: 1 }));
    expect(await client.waitFor('stopped')).toMatchObject({ reason: 'pause', threadId: 2 });
  });

  it('tells VS Code of instruction breakpoints, so that it selects a frame that has no source', async () => {
    const session = new FakeSession();
    const { client } = startAdapter(() => Promise.resolve(session.opened()));
    await client.request('initialize', { adapterID: 'kd', clientID: 'vscode' });
    await client.request('launch', { target: 'demo:' });
    await client.request('configurationDone');
    session.stop(stopAt('0x1000', { reason: 'step', description: 'Single step' }));
    expect(await client.waitFor('stopped')).toMatchObject({
      reason: 'instruction breakpoint',
      description: 'Paused on step',
    });
  });

  it('is silent before the configuration is done and then tells the stop the target is in', async () => {
    const session = new FakeSession();
    const { client } = startAdapter(() => Promise.resolve(session.opened()));
    await client.request('launch', { target: 'demo:' });
    session.stop(stopAt('0x1000'));
    session.run();
    session.stop(stopAt('0x2000', { reason: 'exception' }));
    await client.request('threads');
    expect(story(client.received)).toEqual([]);
    await client.request('configurationDone');
    await client.waitFor('stopped');
    expect(story(client.received)).toEqual(['stopped entry']);
  });

  it('answers a step before the stop that ends it, without a continued event', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.stop(stopAt('0x1000'));
    session.answers.resume = () => {
      session.run();
      session.stop(stopAt('0x1001', { reason: 'step', description: 'Single step' }));
      return null;
    };
    await client.request('next', { threadId: 1 });
    expect(await client.waitFor('stopped', ({ reason }) => reason === 'step')).toEqual({
      reason: 'step',
      threadId: 1,
      allThreadsStopped: true,
    });
    expect(story(client.received)).toEqual(['stopped entry', 'response next', 'stopped step']);
    expect(session.params('resume')).toEqual([{ kind: 'stepOver', processor: 0 }]);
  });

  it('is right when the answer overtakes the event', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.stop(stopAt('0x1000'));
    expect(await client.request('continue', { threadId: 1 })).toEqual({ allThreadsContinued: true });
    session.run();
    session.stop(stopAt('0x3000', { reason: 'exception' }));
    await client.waitFor('stopped', ({ reason }) => reason === 'exception');
    expect(story(client.received)).toEqual(['stopped entry', 'response continue', 'stopped exception']);
  });

  it('tells what another client does', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.stop(stopAt('0x1000'));
    session.run();
    expect(await client.waitFor('continued')).toEqual({ threadId: 1, allThreadsContinued: true });
    session.stop(stopAt('0x2000', { reason: 'step' }));
    await client.waitFor('stopped', ({ reason }) => reason === 'step');
    expect(story(client.received)).toEqual(['stopped entry', 'continued', 'stopped step']);
  });

  it('tells of the other when its own resume came too late', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.stop(stopAt('0x1000'));
    session.answers.resume = () => {
      session.run();
      throw new Error('The target is running.');
    };
    await client.failure('continue', { threadId: 1 });
    await client.waitFor('continued');
  });

  it('says that the target runs when it is lost', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.stop(stopAt('0x1000'));
    session.changeState({ targetState: 'lost', stop: undefined, detail: 'Waiting to reconnect...' });
    await client.waitFor('continued');
  });

  it('follows a switch of the processor', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.changeState({ processorCount: 2 });
    session.stop(stopAt('0x1000'));
    session.changeState({ processor: 1 });
    const stopped = await client.waitFor('stopped', ({ threadId }) => threadId === 2);
    expect(stopped).toMatchObject({ reason: 'pause', description: 'Processor 1' });
    expect(await client.waitFor('thread')).toEqual({ reason: 'started', threadId: 2 });
  });
});
