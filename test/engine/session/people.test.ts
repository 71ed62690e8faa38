/** Who may do what: roles, trust, secure mode, the quit lock, and the commands about the people in a session. */
import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import { commandLanguage, commandTable } from '../../../src/engine/command/language';
import { requestTable } from '../../../src/engine/session/protocol';
import type { ClientOptions } from '../../../src/engine/session/clientEnd';
import type { Session, SessionOptions } from '../../../src/engine/session/session';
import { ann, bob, fakeSession, join, type Watcher } from './support/harness';

let open: Session | undefined;
afterEach(async () => {
  await open?.end('test over');
  open = undefined;
});

/** A stopped session with the real commands, its owner, and one client. */
async function scene(options: Partial<SessionOptions> = {}, who: Partial<ClientOptions> = ann) {
  const all = fakeSession({ language: commandLanguage, ...options });
  open = all.session;
  const host = await join(all.session);
  const a = await join(all.session, who);
  all.target.go('running');
  all.target.halt();
  await a.sees('at 1000');
  return { ...all, host, a };
}

/** The last line of error that a command gave. */
async function refusal(who: Watcher, line: string): Promise<string> {
  const before = who.items.length;
  expect(await who.run(line), line).toBe(false);
  return (
    who.items
      .slice(before)
      .filter(({ kind }) => kind === 'error')
      .at(-1)?.text ?? ''
  );
}

const observer = { ...ann, role: 'observe' } as const;

describe('roles', () => {
  it('let observers look and not touch, by the table', async () => {
    const { a, host } = await scene({}, observer);
    for (const { name, observer: mayLook } of commandTable) {
      if (mayLook) continue;
      expect(await refusal(a, `${name} x`), name).toBe(
        `${name} is refused: you observe this session (.role).\n`,
      );
    }
    expect(await a.run('.echo hello')).toBe(true);
    await host.sees('hello\n');
    expect(await a.run('.help r')).toBe(true);
  });

  it('hold for the second command of a line too', async () => {
    const { a } = await scene({}, observer);
    expect(await refusal(a, '.echo hello; bc *')).toContain('bc is refused');
    expect(a.text).toContain('hello\n');
  });

  it('let observers ask what changes nothing', async () => {
    const { a, target } = await scene({}, observer);
    const { client } = a;
    expect((await client.request('readMemory', { address: '0x10', count: 2 })).data).toBe('EBE=');
    await client.request('stack', { processor: 0, start: 0, count: 1 });
    const changing = Object.entries(requestTable)
      .filter(([, row]) => !row.observer)
      .map(([name]) => name);
    expect(changing.sort()).toEqual(['breakIn', 'resume', 'setBreakpoints', 'setRegister', 'writeMemory']);
    for (const name of changing) {
      await expect(client.request(name as 'breakIn', {})).rejects.toThrow(`${name} is refused: you observe`);
    }
    expect(target.breakIns).toBe(0);
  });

  it('change while the session goes on; .role lists them', async () => {
    const { host, a, session } = await scene();
    const b = await join(session, bob);
    expect(await host.run('.role ann observe')).toBe(true);
    expect(await refusal(a, 'bc *')).toContain('bc is refused');
    expect(await host.run('.role')).toBe(true);
    await b.sees('  0 owner    LAB\\host\n  1 observe  DEV\\ann (tcp 10.0.0.5:1)\n  2 control  DEV\\bob');
    expect(a.client.state.clients[1]).toMatchObject({ role: 'observe' });
    expect(await host.run('.clients')).toBe(true);
    await b.sees(/DEV\\ann \(tcp 10\.0\.0\.5:1\), last active .*, observes\n/);
    expect(await refusal(a, '.role 1 control')).toContain('.role is refused');
    expect(await b.run('.role 1 CONTROL')).toBe(true);
    expect(await a.run('bc *')).toBe(true);
  });

  it('include being sent away', async () => {
    const { host, a, session } = await scene();
    const ended = nextEvent<{ reason: string }>((listener) => a.client.on('ended', listener));
    expect(await host.run('.role 10.0.0.5 kick')).toBe(true);
    expect((await ended).reason).toBe('You were removed from the session by LAB\\host.');
    await nextEvent(a.client.closed);
    expect(session.clientCount).toBe(1);
  });

  it('are refused when it is not clear whose, and for the owner', async () => {
    const { host, a, session } = await scene();
    await join(session, bob);
    expect(await refusal(a, '.role DEV observe')).toBe(
      "'DEV' fits several clients; give one of the numbers 1, 2 (.role lists them).\n",
    );
    expect(await refusal(host, '.role carol observe')).toContain("There is no client 'carol'");
    expect(await refusal(a, '.role 0 kick')).toContain('LAB\\host owns the session');
    expect(await refusal(host, '.role ann maybe')).toContain(
      'Syntax error: .role CLIENT observe|control|kick',
    );
  });

  it('let observers cancel only what is theirs', async () => {
    const { host, a } = await scene({}, observer);
    const running = host.run('.shell echo started; sleep 100');
    await a.sees('started');
    expect(await a.client.request('cancel', {})).toEqual({ cancelled: false });
    expect(await refusal(a, '.cancel')).toBe('No command is running.\n');
    const own = a.run('? 1');
    expect(await a.client.request('cancel', {})).toEqual({ cancelled: true });
    expect(await own).toBe(false);
    expect(await host.client.request('cancel', {})).toEqual({ cancelled: true });
    expect(await running).toBe(false);
  });
});

describe('commands that touch the machine', () => {
  it.each([
    ['an untrusted client', ann, false],
    ['a trusted client', { ...ann, trusted: true }, true],
    ['a trusted observer', { ...ann, trusted: true, role: 'observe' }, false],
  ] as const)('of %s', async (_name, who: Partial<ClientOptions>, allowed) => {
    const { a, session } = await scene({}, who);
    const client = session.clients[1];
    const touching = commandTable.filter(({ touchesHost }) => touchesHost);
    expect(touching.map(({ name }) => name)).toContain('.shell');
    for (const command of touching) {
      const said = client && session.people.refusal(command, client);
      expect(said === undefined, command.name).toBe(allowed);
      if (!who.role && !allowed) expect(said).toContain('unless their server has trust=full');
    }
    expect(await a.run('.shell echo trusted')).toBe(allowed);
    if (allowed) expect(a.text).toContain('trusted\n.shell: Process exited\n');
    else expect(await refusal(a, '.echo x; .shell echo no')).toContain('.shell');
  });

  it('are refused inside the commands of .remote_exit too', async () => {
    const { a } = await scene();
    const { ok } = await a.client.request('execute', { text: '.remote_exit .shell echo no', patient: true });
    expect(ok).toBe(false);
    expect(a.text).toContain('.shell acts on the machine');
    expect(a.text).not.toContain('no\n.shell: Process');
  });
});

describe('.shell', () => {
  it('shows what the program prints, to everybody, and ends with it', async () => {
    const { host, a } = await scene();
    expect(await host.run('.shell printf one; printf " two\\n" >&2; exit 3')).toBe(true);
    await a.sees('.shell: Process exited\n');
    expect(a.text).toContain('one');
    expect(a.text).toContain('two');
    expect(await refusal(host, '.shell')).toContain('Which command?');
  });

  it('is ended by .cancel, with what it started, and by its limit', async () => {
    const { host, a } = await scene();
    const running = host.run('.shell echo $$; sleep 100 & wait');
    await a.sees(/^\d+$/m);
    const pid = Number(/^(\d+)$/m.exec(a.text)?.[1]);
    expect(await a.run('.cancel')).toBe(true);
    expect(await running).toBe(false);
    await a.sees('Command cancelled.');
    for (;;) {
      try {
        process.kill(-pid, 0);
        await new Promise((resolve) => setTimeout(resolve, 20));
      } catch {
        break;
      }
    }
    expect(await refusal(host, '.shell -t 1 sleep 100')).toContain('ended by force after 1 s');
  });

  it('is off for everybody after .noshell, and from the start with noShell', async () => {
    const { host, a } = await scene();
    expect(await a.run('.noshell')).toBe(true);
    expect(await refusal(host, '.shell echo x')).toBe(
      'Shell commands are off for the life of this debugger (.noshell).\n',
    );
    await open?.end('');
    const second = await scene({ noShell: true });
    expect(await refusal(second.host, '.shell echo x')).toContain('Shell commands are off');
  });
});

describe('secure mode', () => {
  it('refuses what touches the machine, at the owner and at clients, known here or not', async () => {
    const { host, a } = await scene({ secure: true }, { ...ann, trusted: true });
    const names = '.shell .dump .writemem .opendump .attach .create .kill .detach .abandon .tlist .netuse';
    for (const who of [host, a]) {
      for (const name of names.split(' ')) {
        expect(await refusal(who, `${name} x`)).toBe(`${name} is off in secure mode.\n`);
      }
      expect(await refusal(who, '.quit_lock /s x')).toBe('.quit_lock /s is off in secure mode.\n');
      expect(await who.run('.secure')).toBe(true);
      expect(who.text).toContain('Secure mode is on.\n');
      expect(await refusal(who, '.secure 0')).toContain('stays on');
    }
  });

  it('cannot be switched on later', async () => {
    const { host } = await scene();
    expect(await refusal(host, '.secure 1')).toContain('only at the start of the debugger');
    expect(await host.run('.secure')).toBe(true);
    expect(host.text).toContain('Secure mode is off.\n');
    expect(await refusal(host, '.secure please')).toContain("Syntax error at 'please'");
  });
});

describe('quitting', () => {
  it('is locked and unlocked with the same text', async () => {
    const { host, a } = await scene();
    expect(await a.run('.quit_lock')).toBe(true);
    expect(a.text).toContain('Quitting is not locked.\n');
    expect(await a.run('.quit_lock /s x y')).toBe(true);
    expect(await refusal(a, 'qq')).toContain('Quitting is locked; .quit_lock /q TEXT');
    expect(await refusal(host, 'q')).toContain('Quitting is locked');
    expect(await refusal(a, '.quit_lock /s z')).toContain('locked already');
    expect(await refusal(a, '.quit_lock /q z')).toContain('not the text');
    expect(await host.run('.quit_lock')).toBe(true);
    await a.sees("Quitting is locked with 'x y'.\n");
    expect(await refusal(a, '.quit_lock x')).toContain('Syntax error');
    expect(await host.run('.quit_lock /q x y')).toBe(true);
    const ended = nextEvent((listener) => a.client.on('ended', listener));
    expect(await a.run('qq')).toBe(true);
    await ended;
  });

  it('and detaching is refused to clients', async () => {
    const { host, a } = await scene();
    expect(await refusal(a, 'qd')).toContain('qd is not for clients');
    expect(await refusal(host, 'qd')).toContain('user-mode targets');
    expect(await refusal(a, 'q')).toContain('qq');
  });
});

describe('people', () => {
  it('talk with .wall while a command runs, and cancel it', async () => {
    const { host, a } = await scene();
    const running = host.run('.shell echo started; sleep 100');
    await a.sees('started');
    expect(await a.run('.wall lunch; back soon')).toBe(true);
    await host.sees('*** DEV\\ann (tcp 10.0.0.5:1): lunch; back soon\n');
    expect(await refusal(a, '.wall')).toContain('.wall TEXT');
    expect(await a.run('.cancel')).toBe(true);
    expect(await running).toBe(false);
    await host.sees('Command cancelled.');
    expect(await refusal(a, '.cancel')).toBe('No command is running.\n');
  });

  it('have a title of their own', async () => {
    const { host, a } = await scene();
    const title = nextEvent((listener) => a.client.on('title', listener));
    let others = 0;
    host.client.on('title', () => others++);
    expect(await a.run('.wtitle two; \u001b[31mwords')).toBe(true);
    expect(await title).toEqual({ text: 'two; .[31mwords' });
    expect(others).toBe(0);
  });

  it('let scripts of a client end it with .remote_exit', async () => {
    const { host, a } = await scene();
    const exit = nextEvent((listener) => a.client.on('exit', listener));
    const { ok } = await a.client.request('execute', {
      text: '.echo hi; .remote_exit .echo bye; .echo all',
      patient: true,
    });
    expect(ok).toBe(true);
    await exit;
    await host.sees('hi\nbye\nall\n');
    expect(await refusal(a, '.remote_exit')).toContain('scripts of a client');
    const script = { text: '.remote_exit', patient: true };
    expect((await host.client.request('execute', script)).ok).toBe(false);
    expect(host.text).toContain('the owner ends the session with q');
  });

  it('share the paths of the session and keep local ones out of it', async () => {
    const { host, a, engine } = await scene();
    for (const [command, shown] of [
      ['.srcpath', 'Source search path is: <empty>\n'],
      ['.srcpath c:\\one;c:\\two', 'Source search path is: c:\\one;c:\\two\n'],
      ['.srcpath+ "c:\\with space"', 'Source search path is: c:\\one;c:\\two;c:\\with space\n'],
      ['.srcfix+ c:\\three', 'c:\\with space;srv*;c:\\three\n'],
      ['.srcfix', 'Source search path is: srv*\n'],
      ['.sympath c:\\sym', 'Symbol search path is: c:\\sym\n'],
      ['.symfix+ c:\\store', 'is: c:\\sym;srv*c:\\store*https://msdl.microsoft.com/download/symbols\n'],
      ['.symfix', 'Symbol search path is: srv*\n'],
      ['.exepath+ c:\\images', 'Executable image search path is: c:\\images\n'],
    ] as const) {
      expect(await a.run(command)).toBe(true);
      await host.sees(shown);
    }
    expect(engine.paths.get('images')).toBe('c:\\images');
    for (const command of ['.lsrcpath c:\\secret', '.lsrcpath+ x', '.lsrcfix'])
      expect(await refusal(a, command)).toContain('refused in -c and in scripts');
  });
});
