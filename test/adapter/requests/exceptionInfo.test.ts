import { describe, expect, it } from 'vitest';
import { stopAt } from '../../support/fakeSession';
import { stopped } from './support';

describe('exceptionInfo', () => {
  it('describes the exception of the stop', async () => {
    const { session, client } = await stopped();
    session.run();
    session.stop(
      stopAt('0x1000', {
        reason: 'exception',
        description: 'Access violation - code c0000005 (!!! second chance !!!)',
        exceptionCode: 0xc0000005,
        firstChance: false,
      }),
    );
    expect(await client.request('exceptionInfo', { threadId: 1 })).toEqual({
      exceptionId: '0xc0000005',
      description: 'Access violation - code c0000005 (!!! second chance !!!)',
      breakMode: 'unhandled',
      details: {
        message: 'Access violation - code c0000005 (!!! second chance !!!)',
        typeName: 'STATUS_ACCESS_VIOLATION',
      },
    });
  });

  it('has nothing to say of another stop', async () => {
    const { client } = await stopped();
    expect(await client.failure('exceptionInfo', { threadId: 1 })).toBe(
      'Processor 0 did not stop for an exception.',
    );
  });
});
