import { describe, expect, it } from 'vitest';
import { launchFake } from '../../support/dapClient';
import { FakeSession, stopAt } from '../../support/fakeSession';

describe('threads', () => {
  it('has one before the first contact, so that clients can pause', async () => {
    const client = await launchFake(new FakeSession());
    expect(await client.request('threads')).toEqual({ threads: [{ id: 1, name: 'Processor 0' }] });
  });

  it('has one for each processor and tells when they come and go', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.changeState({ processorCount: 3 });
    session.stop(stopAt('0x1000'));
    const { threads } = await client.request('threads');
    expect(threads.map((each: { name: string }) => each.name)).toEqual([
      'Processor 0',
      'Processor 1',
      'Processor 2',
    ]);
    expect(client.events('thread')).toEqual([
      { reason: 'started', threadId: 2 },
      { reason: 'started', threadId: 3 },
    ]);
    session.changeState({ processorCount: 1 });
    await client.waitFor('thread', ({ reason, threadId }) => reason === 'exited' && threadId === 2);
    expect((await client.request('threads')).threads).toHaveLength(1);
  });
});
