import { describe, expect, it } from 'vitest';
import { launchFake } from '../support/dapClient';
import { FakeSession, self, stopAt } from '../support/fakeSession';

const bp = (id: number, changes: object = {}) => ({
  id,
  address: '0xfffff80000055550',
  expression: 'demo!Dispatch',
  enabled: true,
  hits: 0,
  owner: 'user',
  ...changes,
});

describe('breakpoints', () => {
  it('sets and replaces instruction breakpoints', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    const first = await client.request('setInstructionBreakpoints', {
      breakpoints: [
        { instructionReference: '0xfffff80000001000', offset: 16 },
        { instructionReference: '0x2000' },
      ],
    });
    expect(first.breakpoints).toEqual([
      { id: 1, verified: true, instructionReference: '0xfffff80000001010' },
      { id: 2, verified: true, instructionReference: '0x2000' },
    ]);
    const second = await client.request('setInstructionBreakpoints', {
      breakpoints: [{ instructionReference: '0x2000' }],
    });
    expect(second.breakpoints).toEqual([{ id: 2, verified: true, instructionReference: '0x2000' }]);
    expect(session.params('setBreakpoints').at(-1)).toEqual({
      owner: `dap${self.id}:instruction`,
      expressions: ['0x2000'],
    });
    expect(client.events('breakpoint')).toEqual([]);
  });

  it('tries a function again at the next stop', async () => {
    const session = new FakeSession();
    session.unresolved.add('demo!Dispatch');
    const client = await launchFake(session);
    const { breakpoints } = await client.request('setFunctionBreakpoints', {
      breakpoints: [{ name: 'demo!Dispatch' }],
    });
    expect(breakpoints).toEqual([
      { id: 1, verified: false, reason: 'pending', message: "Couldn't resolve error at 'demo!Dispatch'" },
    ]);
    session.unresolved.clear();
    session.stop(stopAt('0x1000'));
    expect(await client.waitFor('breakpoint')).toEqual({
      reason: 'changed',
      breakpoint: { id: 1, verified: true, instructionReference: '0xfffff80000012340' },
    });
  });

  it('says which breakpoints were hit', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    await client.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: '0x2000' }] });
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'nt!Foo' }] });
    session.stop(stopAt('0x2000', { reason: 'breakpoint', breakpointIds: [0] }));
    expect(await client.waitFor('stopped')).toMatchObject({
      reason: 'instruction breakpoint',
      hitBreakpointIds: [1],
    });
    session.run();
    session.stop(stopAt('0xfffff80000012340', { reason: 'breakpoint', breakpointIds: [1] }));
    expect(await client.waitFor('stopped')).toMatchObject({
      reason: 'function breakpoint',
      hitBreakpointIds: [2],
    });
    session.run();
    session.fire('breakpoint', { kind: 'new', breakpoint: bp(9) });
    session.stop(stopAt('0xfffff80000055550', { reason: 'breakpoint', breakpointIds: [9] }));
    expect(await client.waitFor('stopped')).toMatchObject({ reason: 'breakpoint', hitBreakpointIds: [3] });
  });

  it('tells of the breakpoints of others, those that were there before too', async () => {
    const session = new FakeSession();
    session.breakpoints.push(bp(4));
    const client = await launchFake(session);
    expect(await client.waitFor('breakpoint')).toEqual({
      reason: 'new',
      breakpoint: { id: 1, verified: true, instructionReference: '0xfffff80000055550' },
    });
    session.fire('breakpoint', { kind: 'changed', breakpoint: bp(4, { enabled: false }) });
    expect(await client.waitFor('breakpoint')).toMatchObject({
      reason: 'changed',
      breakpoint: { id: 1, verified: false },
    });
    session.fire('breakpoint', { kind: 'removed', breakpoint: bp(4) });
    expect(await client.waitFor('breakpoint')).toMatchObject({ reason: 'removed', breakpoint: { id: 1 } });
  });

  it('tells when somebody clears one of ours, and does not set it again', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'nt!Foo' }] });
    const [row] = session.breakpoints;
    if (!row) throw new Error('not set');
    session.fire('breakpoint', { kind: 'removed', breakpoint: row });
    expect(await client.waitFor('breakpoint')).toMatchObject({ reason: 'removed', breakpoint: { id: 1 } });
    const before = session.params('setBreakpoints').length;
    session.stop(stopAt('0x1000'));
    await client.waitFor('stopped');
    expect(session.params('setBreakpoints')).toHaveLength(before);
  });

  it('answers source breakpoints as not verified', async () => {
    const client = await launchFake(new FakeSession());
    const { breakpoints } = await client.request('setBreakpoints', {
      source: { path: '/x.c' },
      breakpoints: [{ line: 1 }, { line: 2 }],
    });
    expect(breakpoints).toHaveLength(2);
    expect(breakpoints[0]).toMatchObject({ verified: false, reason: 'failed' });
  });

  it('refuses a condition instead of stopping at every hit', async () => {
    const client = await launchFake(new FakeSession());
    const breakpoints = [{ instructionReference: '0x1000', condition: '@rax==1' }];
    expect(await client.failure('setInstructionBreakpoints', { breakpoints })).toBe(
      "setInstructionBreakpoints: 'breakpoints[0].condition' is not supported.",
    );
  });
});
