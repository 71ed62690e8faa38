import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/engine/base/errors';
import { launchFake } from '../../support/dapClient';
import { FakeSession } from '../../support/fakeSession';
import { stopped } from './support';

describe('cancel', () => {
  it('ends a request under way', async () => {
    const { session, client } = await stopped();
    session.answers.execute = (_params, signal) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new CancelledError())),
      );
    const search = client.send('evaluate', { expression: 's 0 L?1000 1', context: 'repl' });
    await client.request('cancel', { requestId: search });
    expect(await client.response(search)).toMatchObject({ success: false, message: 'cancelled' });
  });

  it('takes a request that was answered already', async () => {
    const { client } = await stopped();
    await client.request('cancel', { requestId: 99_999 });
  });

  it('ends the wait for the target, and with it the session', async () => {
    const session = new FakeSession();
    const client = await launchFake(session, {}, { supportsProgressReporting: true });
    const { progressId, cancellable, message } = await client.waitFor('progressStart');
    expect({ cancellable, message }).toEqual({ cancellable: true, message: 'Waiting to reconnect...' });
    session.changeState({ detail: 'Bytes seen, but no KD packet.' });
    expect(await client.waitFor('progressUpdate')).toEqual({
      progressId,
      message: 'Bytes seen, but no KD packet.',
    });
    await client.request('cancel', { progressId });
    await client.waitFor('progressEnd');
    await client.waitFor('terminated');
    expect(session.disposed).toBe(1);
  });
});
