/** The whole way: the bundled adapters as processes, the demo machine, a debugging server between them. */
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundleAdapter, type AdapterBundle } from '../support/adapterBundle';
import { spawnAdapter, type DapClient } from '../support/dapClient';

let bundle: AdapterBundle;
const started: ChildProcess[] = [];

beforeAll(async () => {
  bundle = await bundleAdapter();
});
afterAll(() => bundle.remove());
afterEach(() => {
  for (const process of started.splice(0)) process.kill('SIGKILL');
});

interface Adapter {
  readonly client: DapClient;
  readonly process: ChildProcess;
}

async function begin(request: 'launch' | 'attach', configuration: object): Promise<Adapter> {
  const { client, process } = spawnAdapter(bundle.program);
  started.push(process);
  await client.request('initialize', { supportsInvalidatedEvent: true, supportsMemoryEvent: true });
  await client.request(request, configuration);
  await client.waitFor('initialized');
  return { client, process };
}

/** The demo machine, stopped for the first time. */
async function demo(configuration: object = {}): Promise<Adapter> {
  const adapter = await begin('launch', { target: 'demo:', ...configuration });
  await adapter.client.request('configurationDone');
  expect(await adapter.client.waitFor('stopped')).toMatchObject({ reason: 'entry', threadId: 1 });
  return adapter;
}

async function pcOf(client: DapClient): Promise<string> {
  const { stackFrames } = await client.request('stackTrace', { threadId: 1, startFrame: 0, levels: 1 });
  return stackFrames[0].instructionPointerReference;
}

describe('the demo machine over DAP', () => {
  it('shows stack, registers, code and memory at the first stop', async () => {
    const { client } = await demo();
    const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
    expect(stackFrames[0].name).toMatch(/^nt!/);
    const pc = stackFrames[0].instructionPointerReference;
    const { scopes } = await client.request('scopes', { frameId: stackFrames[0].id });
    const groups = (await client.request('variables', { variablesReference: scopes[0].variablesReference }))
      .variables;
    const control = groups.find((each: { name: string }) => each.name === 'Control');
    const { variables } = await client.request('variables', {
      variablesReference: control.variablesReference,
    });
    expect(variables[0]).toMatchObject({ name: 'rip', value: pc });
    const code = { memoryReference: pc, instructionOffset: -20, instructionCount: 60 };
    const { instructions } = await client.request('disassemble', code);
    expect(instructions).toHaveLength(60);
    expect(instructions[20]).toMatchObject({ address: pc });
    const { data } = await client.request('readMemory', { memoryReference: pc, count: 16 });
    const first = instructions[20].instructionBytes.replaceAll(' ', '');
    expect(Buffer.from(data, 'base64').toString('hex').startsWith(first)).toBe(true);
    const { modules } = await client.request('modules');
    expect(modules[0]).toMatchObject({ name: 'demont.exe' });
    expect(stackFrames[0].moduleId).toBe(modules[0].id);
    expect(await client.request('evaluate', { expression: '@rip', context: 'hover' })).toMatchObject({
      result: pc,
    });
    await client.request('disconnect');
  });

  it('steps, sets a register, and says what changed', async () => {
    const { client } = await demo();
    const pc = await pcOf(client);
    await client.request('stepIn', { threadId: 1, granularity: 'instruction' });
    expect(await client.waitFor('stopped')).toMatchObject({ reason: 'step' });
    expect(await pcOf(client)).not.toBe(pc);
    const value = await client.request('setVariable', { variablesReference: 2, name: 'rbx', value: '1234' });
    expect(value).toEqual({ value: '0x0000000000001234' });
    await client.waitFor('invalidated');
    expect(await client.request('evaluate', { expression: 'rbx+1', context: 'watch' })).toMatchObject({
      result: '0x1235',
    });
    await client.request('disconnect', { suspendDebuggee: true });
  });

  it('stops at a function and at an instruction, goes on and pauses', async () => {
    const { client } = await begin('launch', { target: 'demo:' });
    const wanted = { breakpoints: [{ name: 'demo!DemoDispatch' }] };
    const { breakpoints } = await client.request('setFunctionBreakpoints', wanted);
    await client.request('configurationDone');
    await client.waitFor('stopped');
    // It depends on how fast the machine boots whether the function was known already when it was asked for.
    if (!breakpoints[0].verified) await client.waitFor('breakpoint', ({ breakpoint }) => breakpoint.verified);
    await client.request('continue', { threadId: 1 });
    const stop = await client.waitFor('stopped');
    expect(stop).toMatchObject({ reason: 'function breakpoint', hitBreakpointIds: [breakpoints[0].id] });
    const here = await pcOf(client);
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    await client.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: here }] });
    await client.request('continue', { threadId: 1 });
    expect(await client.waitFor('stopped')).toMatchObject({ reason: 'instruction breakpoint' });
    expect(await pcOf(client)).toBe(here);
    await client.request('setInstructionBreakpoints', { breakpoints: [] });
    await client.request('continue', { threadId: 1 });
    await client.request('pause', { threadId: 1 });
    expect(await client.waitFor('stopped')).toMatchObject({ reason: 'pause' });
    await client.request('disconnect');
  });

  it('serves a colleague: both see what either does', async () => {
    const owner = await demo();
    const { servers } = await owner.client.request('kd/startServer', { spec: 'tcp:port=0,bind=127.0.0.1' });
    const colleague = await begin('attach', { remote: servers[0].clientString });
    await colleague.client.request('configurationDone');
    expect(await colleague.client.waitFor('stopped')).toMatchObject({ threadId: 1 });
    await colleague.client.waitForOutput('Kernel Debugger connection established.');
    await colleague.client.request('evaluate', { expression: 'lm', context: 'repl' });
    await owner.client.waitForOutput(/\[[^\]]+\\[^\]]+\(tcp 127\.0\.0\.1:\d+\)\] (0: )?kd> lm\n/);
    await colleague.client.request('continue', { threadId: 1 });
    await owner.client.waitFor('continued');
    await owner.client.request('pause', { threadId: 1 });
    await colleague.client.waitFor('stopped');
    await owner.client.waitFor('stopped');
    const gone = once(colleague.process, 'exit');
    await colleague.client.request('disconnect');
    expect(await gone).toEqual([0, null]);
    await owner.client.waitFor('kd/state', (state) => state.clients.length === 1);
    await owner.client.request('terminate');
    await owner.client.waitFor('terminated');
  });

  it('runs the commands of the configuration at the first stop', async () => {
    const { client } = await demo({ commands: ['.echo first', 'lm'], server: 'tcp:port=0,bind=127.0.0.1' });
    await client.waitForOutput('first\n');
    await client.waitForOutput('start             end                 module name');
    expect(client.text('important')).toMatch(/-remote tcp:Port=\d+,Server=/);
    await client.request('disconnect');
  });

  it('lets a target run that is not to be broken into', async () => {
    const { client } = await begin('launch', { target: 'demo:', initialBreak: false });
    await client.request('configurationDone');
    await client.waitFor('kd/state', (state) => state.targetState === 'running');
    expect(client.events('stopped')).toEqual([]);
    const answer = await client.response(client.send('stackTrace', { threadId: 1 }));
    expect(answer).toMatchObject({ success: false, message: 'notStopped' });
    await client.request('pause', { threadId: 1 });
    expect(await client.waitFor('stopped')).toMatchObject({ reason: 'pause' });
    await client.request('disconnect');
  });
});
