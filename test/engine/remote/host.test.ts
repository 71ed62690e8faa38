/** The whole way with the real engine and commands: a KD target behind TCP, its session, a server, two clients. */
import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import { UserError } from '../../../src/engine/base/errors';
import { systemClock } from '../../../src/engine/base/clock';
import { hostSession, withoutSecrets, type HostOptions } from '../../../src/engine/remote/host';
import type { SessionState } from '../../../src/engine/session/protocol';
import { listenTcp } from '../../../src/engine/wire/tcp';
import type { Wire } from '../../../src/engine/wire/wire';
import { Watcher } from '../session/support/harness';
import { FakeKdTarget } from '../../targets/fakeKdTarget';
import { anyPort, at, closeAll, joinAs, later, portOf } from './support/hosted';

afterEach(closeAll);

/** A target that is on, behind a port of its own. */
async function target() {
  const wires: Wire[] = [];
  const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (wire) => {
    wires.push(wire);
    new FakeKdTarget(wire, { clock: systemClock, processors: 2 });
  });
  later(() => listener.close());
  return { kernel: `com:ipport=${listener.address.port},port=127.0.0.1`, wires };
}

async function start(options: HostOptions) {
  const hosted = await hostSession({ identity: { machine: 'LAB', user: 'host' }, ...options });
  later(() => hosted.dispose());
  return { hosted, host: new Watcher(hosted.client) };
}

const until = (watcher: Watcher, accept: (state: SessionState) => boolean) =>
  accept(watcher.client.state)
    ? Promise.resolve()
    : nextEvent<SessionState>(
        (listener) => watcher.client.on('state', listener),
        accept,
        AbortSignal.timeout(10_000),
      );

describe('hostSession', () => {
  it('does the procedure: connect, break in, .server, join, share commands', async () => {
    const { kernel } = await target();
    const { hosted, host } = await start({ kernel, initialBreak: true });
    await until(host, ({ prompt }) => prompt === '0: kd> ');
    expect(host.text).toMatch(
      /Connected to Windows .* x64 target at \(\w{3} .*\), ptr64 TRUE\nKernel Debugger connection established\. {2}\(Initial Breakpoint requested\)\n/,
    );
    expect(await host.run(`.server ${anyPort}`)).toBe(true);
    const port = portOf(hosted);
    await host.sees(`0: <debugger> -remote tcp:Port=${port},Server=127.0.0.1\n`);

    const a = await joinAs('ann', at(port));
    const b = await joinAs('bob', at(port));
    expect(a.text).toContain('Kernel Debugger connection established.');
    expect(await a.run('r')).toBe(true);
    await b.sees(/0: kd> r\nrax=/);
    await host.sees(/0: kd> r\nrax=/);
    expect(await b.run('.echo hello; * not shown')).toBe(true);
    await a.sees('0: kd> .echo hello\nhello\n');
    expect(a.text).not.toContain('not shown');

    const going = a.run('g');
    await until(b, ({ targetState }) => targetState === 'running');
    const waiting = b.run('r');
    await b.sees('*BUSY*');
    expect(await b.run('.clients')).toBe(true);
    await b.client.request('breakIn', {});
    expect(await going).toBe(true);
    expect(await waiting).toBe(true);
    await until(host, ({ prompt, busy }) => prompt !== '' && !busy);
    expect(await a.run('q')).toBe(false);
    await a.sees('qq');
    expect(await a.run('qq')).toBe(true);
    expect(host.text).toContain('0: kd> qq\n');
  });

  it('starts servers of the command line before the target is reached, and shows no secret', async () => {
    const { kernel } = await target();
    const { hosted, host } = await start({ kernel, servers: [`${anyPort},password=Secret12`] });
    await host.sees(
      'Server started.  Client can connect with any of these command lines\n0: <debugger> -remote tcp:',
    );
    const a = await joinAs('ann', `${at(portOf(hosted))},Password=Secret12`);
    expect(a.client.state.connection).toBe(kernel);
    await a.client.request('breakIn', {});
    await until(a, ({ prompt }) => prompt !== '');
    expect(JSON.stringify([a.items, a.client.state])).not.toContain('Secret12');
    expect(withoutSecrets('net:port=50000,key=1.2.3.4,target=x')).toBe('net:port=50000,key=*,target=x');
  });

  it('reconnects by itself and says so', async () => {
    const { kernel, wires } = await target();
    const { host } = await start({ kernel, initialBreak: true });
    await until(host, ({ prompt }) => prompt !== '');
    wires[0]?.close();
    await until(host, ({ targetState }) => targetState === 'connecting');
    await host.sees('Waiting to reconnect...');
    while (wires.length < 2) await nextEvent((listener) => host.client.on('state', listener));
    await host.client.request('breakIn', {});
    await until(host, ({ prompt }) => prompt !== '');
    expect(host.text.match(/Kernel Debugger connection established\./g)).toHaveLength(2);
  });

  it.each([
    ['com:ipport=1,port=127.0.0.1', 'Nothing listens on 127.0.0.1:1'],
    ['com:pipe,port=/no/such/pipe', "There is no pipe '/no/such/pipe'"],
    ['nonsense', 'nonsense'],
    ['net:port=50000,key=1.2.3.4', 'not supported yet'],
  ])('says in one line that %s cannot be opened', async (kernel, message) => {
    const opening = hostSession({ kernel });
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(UserError);
  });

  it('refuses a bad server string before it touches the target', async () => {
    await expect(
      hostSession({ kernel: 'com:ipport=1,port=127.0.0.1', servers: ['tcp:prt=1'] }),
    ).rejects.toThrow("Unknown option 'prt' (column 5)");
  });

  it('ends when its signal aborts', async () => {
    const { kernel } = await target();
    const controller = new AbortController();
    const { hosted } = await start({ kernel, signal: controller.signal });
    const ended = nextEvent(hosted.session.ended);
    controller.abort();
    await ended;
    await expect(hostSession({ kernel, signal: AbortSignal.abort(new UserError('no')) })).rejects.toThrow(
      'no',
    );
  });
});
