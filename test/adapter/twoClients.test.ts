/** The owner's adapter and a colleague's adapter in one real session over TCP, with an engine that has no machine. */
import { afterEach, describe, expect, it } from 'vitest';
import { joinSession } from '../../src/engine/remote/client';
import { hostEngine, type HostedSession } from '../../src/engine/remote/hostEngine';
import { FakeEngine, fakeLanguage } from '../engine/session/support/fakeEngine';
import { startAdapter, type DapClient } from '../support/dapClient';

const opened: { dispose(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.dispose();
});

async function twoClients() {
  const engine = new FakeEngine();
  let hosted: HostedSession | undefined;
  const owner = startAdapter(async () => {
    hosted = await hostEngine(engine, fakeLanguage(), 'fake:', {
      identity: { machine: 'LAB', user: 'host' },
      servers: ['tcp:port=0,bind=127.0.0.1'],
    });
    opened.push(hosted);
    return hosted;
  });
  await begin(owner.client, 'launch', { target: 'demo:' });
  const port = Number(/Port=(\d+)/.exec(hosted?.servers.infos()[0]?.spec ?? '')?.[1]);
  const colleague = startAdapter(async () => {
    const joined = await joinSession(`tcp:Port=${port},Server=127.0.0.1`, {
      clientIdentity: { machine: 'DEV', user: 'ann' },
    });
    opened.push(joined);
    return joined;
  });
  await begin(colleague.client, 'attach', { remote: `tcp:Port=${port},Server=127.0.0.1` });
  return { engine, owner, colleague };
}

async function begin(client: DapClient, request: string, configuration: object): Promise<void> {
  await client.request('initialize', {});
  await client.request(request, configuration);
  await client.waitFor('initialized');
  await client.request('configurationDone');
}

async function bothStopped() {
  const both = await twoClients();
  both.engine.target.go('running');
  both.engine.target.halt();
  await both.owner.client.waitFor('stopped');
  await both.colleague.client.waitFor('stopped');
  return both;
}

describe('two DAP clients in one session', () => {
  it('tells the owner what to give to the colleague', async () => {
    const { owner } = await twoClients();
    await owner.client.waitForOutput(/0: <debugger> -remote tcp:Port=\d+,Server=127\.0\.0\.1/);
    expect(owner.client.text('important')).toContain('Server started.');
  });

  it('shows both the resume and the stop by one of them, each once', async () => {
    const { engine, owner, colleague } = await bothStopped();
    await colleague.client.request('continue', { threadId: 1 });
    await owner.client.waitFor('continued');
    await owner.client.request('pause', { threadId: 1 });
    await owner.client.waitFor('stopped');
    await colleague.client.waitFor('stopped');
    expect(engine.target.breakIns).toBe(1);
    expect(colleague.client.events('continued')).toEqual([]);
    expect(owner.client.events('continued')).toHaveLength(1);
    for (const { client } of [owner, colleague]) expect(client.events('stopped')).toHaveLength(2);
  });

  it('shows the commands of the colleague with their author, and each the own ones once', async () => {
    const { owner, colleague } = await bothStopped();
    const answer = await colleague.client.request('evaluate', { expression: 'r', context: 'repl' });
    expect(answer).toMatchObject({ result: 'rax=0' });
    await owner.client.waitForOutput(/\[DEV\\ann \(tcp [\d.:]+\)\] 0: kd> r\nrax=0\n/);
    expect(colleague.client.text()).not.toContain('0: kd> r\n');
    await owner.client.request('evaluate', { expression: '.echo hello', context: 'repl' });
    await colleague.client.waitForOutput('0: kd> .echo hello\nhello\n');
    expect(owner.client.text()).not.toContain('.echo');
  });

  it('shows a breakpoint of one to the other, and takes it away when its owner leaves', async () => {
    const { engine, owner, colleague } = await bothStopped();
    const { breakpoints } = await colleague.client.request('setFunctionBreakpoints', {
      breakpoints: [{ name: '2000' }],
    });
    expect(breakpoints).toMatchObject([{ verified: true, instructionReference: '0x2000' }]);
    expect(await owner.client.waitFor('breakpoint')).toMatchObject({
      reason: 'new',
      breakpoint: { verified: true, instructionReference: '0x2000' },
    });
    expect(colleague.client.events('breakpoint')).toEqual([]);
    await colleague.client.request('disconnect', {});
    await colleague.served;
    expect(await owner.client.waitFor('breakpoint')).toMatchObject({ reason: 'removed' });
    expect(engine.breakpoints.list()).toEqual([]);
  });

  it('waits with g at the console until the stop, and lets the other break in', async () => {
    const { owner, colleague } = await bothStopped();
    const going = owner.client.send('evaluate', { expression: 'g', context: 'repl' });
    await owner.client.waitFor('continued');
    await colleague.client.waitFor('continued');
    await colleague.client.request('pause', { threadId: 1 });
    expect(await owner.client.response(going)).toMatchObject({ success: true });
    await owner.client.waitFor('stopped');
  });

  it('goes on for the owner when the colleague leaves, and ends for both when the owner ends it', async () => {
    const { owner, colleague } = await bothStopped();
    const state = await owner.client.request('kd/state');
    expect(state.clients).toHaveLength(2);
    await owner.client.request('terminate');
    await owner.client.waitFor('terminated');
    await colleague.client.waitFor('terminated');
  });

  it('sets the target running when the owner leaves', async () => {
    const { engine, owner, colleague } = await bothStopped();
    await owner.client.request('disconnect', {});
    await owner.served;
    expect(engine.target.state).toBe('running');
    expect(engine.disposed).toBe(true);
    await colleague.client.waitFor('terminated');
  });
});
