import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import { anyPort, at, closeAll, host, joinAs, portOf, stranger } from './support/hosted';

afterEach(closeAll);

describe('debugging servers', () => {
  it('starts, lists and ends several servers with the documented texts', async () => {
    const { hosted, host: h } = await host();
    await h.run('.servers');
    expect(h.text).toContain('No debugging servers are running.\n');
    await h.run(`.server ${anyPort}`);
    const first = portOf(hosted, 0);
    expect(h.text).toContain(
      'Server started.  Client can connect with any of these command lines\n' +
        `0: <debugger> -remote tcp:Port=${first},Server=127.0.0.1\n` +
        'Warning: this server asks for no password',
    );
    await h.run(`.server ${anyPort},password=Secret12`);
    const second = portOf(hosted, 1);
    expect(h.text).toContain(
      'Server started.  Client can connect with any of these command lines\n' +
        `0: <debugger> -remote tcp:Port=${first},Server=127.0.0.1\n` +
        `1: <debugger> -remote tcp:Port=${second},Password=*,Server=127.0.0.1\n`,
    );
    const a = await joinAs('ann', at(first));
    const before = h.text.length;
    await a.run('.servers');
    await h.sees(/\.servers\n0 - [^]*\.servers\n0 - |Password=\*\n$/);
    expect(h.text.slice(before)).toContain(
      `0 - Debugger Server - tcp:Port=${first}\n1 - Debugger Server - tcp:Port=${second},Password=*\n`,
    );
    expect(await a.run('.endsrv 0')).toBe(true);
    expect(h.text).toContain(
      'Server told to exit.  Actual exit may be delayed until\nthe next connection attempt.\n',
    );
    await a.run('.servers');
    expect(a.text).toContain('0 - <Disabled, exit pending>\n');
    expect(await a.run('.echo still here')).toBe(true);
    await expect(joinAs('bob', at(first))).rejects.toThrow(`Nothing listens on 127.0.0.1:${first}`);
    await joinAs('bob', `tcp:Port=${second},Password=Secret12,Server=127.0.0.1`);
    expect(await h.run('.endsrv 0')).toBe(false);
    expect(await h.run('.endsrv 7')).toBe(false);
    expect(h.text).toContain('Server 0 has been told to exit already.\n');
    expect(h.text).toContain('There is no server 7; .servers lists them.\n');
    expect(h.client.state.servers.map(({ disabled }) => disabled)).toEqual([true, false]);
    expect(h.text).toContain('.server tcp:port=0,bind=127.0.0.1,password=*\n');
    expect(h.text).not.toContain('Secret12');
  });

  it('names this machine when it listens everywhere', async () => {
    const { host: h, port } = await host('tcp:port=0');
    expect(h.text).toContain(`0: <debugger> -remote tcp:Port=${port},Server=LAB\n`);
    await joinAs('ann', `tcp:server=localhost,port=${port}`);
  });

  it('says in one line why a server cannot start', async () => {
    const taken = await stranger(() => {});
    const { host: h } = await host();
    for (const [text, line] of [
      [`tcp:port=${taken},bind=127.0.0.1`, `Port ${taken} is in use on this machine; choose another one.`],
      [
        `tcp:port=${taken}:${taken},bind=127.0.0.1`,
        `Port ${taken} is in use on this machine; choose another one.`,
      ],
      ['tcp:port=5005,bind=192.0.2.1', "'192.0.2.1' is not an address of this machine."],
      ['tcp:port=x', "Bad value 'x' for 'Port' (column 5)"],
      ['com:port=/dev/no-such-port,baud=9600,channel=1', "There is no serial port '/dev/no-such-port'"],
      ['tcp:port=5:6,clicon=x', "With 'CliCon' the server needs the one port of the client."],
      ['', 'The connection string is empty; expected tcp:'],
    ]) {
      expect(await h.run(`.server ${text}`)).toBe(false);
      expect(h.text).toContain(line);
    }
    expect(h.client.state.servers).toEqual([]);
  });

  it('takes the first free port of a range, and shows both numbers', async () => {
    // Three ports in a row of which the first is taken; other programs may take the next ones, so look for a place.
    for (let attempt = 0; attempt < 10; attempt++) {
      const taken = await stranger(() => {});
      const { host: h, hosted } = await host();
      if (!(await h.run(`.server tcp:port=${taken}:${taken + 2},bind=127.0.0.1`))) continue;
      const port = portOf(hosted);
      expect(port).toBeGreaterThan(taken);
      expect(hosted.servers.list()).toBe(`0 - Debugger Server - tcp:Port=${port}:${taken + 2}\n`);
      await joinAs('ann', at(port));
      return;
    }
    expect.fail('no three ports in a row were free');
  });

  it('serves clients of several servers in one session', async () => {
    const { host: h, hosted, engine } = await host(anyPort);
    await h.run(`.server ${anyPort},password=pw`);
    const a = await joinAs('ann', at(portOf(hosted, 0)));
    const b = await joinAs('bob', `${at(portOf(hosted, 1))},Password=pw`);
    await a.sees(/DEV\\bob \(tcp 127\.0\.0\.1:\d+\) connected at \w{3} \w{3} [ \d]\d [\d:]{8} \d{4}\n/);
    await a.run('r');
    await b.sees('rax=0');
    const author = b.items.find(({ kind, text }) => kind === 'command' && text.endsWith(' r\n'))?.author;
    expect(author?.identity).toMatch(/^DEV\\ann \(tcp 127\.0\.0\.1:\d+\)$/);
    await h.run('.clients');
    await a.sees(
      /LAB\\host, last active .*\nDEV\\ann \(tcp [\d.:]+\), last active .*\nDEV\\bob \(tcp [\d.:]+\), last/,
    );

    const going = a.run('g');
    await a.sees(' g\n');
    while (engine.target.state !== 'running') await nextEvent((listener) => a.client.on('state', listener));
    await b.client.request('breakIn', {});
    expect(await going).toBe(true);
    await h.sees(/ g\n[^]*at 1000/);
  });

  it('runs the commands of two clients and the host in order, whole, everywhere the same', async () => {
    const { host: h, port } = await host(anyPort);
    const all = [h, await joinAs('ann', at(port)), await joinAs('bob', at(port))];
    await Promise.all(
      all.flatMap((each) => Array.from({ length: 10 }, (_, i) => each.run(`lines ${i + 5}`))),
    );
    const last = h.items.at(-1)?.seq;
    for (const each of all) while (each.items.at(-1)?.seq !== last) await each.sees(/line/);
    const texts = all.map((each) => each.text.slice(each.text.indexOf('0: kd> ')));
    expect(new Set(texts).size).toBe(1);
    for (const block of texts[0]!.split(/^0: kd> /m).slice(1)) {
      const [head, ...lines] = block.trimEnd().split('\n');
      expect(lines).toEqual(Array.from({ length: Number(head!.split(' ')[1]) }, (_, i) => `line ${i}`));
    }
  });

  it('lets a client start a server on the host', async () => {
    const { hosted, port } = await host(anyPort);
    const a = await joinAs('ann', at(port));
    expect(await a.run(`.server ${anyPort}`)).toBe(true);
    await joinAs('bob', at(portOf(hosted, 1)));
  });

  it('ends for all clients when one says qq, and closes the ports', async () => {
    const { port, engine, hosted } = await host(anyPort);
    const a = await joinAs('ann', at(port));
    const b = await joinAs('bob', at(port));
    const over = nextEvent(hosted.session.ended);
    const ends = [a, b].map((each) => nextEvent<Error | undefined>(each.client.closed));
    expect(await a.run('qq')).toBe(true);
    expect(await Promise.all(ends)).toEqual([undefined, undefined]);
    expect(await over).toBe('The session has ended (quit).');
    expect(engine.disposed).toBe(true);
    await expect(joinAs('ann', at(port))).rejects.toThrow('Nothing listens');
  });

  it('runs start commands when the target has stopped', async () => {
    const { host: h } = await host(undefined, { commands: ['r; .echo one', '.echo two'] });
    await h.sees('\ntwo\n');
    expect(h.text).toMatch(/at 1000\n0: kd> r; \.echo one\nrax=0\none\n0: kd> \.echo two\ntwo\n/);
  });

  it('reports a bad or busy server string of the command line', async () => {
    const taken = await stranger(() => {});
    await expect(host(`tcp:port=${taken},bind=127.0.0.1`)).rejects.toThrow(`Port ${taken} is in use`);
    await expect(host('tcp:prt=1')).rejects.toThrow("Unknown option 'prt' (column 5)");
  });
});
