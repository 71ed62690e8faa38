import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frame } from '../../src/adapter/framing';
import { capabilities, requestTable } from '../../src/adapter/requests/table';
import { UserError } from '../../src/engine/base/errors';
import { startAdapter, launchFake } from '../support/dapClient';
import { FakeSession, stopAt } from '../support/fakeSession';

const never = () => new Promise<never>(() => undefined);

describe('AdapterSession', () => {
  it('computes its capabilities from the handlers', async () => {
    const { client } = startAdapter(never);
    expect(await client.request('initialize', {})).toEqual(capabilities);
    expect(capabilities).toMatchObject({
      supportsConfigurationDoneRequest: true,
      supportsReadMemoryRequest: true,
      supportsDisassembleRequest: true,
      supportsInstructionBreakpoints: true,
      supportsFunctionBreakpoints: true,
      supportsSetVariable: true,
      supportsTerminateRequest: true,
      supportTerminateDebuggee: true,
      supportsSteppingGranularity: true,
      exceptionBreakpointFilters: [],
    });
  });

  it('answers an unknown request, and goes on', async () => {
    const { client } = startAdapter(never);
    const answer = await client.response(client.send('stepBack', { threadId: 1 }));
    expect(answer).toMatchObject({
      success: false,
      command: 'stepBack',
      message: "Unknown request 'stepBack'.",
    });
    expect(await client.failure('constructor')).toBe("Unknown request 'constructor'.");
    await client.request('initialize', {});
  });

  it('needs a session for what acts on one', async () => {
    const { client } = startAdapter(never);
    await client.request('initialize', {});
    expect(await client.failure('threads')).toBe('There is no session yet: send launch or attach first.');
  });

  it('answers malformed messages with the number they have', async () => {
    const { client } = startAdapter(never);
    client.sendRaw('Content-Length: 31\r\n\r\n{"seq":41,"command":"threads",}}');
    const answer = await client.response(41);
    expect(answer).toMatchObject({
      success: false,
      command: 'threads',
      message: 'The client sent a message that is not JSON.',
    });
    client.sendRaw(frame({ type: 'request', seq: '7', command: 'threads' }));
    client.sendRaw(frame([1, 2, 3]));
    client.sendRaw(frame(null));
    client.sendRaw(frame({ type: 'event', event: 'x' }));
    await client.request('initialize', {});
    expect(client.received.filter((each) => each.success === false)).toHaveLength(4);
  });

  it('tells a launch that fails in one line, and can be asked again', async () => {
    const session = new FakeSession();
    let attempts = 0;
    const { client } = startAdapter(() => {
      if (++attempts === 1) throw new UserError("Unknown transport 'con' (column 1); expected com:, demo:.");
      return Promise.resolve(session.opened());
    });
    await client.request('initialize', {});
    const answer = await client.response(client.send('launch', { target: 'con:1' }));
    expect(answer.body.error).toMatchObject({
      format: "Unknown transport 'con' (column 1); expected com:, demo:.",
      showUser: true,
    });
    await client.request('launch', { target: 'demo:' });
    expect(await client.failure('launch', { target: 'demo:' })).toContain('has its session already');
  });

  it('gives up opening when the client leaves', async () => {
    const { client, served } = startAdapter(
      (_configuration, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await client.request('initialize', {});
    const launch = client.send('launch', { target: 'demo:' });
    await client.request('disconnect');
    expect(await client.response(launch)).toMatchObject({ success: false, message: 'cancelled' });
    await served;
  });

  it('closes a session that comes after the client has left', async () => {
    const session = new FakeSession();
    let come: () => void = () => undefined;
    const { client, served } = startAdapter(
      () => new Promise((resolve) => (come = () => resolve(session.opened()))),
    );
    await client.request('initialize', {});
    client.send('launch', { target: 'demo:' });
    const disconnect = client.send('disconnect');
    await new Promise((resolve) => setImmediate(resolve));
    come();
    expect(await client.response(disconnect)).toMatchObject({ success: true });
    await served;
    expect(session.disposed).toBe(1);
  });

  it('leaves when the client vanishes', async () => {
    const session = new FakeSession();
    const { client, served, hangUp } = startAdapter(() => Promise.resolve(session.opened()));
    await client.request('launch', { target: 'demo:' });
    session.stop(stopAt('0x1000'));
    hangUp();
    await served;
    expect(session.params('execute')).toEqual([{ text: 'bc *' }]);
    expect(session.params('resume')).toEqual([{ kind: 'go' }]);
    expect(session.disposed).toBe(1);
  });

  it('tells a mistake of its own without the user being asked to fix it', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.stop(stopAt('0x1000'));
    session.answers.evaluate = () => {
      throw new TypeError('x is not a function');
    };
    expect(await client.failure('evaluate', { expression: '1' })).toBe(
      "Internal error in 'evaluate': x is not a function",
    );
    await client.waitForOutput('TypeError: x is not a function');
  });

  it('answers every request whatever its arguments are', async () => {
    const session = new FakeSession();
    const client = await launchFake(session);
    session.stop(stopAt('0x1000'));
    const asked: number[] = [];
    const skipped = new Set(['disconnect', 'terminate', 'launch', 'attach', 'initialize']);
    const names = [...requestTable.keys()].filter((name) => !skipped.has(name));
    const keys = [
      'threadId',
      'frameId',
      'variablesReference',
      'memoryReference',
      'count',
      'data',
      'breakpoints',
    ];
    const values = fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom('0x1000', 1, -1, 1e300, [], {}));
    const args = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...keys), values));
    fc.assert(
      fc.property(fc.constantFrom(...names), args, (name, value) => {
        asked.push(client.send(name, value));
      }),
      { numRuns: 1000 },
    );
    for (const seq of asked) {
      const answer = await client.response(seq);
      if (answer.success === false) expect(answer.body.error.format).not.toContain('Internal error');
    }
    expect(client.text('stderr')).toBe('');
  });
});
