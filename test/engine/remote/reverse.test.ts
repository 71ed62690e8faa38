import { hostname } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import type { JoinOptions } from '../../../src/engine/remote/client';
import { joinSession } from '../../../src/engine/remote/client';
import { freePort } from '../../support/freePort';
import { anyPort, at, closeAll, dial, host, joinAs, portOf, stranger } from './support/hosted';

afterEach(closeAll);

const dialTimes = { interval: 20, limit: 5000 };
const awaitTimes = { limit: 5000, probeInterval: 30 };

/** A client that waits; `port` when it listens. */
async function waiting(remote: string, options: JoinOptions = {}) {
  let told: (line: string) => void = () => {};
  const line = new Promise<string>((resolve) => (told = resolve));
  const joining = joinAs('ann', remote, { awaitTimes, onWaiting: (text) => told(text), ...options });
  joining.catch(() => {});
  return { joining, line: await line };
}

describe('reverse connections', () => {
  it('join when the client is there first, and end with the client', async () => {
    const { host: h, hosted } = await host(undefined, { dial: dialTimes });
    const port = await freePort();
    const { joining, line } = await waiting(`tcp:clicon=127.0.0.1,port=${port}`);
    expect(line).toContain(`is to call port ${port};`);
    expect(await h.run(`.server tcp:port=${port},clicon=127.0.0.1`)).toBe(true);
    expect(h.text).toContain(`0: <debugger> -remote tcp:Port=${port},CliCon=LAB\n`);
    const a = await joining;
    await h.sees(`DEV\\ann (tcp 127.0.0.1:${port}) connected at`);
    expect(await a.run('r')).toBe(true);
    expect(hosted.servers.list()).toBe(`0 - Debugger Server - tcp:Port=${port},CliCon=127.0.0.1\n`);
    // One client: nobody listens any more, on either side.
    await expect(joinAs('bob', at(port))).rejects.toThrow('Nothing listens');
    const left = nextEvent(hosted.servers.changed);
    await a.client.leave();
    await left;
    expect(hosted.servers.list()).toBe('0 - <Disabled, exit pending>\n');
    const again = await waiting(`tcp:clicon=127.0.0.1,port=${port}`, {
      awaitTimes: { limit: 300, probeInterval: 50 },
    });
    await expect(again.joining).rejects.toThrow('No debugging server connected within 0.3 s');
  });

  it('join when the server is there first', async () => {
    const { host: h } = await host(undefined, { dial: dialTimes });
    const port = await freePort();
    await h.run(`.server tcp:port=${port},clicon=127.0.0.1,password=pw`);
    await h.sees(`Connecting to 127.0.0.1:${port}`);
    const { joining } = await waiting(`tcp:clicon=127.0.0.1,port=${port},password=pw`);
    expect(await (await joining).run('.echo here')).toBe(true);
  });

  it('take a free port of the range on the side of the client', async () => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const taken = await stranger(() => {});
      const { host: h } = await host(undefined, { dial: dialTimes });
      let port = 0;
      const onWaiting = (line: string) => {
        port = Number(/port (\d+)/.exec(line)?.[1]);
        void h.run(`.server tcp:port=${port},clicon=127.0.0.1`);
      };
      const remote = `tcp:clicon=127.0.0.1,port=${taken}:${taken + 2}`;
      const a = await joinAs('ann', remote, { awaitTimes, onWaiting }).catch((error: Error) => error);
      if (a instanceof Error && a.message.startsWith('No port from')) continue;
      expect(a).not.toBeInstanceOf(Error);
      expect(port).toBeGreaterThan(taken);
      return;
    }
    expect.fail('no three ports in a row were free');
  });

  it('say so when only one side is reverse', async () => {
    const { host: h, port } = await host(anyPort, { dial: { interval: 20, limit: 100 } });
    await expect(joinAs('ann', `tcp:clicon=127.0.0.1,port=${port}`, { awaitTimes })).rejects.toThrow(
      `The debugging server at 127.0.0.1:${port} waits for clients; join it with Server= instead of CliCon=.`,
    );
    const nobody = await freePort();
    await h.run(`.server tcp:port=${nobody},clicon=127.0.0.1`);
    await expect(joinAs('ann', at(nobody))).rejects.toThrow('Nothing listens');
    await h.sees(`The reverse connection to 127.0.0.1:${nobody} did not come to be (Nothing listens`);
    // A server that dials another server.
    await h.run(`.server tcp:port=${port},clicon=127.0.0.1`);
    await h.sees(`What waits at 127.0.0.1:${port} did not join;`);
    await h.run('.servers');
    await h.sees(`1 - <Disabled, exit pending>\n2 - <Disabled, exit pending>\n`);
  });

  it('refuse a wrong password on both sides', async () => {
    const { host: h } = await host(undefined, { dial: dialTimes });
    const port = await freePort();
    const { joining } = await waiting(`tcp:clicon=127.0.0.1,port=${port},password=pW`);
    await h.run(`.server tcp:port=${port},clicon=127.0.0.1,password=pw`);
    await expect(joining).rejects.toThrow('Error 0x80004005');
    await h.sees('did not join');
  });

  it('end at once when the name is unknown, with .endsrv, and when the client gives up', async () => {
    const { host: h, hosted } = await host(undefined, { dial: dialTimes });
    await h.run('.server tcp:port=5,clicon=no-such-host.invalid');
    await h.run(`.server tcp:port=${await freePort()},clicon=127.0.0.1`);
    expect(await h.run('.endsrv 1')).toBe(true);
    await h.sees(/no-such-host\.invalid:5 did not come to be/);
    expect(hosted.servers.list()).toContain('1 - <Disabled, exit pending>');
    const giveUp = new AbortController();
    const port = await freePort();
    const { joining } = await waiting(`tcp:clicon=127.0.0.1,port=${port}`, { signal: giveUp.signal });
    giveUp.abort(new Error('enough'));
    await expect(joining).rejects.toThrow('enough');
    await expect(joinSession(at(port))).rejects.toThrow('Nothing listens');
  });

  it('ignore strangers who call a waiting client', async () => {
    const { host: h } = await host(undefined, { dial: dialTimes });
    const port = await freePort();
    const { joining } = await waiting(`tcp:clicon=127.0.0.1,port=${port}`);
    const http = await dial(port);
    http.write('GET / HTTP/1.1\r\n\r\n');
    const silent = await dial(port);
    (await dial(port)).destroy();
    await h.run(`.server tcp:port=${port},clicon=localhost`);
    const a = await joining;
    expect(await a.run('r')).toBe(true);
    http.destroy();
    silent.destroy();
  });

  it('are shown by the name of this machine when no other is given', async () => {
    const { host: h, hosted } = await host(undefined, { hostName: undefined, dial: dialTimes });
    await h.run(`.server tcp:port=5,clicon=localhost`);
    expect(hosted.servers.infos()[0]?.clientString).toBe(`tcp:Port=5,CliCon=${hostname()}`);
    expect(portOf(hosted)).toBe(5);
  });
});

describe('IcfEnable', () => {
  it('says that nothing is needed where there is no Windows firewall', async () => {
    if (process.platform === 'win32') return;
    const { host: h } = await host(`${anyPort},IcfEnable`);
    expect(h.text).toContain('IcfEnable: not needed on this system');
  });
});
