import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import type { SessionState } from '../../../src/engine/session/protocol';
import type { Session } from '../../../src/engine/session/session';
import { ann, bob, fakeSession, join, type Watcher } from './support/harness';

let open: Session | undefined;
afterEach(async () => {
  await open?.end('test over');
  open = undefined;
});

function start(options: Parameters<typeof fakeSession>[0] = {}) {
  const all = fakeSession(options);
  open = all.session;
  return all;
}

async function stoppedSession() {
  const all = start();
  all.target.go('running');
  all.target.halt();
  const host = await join(all.session);
  await host.sees('at 1000');
  return { ...all, host };
}

const until = (watcher: Watcher, accept: (state: SessionState) => boolean) =>
  accept(watcher.client.state)
    ? Promise.resolve()
    : nextEvent<SessionState>((listener) => watcher.client.on('state', listener), accept);

describe('Session', () => {
  it('shows connection lines, the stop, then the prompt', async () => {
    const { target, session } = start({ initialBreak: true });
    const host = await join(session);
    target.go('connecting', 'Waiting to reconnect...');
    target.go('connecting', 'Waiting to reconnect...');
    target.go('running');
    target.halt();
    await until(host, ({ prompt }) => prompt === '0: kd> ');
    expect(host.text).toBe(
      'Waiting to reconnect...\n' +
        'Kernel Debugger connection established.  (Initial Breakpoint requested)\n' +
        'Break instruction exception - code 80000003 (first chance)\nat 1000\n',
    );
    const { stop, busy, targetState } = host.client.state;
    expect(stop?.description).toBe('Break instruction exception - code 80000003 (first chance)');
    expect({ busy, targetState }).toEqual({ busy: false, targetState: 'stopped' });
    target.go('lost', 'Waiting to reconnect...');
    await until(host, ({ targetState: state }) => state === 'lost');
    expect(host.client.state.prompt).toBe('');
  });

  it('shows a command with its author to everybody, in one order', async () => {
    const { session, host } = await stoppedSession();
    const a = await join(session, ann);
    const b = await join(session, bob);
    expect(await a.run('r')).toBe(true);
    for (const each of [host, a, b]) {
      await each.sees('rax=0');
      const item = each.items.find(({ kind }) => kind === 'command');
      expect(item).toMatchObject({ text: '0: kd> r\n', author: { identity: ann.identity, remote: true } });
    }
  });

  it('runs twenty commands of two clients one after the other, outputs whole', async () => {
    const { session, host } = await stoppedSession();
    const a = await join(session, ann);
    const b = await join(session, bob);
    const runs = Array.from({ length: 10 }, (_, i) => [
      a.run(`lines ${i + 3}`),
      b.run(`lines ${i + 3}`),
    ]).flat();
    expect((await Promise.all(runs)).every((ok) => ok)).toBe(true);
    const after = host.text.slice(host.text.indexOf('0: kd> '));
    const blocks = after.split(/^0: kd> /m).slice(1);
    expect(blocks).toHaveLength(20);
    for (const block of blocks) {
      const [head, ...lines] = block.trimEnd().split('\n');
      const count = Number(/^lines (\d+)$/.exec(head ?? '')?.[1]);
      expect(lines).toEqual(Array.from({ length: count }, (_, i) => `line ${i}`));
    }
    expect(a.text.endsWith(after)).toBe(true);
    const seqs = b.items.map((item) => item.seq);
    expect(seqs).toEqual([...seqs].sort((x, y) => x - y));
  });

  it('lets others pass while a command waits for the stop, and continues it first', async () => {
    const { session, target, host } = await stoppedSession();
    const a = await join(session, ann);
    const line = host.run('g; r');
    await until(host, ({ targetState }) => targetState === 'running');
    const waiting = a.run('t');
    await a.sees('*BUSY*');
    expect(await a.run('.echo now')).toBe(true);
    expect(host.text).not.toContain('*BUSY*');
    target.halt('breakpoint', 0x5000n);
    expect(await line).toBe(true);
    expect(await waiting).toBe(true);
    await host.sees('step');
    expect(host.text).toMatch(/\.echo now\nnow\n.*\nat 5000\nrax=0\n0: kd> t\nstep/s);
  });

  it('does not tell a patient caller that its command waits', async () => {
    const { target, host } = await stoppedSession();
    await host.run('go');
    await until(host, ({ targetState }) => targetState === 'running');
    const line = host.client.request('execute', { text: 'r', patient: true });
    expect(await host.run('.echo between')).toBe(true);
    target.halt('breakpoint', 0x5000n);
    expect(await line).toEqual({ ok: true });
    expect(host.text).not.toContain('*BUSY*');
  });

  it('keeps the rest of a line that set the target running for the stop', async () => {
    const { target, host } = await stoppedSession();
    const line = host.run('go; .echo after; .echo more');
    await until(host, ({ targetState }) => targetState === 'running');
    expect(await host.run('.echo between')).toBe(true);
    target.halt('breakpoint', 0x5000n);
    expect(await line).toBe(true);
    expect(host.text).toMatch(/between\nbetween\n[^]*at 5000\nafter\nmore\n$/);
  });

  it('says that a command waits for a target that is not reached yet', async () => {
    const { session, target } = start();
    const host = await join(session);
    const waiting = host.run('r');
    await host.sees('*BUSY* The target is not reached yet; the command waits until it stops.\n');
    target.go('running');
    target.halt();
    expect(await waiting).toBe(true);
  });

  it('hides comments from the others', async () => {
    const { session, host } = await stoppedSession();
    const a = await join(session, ann);
    for (const text of ['* hello', '$$ hello', '.echo one; $$ hello']) expect(await a.run(text)).toBe(true);
    await host.sees('one');
    expect(host.text).not.toContain('hello');
    expect(host.text).toContain('0: kd> .echo one\none\n');
  });

  it('repeats what may be repeated on bare Enter', async () => {
    const { host } = await stoppedSession();
    await host.run('t 5');
    await host.run('');
    await host.run('r');
    await host.run('');
    expect(host.text.split('0: kd> ').slice(1)).toEqual(['t 5\nstep 5\n', 't\nstep \n', 'r\nrax=0\n']);
  });

  it('cancels the running command of anybody and the waiting ones of the caller', async () => {
    const { session, gates, host } = await stoppedSession();
    const a = await join(session, ann);
    const held = a.run('hold x');
    const mine = host.run('.echo mine');
    const other = a.run('.echo other');
    await host.sees('holding x');
    expect(gates.names).toEqual(['x']);
    expect(await host.client.request('cancel', {})).toEqual({ cancelled: true });
    expect(await Promise.all([held, mine, other])).toEqual([false, false, true]);
    expect(host.text).toMatch(/holding x\nCommand cancelled\.\n/);
    expect(host.text).not.toContain('mine\nmine');
  });

  it('cancels by the signal of the request', async () => {
    const { host } = await stoppedSession();
    const controller = new AbortController();
    const held = host.client.request('execute', { text: 'hold x' }, controller.signal);
    await host.sees('holding x');
    controller.abort();
    expect(await held).toEqual({ ok: false });
  });

  it('refuses long and unknown commands, and those that touch the host, in one line', async () => {
    const { session, host } = await stoppedSession();
    const a = await join(session, ann);
    expect(await a.run('.shell dir')).toBe(false);
    expect(await host.run('.shell dir')).toBe(true);
    expect(await host.run('nonsense')).toBe(false);
    expect(await host.run('bug')).toBe(false);
    expect(await host.run('x'.repeat(4097))).toBe(false);
    expect(host.text).toContain('.shell acts on the machine of the debugging server and is refused');
    expect(host.text).toContain("Syntax error: there is no command 'nonsense'.\n");
    expect(host.text).toContain('Internal error: oops\n');
    expect(host.text).toContain('Command refused: it has 4097 characters, at most 4096 are allowed.\n');
    await a.run('.echo done');
    expect(a.text).not.toContain('4097');
  });

  it('refuses commands beyond a full queue', async () => {
    const { session, gates, host } = await stoppedSession();
    const held = host.run('hold x');
    await host.sees('holding x');
    const a = await join(session, ann);
    const results = Promise.all(Array.from({ length: 1005 }, () => a.run('.echo y')));
    await a.sees(/(Command refused: 1000 commands are waiting already\.\n){6}/);
    gates.release('x');
    expect((await results).filter((ok) => !ok)).toHaveLength(6);
    expect(await held).toBe(true);
  });

  it('gives the late joiner the banner, its own announcement, the output and the state', async () => {
    const { session, host } = await stoppedSession();
    await host.run('.echo before');
    const a = await join(session, ann, { historyItems: 3 });
    expect(a.client.history.map(({ text }) => text)).toEqual([
      '0: kd> .echo before\n',
      'before\n',
      expect.stringMatching(
        /^DEV\\ann \(tcp 10\.0\.0\.5:1\) connected at \w{3} \w{3} [\d ]\d \d\d:\d\d:\d\d \d{4}\n$/,
      ),
    ]);
    await host.sees('DEV\\ann');
    expect(a.client.state.clients.map(({ identity }) => identity)).toEqual(['LAB\\host', ann.identity]);
    await a.run('.clients');
    expect(a.text).toMatch(
      /LAB\\host, last active \w{3} .*\nDEV\\ann \(tcp 10\.0\.0\.5:1\), last active .*\n$/,
    );
  });

  it('tells the others who left, and drops what they had waiting', async () => {
    const { session, gates, host } = await stoppedSession();
    const a = await join(session, ann);
    const held = host.run('hold x');
    await a.sees('holding x');
    a.run('.echo never').catch(() => {});
    const left = nextEvent<unknown>((listener) => host.client.on('clientLeft', listener));
    a.client.close();
    await left;
    gates.release('x');
    await held;
    await host.run('.clients');
    expect(host.text).not.toContain('never');
    expect(host.client.state.clients).toHaveLength(1);
  });

  it('answers the typed requests, and refuses them while the target runs', async () => {
    const { target, host } = await stoppedSession();
    const { client } = host;
    const resumed = nextEvent<{ kind: string }>((listener) => client.on('resumed', listener));
    expect(await client.request('evaluate', { expression: 'ff' })).toEqual({ value: '0xff' });
    expect(await client.request('readMemory', { address: '0x10', count: 2 })).toEqual({ data: 'EBE=' });
    const { frames, more } = await client.request('stack', { processor: 0, start: 1, count: 2 });
    expect({ names: frames.map(({ name }) => name), more }).toEqual({
      names: ['nt!f1', 'nt!f2'],
      more: true,
    });
    expect((await client.request('modules', {})).modules[0]).toMatchObject({ name: 'nt', base: '0x1000' });
    const { results } = await client.request('setBreakpoints', { owner: 'dap', expressions: ['10', 'zz'] });
    expect(results).toEqual([
      { breakpoint: expect.objectContaining({ address: '0x10', owner: 'dap' }) },
      { error: "Couldn't resolve error at 'zz'" },
    ]);
    await client.request('setBreakpoints', { owner: 'dap', expressions: [] });
    expect((await client.request('breakpoints', {})).breakpoints).toEqual([]);
    await client.request('resume', { kind: 'stepOver' });
    expect(await resumed).toEqual({ kind: 'stepOver' });
    expect(host.items.at(-1)).toMatchObject({ kind: 'command', text: '0: kd> p\n' });
    await expect(client.request('readMemory', { address: '0x10', count: 2 })).rejects.toThrow(
      'needs the target stopped',
    );
    await expect(client.request('resume', { kind: 'go' })).rejects.toThrow('needs the target stopped');
    expect((await client.request('modules', {})).modules).toHaveLength(1);
    await client.request('breakIn', {});
    await until(host, ({ prompt }) => prompt !== '');
    expect(target.breakIns).toBe(1);
  });

  it('checks parameters', async () => {
    const { host } = await stoppedSession();
    const ask = (method: string, params: object) =>
      host.client.request(method as 'readMemory', params as never);
    await expect(ask('readMemory', { address: 'here', count: 1 })).rejects.toThrow(
      "Bad parameter 'address' of request 'readMemory'; expected an address like 0xfffff80000001000.",
    );
    await expect(ask('readMemory', { address: '0x1', count: 2 ** 30 })).rejects.toThrow(
      'At most 1048576 bytes',
    );
    await expect(ask('stack', { processor: 9, start: 0, count: 1 })).rejects.toThrow(
      'There is no processor 9',
    );
    await expect(ask('toString', {})).rejects.toThrow("Unknown request 'toString'.");
    await expect(ask('execute', {})).rejects.toThrow("Bad parameter 'text'");
  });

  it('makes text of target and clients harmless to terminals', async () => {
    const { session, target, host } = await stoppedSession();
    const a = await join(session, ann);
    target.outputEmitter.fire('\x1b[2Jhi\x07\r\npart');
    await a.run('.echo \x1b]0,x\x07');
    await host.sees(']0,x');
    expect(host.text).toContain('.[2Jhi.\npart\n0: kd> .echo .]0,x.\n.]0,x.\n');
  });

  it('ends for everybody, after the one who ended it has its answer', async () => {
    const { session, engine, host } = await stoppedSession();
    const a = await join(session, ann);
    const ends = [host, a].map((each) => nextEvent<Error | undefined>(each.client.closed));
    const reasons = [host, a].map((each) =>
      nextEvent<{ reason: string }>((listener) => each.client.on('ended', listener)),
    );
    expect(await a.run('qq')).toBe(true);
    expect(await Promise.all(reasons)).toEqual(
      [1, 2].map(() => ({ reason: 'The session has ended (quit).' })),
    );
    expect(await Promise.all(ends)).toEqual([undefined, undefined]);
    await session.end('again');
    expect(engine.disposed).toBe(true);
  });

  it('ends when the target is closed', async () => {
    const { session, target } = await stoppedSession();
    const ended = nextEvent(session.ended);
    target.go('closed', 'The pipe is gone.');
    expect(await ended).toBe('The pipe is gone.');
  });
});
