import { beforeEach, describe, expect, it } from 'vitest';
import {
  commandTable,
  completeCommand,
  findCommand,
  splitCommands,
} from '../../../src/engine/command/language';
import { wildcard } from '../../../src/engine/command/pattern';
import { Console } from './console';
import { FakeTarget } from './fakeTarget';

let console: Console;
beforeEach(() => {
  console = new Console(new FakeTarget(2));
});

async function stopText(): Promise<string> {
  const { stop } = console.engine;
  return stop ? console.engine.describeStop(stop) : 'not stopped';
}

describe('breakpoints', () => {
  it('stop the target and count their hits', async () => {
    expect(await console.type('bp nt!KiLeaf')).toBe('');
    expect(await console.type('g')).toBe('');
    expect(await console.where()).toBe('nt!KiLeaf');
    expect(await stopText()).toBe('Breakpoint 0 hit\nnt!KiLeaf:\nfffff800`00001200 90              nop\n');
    expect(console.engine.breakpoints.list()).toMatchObject([{ id: 0, hits: 1, owner: 'command' }]);
    expect(await console.type('.lastevent')).toMatch(/^Last event: Breakpoint 0 hit\n {2}debugger time: /);
  });

  it('are listed, disabled, enabled and cleared', async () => {
    await console.type('bp nt!KiLeaf; bp5 nt!KiMiddle+5; bp');
    const list = (letters: string) =>
      [
        ` 0 ${letters[0]} fffff800\`00001200     0001 (0001) nt!KiLeaf`,
        ` 1 ${letters[1]} fffff800\`00001000     0001 (0001) nt!KiMain`,
        ` 5 ${letters[2]} fffff800\`00001105     0001 (0001) nt!KiMiddle+0x5`,
        '',
      ].join('\n');
    expect(await console.type('bl')).toBe(list('eee'));
    expect(await console.type('bd 1-5; bl')).toBe(list('edd'));
    expect([...console.target.breakpoints]).toEqual([0xfffff80000001200n]);
    expect(await console.type('be *; bl')).toBe(list('eee'));
    expect(await console.type('bl 5')).toBe(`${list('eee').split('\n')[2]}\n`);
    expect(await console.type('bc 0,5; bl')).toBe(`${list('eee').split('\n')[1]}\n`);
    expect(await console.type('bc *; bl')).toBe('');
    expect(console.target.breakpoints.size).toBe(0);
  });

  it('at one address need one place in the target', async () => {
    await console.type('bp nt!KiLeaf');
    const other = console.engine.breakpoints.add(0xfffff80000001200n, 'nt!KiLeaf', { owner: 'dap' });
    expect(await console.type('bp nt!KiLeaf')).toBe('breakpoint 0 redefined\n');
    await console.type('bc 0');
    expect(console.target.breakpoints.size).toBe(1);
    expect(await console.type('bl')).toMatch(/^ 1 e /);
    console.engine.breakpoints.remove(other.id);
    expect(console.target.breakpoints.size).toBe(0);
  });

  it('are found again after a reboot when they are symbols', async () => {
    await console.type('bp nt!KiLeaf+1; bp fffff80000001100');
    const kinds: string[] = [];
    console.engine.breakpoints.changed(({ kind, breakpoint }) =>
      kinds.push(`${kind} ${breakpoint.address !== undefined}`),
    );
    await console.type('.reboot');
    await console.where();
    expect(console.target.log).toEqual(['reboot']);
    expect(kinds).toEqual(['changed false', 'changed true']);
    expect(await console.type('bl')).toBe(
      ' 0 e fffff800`00001201     0001 (0001) nt!KiLeaf+0x1\n 1 e fffff800`00001100     0001 (0001) nt!KiMiddle\n',
    );
  });

  it('are at most 32', async () => {
    for (let i = 0n; i < 32n; i++) console.engine.breakpoints.add(0xfffff80000001000n + i, 'x');
    expect(await console.type('bp nt!KiData')).toMatch(/^error: There are 32 breakpoints already/);
  });

  it.each([
    ['bp zoo', "error: Couldn't resolve error at 'zoo'"],
    ['bp 1000', "error: Memory access error at '1000': no breakpoint can be set there."],
    [
      'bp nt!KiLeaf "k"',
      `error: Extra character error at '"k"': pass counts and commands are not supported here.`,
    ],
    ['bp /1 nt!KiLeaf', "error: Breakpoint options are not supported: '/1 nt!KiLeaf'."],
    ['bc', 'error: Which breakpoints? Give numbers, ranges as 1-3, or * for all: bc IDS.'],
    ['bc 3', 'error: Breakpoint 3 does not exist.'],
    ['bd x', "error: Syntax error at 'x': breakpoints are numbers, ranges as 1-3, or *."],
  ])('%s is refused', async (line, expected) => {
    expect(await console.type(line)).toBe(expected);
    expect(console.engine.breakpoints.list()).toEqual([]);
  });
});

describe('running', () => {
  it('steps into calls with t and over them with p', async () => {
    await console.type('t');
    expect(await console.where()).toBe('nt!KiMain+0x4');
    expect(await stopText()).toBe(
      'nt!KiMain+0x4:\nfffff800`00001004 e8f7000000      call    nt!KiMiddle (fffff800`00001100)\n',
    );
    await console.type('t');
    expect(await console.where()).toBe('nt!KiMiddle');
    await console.type('r ecx=3; t 2; p');
    expect(await console.where()).toBe('nt!KiMiddle+0xa');
    expect(console.engine.stop?.reason).toBe('step');
    expect(console.target.breakpoints.size).toBe(0);
  });

  it('steps over and out of the right instance of a recursive function', async () => {
    await console.type('r ecx=4; bp nt!KiRecurse+8; g');
    expect(await console.where()).toBe('nt!KiRecurse+0x8');
    await console.type('bc *; g nt!KiRecurse+8');
    await console.where();
    const { sp } = await console.engine.registers();
    await console.type('p');
    expect(await console.where()).toBe('nt!KiRecurse+0xd');
    expect((await console.engine.registers()).sp).toBe(sp);
    await console.type('gu');
    expect(await console.where()).toBe('nt!KiRecurse+0xd');
    expect((await console.engine.registers()).sp).toBe(sp + 0x30n);
    await console.type('gu');
    expect(await console.where()).toBe('nt!KiMiddle+0xf');
    await console.type('gu');
    expect(await console.where()).toBe('nt!KiMain+0x9');
    expect(await console.type('gu')).toBe(
      'error: The caller of this function cannot be found: the stack ends here.',
    );
    expect(console.target.breakpoints.size).toBe(0);
  });

  it('ends a count at a breakpoint, an exception or a stop of another processor', async () => {
    await console.type('bp nt!KiLeaf; t 2; p 10');
    expect(await console.where()).toBe('nt!KiLeaf');
    expect(console.engine.stop?.reason).toBe('breakpoint');
    console.target.onResume = () => ({ reason: 'exception', processor: 1, code: 0xc0000005 });
    await console.type('t 5');
    expect(await stopText()).toMatch(/^Access violation - code c0000005 \(first chance\)\n/);
    expect(console.engine.processor).toBe(1);
    expect(console.engine.promptName).toBe('1: kd');
    expect(console.target.breakpoints.size).toBe(1);
  });

  it('does not show the late end of a step that another thread overtook', async () => {
    const other = 0xffffe0000000f000n;
    const { target } = console;
    await console.type('bp nt!KiLeaf');
    target.onResume = () => ({ reason: 'breakpoint', code: 0x80000003, thread: other });
    await console.type('t 3');
    expect(console.engine.stop).toMatchObject({ reason: 'breakpoint', thread: other });
    target.log.length = 0;
    // Much later the first thread runs again, and its step ends: nobody waits for it.
    target.onResume = () => {
      target.onResume = () => ({ reason: 'step', code: 0x80000004, thread: other });
      return { reason: 'exception', code: 0x80000004 };
    };
    await console.type('t');
    expect(target.log).toEqual(['step', 'go']);
    expect(console.engine.stop).toMatchObject({ reason: 'step', thread: other });
    target.onResume = () => ({ reason: 'exception', code: 0x80000004 });
    await console.type('g');
    await console.where();
    expect(console.engine.stop).toMatchObject({ reason: 'exception' });
  });

  it('tells the handlers of an exception whether it was handled', async () => {
    console.target.onResume = () => ({ reason: 'breakIn', code: 0x80000003 });
    await console.type('gn');
    await console.where();
    console.target.onResume = () => ({ reason: 'breakIn', code: 0x80000003 });
    await console.type('gh');
    await console.where();
    expect(console.target.log).toEqual(['go not handled', 'go']);
  });

  it('starts elsewhere when told', async () => {
    await console.type('t = nt!KiLeaf');
    expect(await console.where()).toBe('nt!KiLeaf+0x1');
    await console.type('g = nt!KiLeaf nt!KiLeaf+2');
    expect(await console.where()).toBe('nt!KiLeaf+0x2');
  });

  it('is a state: nothing that needs the target goes on meanwhile', async () => {
    await console.type('r ecx=1');
    await console.engine.resume('go');
    expect(console.engine.stop).toBeUndefined();
    await expect(console.engine.registers()).rejects.toThrow('break in first');
    await expect(console.engine.resume('go')).rejects.toThrow('break in first');
    expect(await console.type('lm1m; ? 1+1; bl')).toBe('Evaluate expression: 2 = 00000000`00000002\n');
    await new Promise((resolve) => setImmediate(resolve));
    console.target.breakIn();
    expect(await console.where()).toBe('nt!KiMain+0xe');
    expect(await stopText()).toMatch(/^Break instruction exception - code 80000003 \(first chance\)\n/);
  });

  it.each([
    ['t 0', "error: Range error at '0': 1 to 0x100000 steps."],
    ['t zoo', "error: Couldn't resolve error at 'zoo'"],
    ['p 1 2', "error: Extra character error at '2'"],
    ['g zoo', "error: Couldn't resolve error at 'zoo'"],
    ['g 1000', "error: Memory access error at '1000': no breakpoint can be set there."],
    ['g = nt!KiLeaf zoo', "error: Couldn't resolve error at 'zoo'"],
    ['gu 1', "error: Extra character error at '1': gu takes no arguments."],
    ['gn 1', "error: Extra character error at '1': gn takes no arguments."],
  ])('%s is refused and nothing runs', async (line, expected) => {
    expect(await console.type(line)).toBe(expected);
    expect(console.target.log).toEqual([]);
    expect(await console.where()).toBe('nt!KiMain');
  });
});

describe('stacks', () => {
  beforeEach(() => console.type('bp nt!KiLeaf; g'));

  it.each([
    [
      'k',
      ' # Child-SP          RetAddr           Call Site\n00 fffff800`30003f58 fffff800`0000110a nt!KiLeaf\n01 fffff800`30003f60 fffff800`00001009 nt!KiMiddle+0xa\n02 fffff800`30003f90 00000000`00000000 nt!KiMain+0x9',
    ],
    [
      'k 1',
      ' # Child-SP          RetAddr           Call Site\n00 fffff800`30003f58 fffff800`0000110a nt!KiLeaf',
    ],
    [
      'kL2',
      ' # Child-SP          RetAddr           Call Site\n00 fffff800`30003f58 fffff800`0000110a nt!KiLeaf\n01 fffff800`30003f60 fffff800`00001009 nt!KiMiddle+0xa',
    ],
    ['kc', ' # Call Site\n00 nt!KiLeaf\n01 nt!KiMiddle+0xa\n02 nt!KiMain+0x9'],
    [
      '1k',
      ' # Child-SP          RetAddr           Call Site\n00 fffff800`30002fb8 00000000`00000000 nt!KiMain',
    ],
    [
      '~1k',
      ' # Child-SP          RetAddr           Call Site\n00 fffff800`30002fb8 00000000`00000000 nt!KiMain',
    ],
    [
      'kb 1',
      ' # RetAddr           : Args to Child                                                           : Call Site\n00 fffff800`0000110a : 00000000`00000000 00000000`00000000 00000000`00000000 00000000`00000000 : nt!KiLeaf',
    ],
    [
      'kf 2',
      ' #   Memory  Child-SP          RetAddr           Call Site\n00           fffff800`30003f58 fffff800`0000110a nt!KiLeaf\n01        8  fffff800`30003f60 fffff800`00001009 nt!KiMiddle+0xa',
    ],
    ['? @$ra', 'Evaluate expression: -8796093017846 = fffff800`0000110a'],
  ])('%s', async (line, expected) => {
    await console.where();
    expect(await console.type(line)).toBe(`${expected}\n`);
  });

  it.each([
    ['k 0', "error: Range error at '0': 1 to 0x400 frames."],
    ['k zoo', "error: Couldn't resolve error at 'zoo'"],
    ['k = 5', "error: Syntax error at '= 5': a stack of its own cannot be given here."],
  ])('%s is refused', async (line, expected) => {
    await console.where();
    expect(await console.type(line)).toBe(expected);
  });

  it('are read in few requests, and again without the tables', async () => {
    await console.where();
    await console.type('k');
    console.target.reads.length = 0;
    await console.type('k');
    expect(console.target.reads.length).toBeLessThan(15);
    expect(Math.max(...console.target.reads.map(({ length }) => length))).toBeLessThanOrEqual(64);
  });
});

describe('the session', () => {
  it('switches processors', async () => {
    expect(console.engine.promptName).toBe('0: kd');
    expect(await console.type('~1s; r cr3')).toBe('cr3=00000000001ad001\n');
    expect(console.engine.promptName).toBe('1: kd');
    expect(await console.type('~')).toBe(
      '   0  fffff800`00001000 nt!KiMain\n.  1  fffff800`00001000 nt!KiMain\n',
    );
    expect(await console.type('~2s')).toBe('error: There is no processor 2; the target has 2.');
    expect(await console.type('~1x')).toBe("error: Syntax error at 'x': after ~1 may stand s, r or k.");
    expect(new Console(new FakeTarget(1)).engine.promptName).toBe('kd');
  });

  it('ends by q at the server and by qq anywhere', async () => {
    console.remote = true;
    expect(await console.type('q')).toMatch(/^error: q is for the server: .* qq/);
    expect(console.ended).toBe(false);
    await console.type('qq');
    expect(console.ended).toBe(true);
    const local = new Console();
    await local.type('q');
    expect(local.ended).toBe(true);
  });

  it('hands servers and clients on', async () => {
    expect(await console.type('.server tcp:port=5005')).toMatch(/^error: Debugging servers cannot be used/);
    const ended: number[] = [];
    console.servers = {
      start: async (text) => `Server started: ${text}`,
      list: () => '0 - Debugger Server - tcp:Port=5005',
      end: async (id) => {
        ended.push(id);
        return 'told';
      },
    };
    expect(await console.type('.server tcp:port=5005,password=a')).toBe(
      'Server started: tcp:port=5005,password=a\n',
    );
    expect(await console.type('.servers')).toBe('0 - Debugger Server - tcp:Port=5005\n');
    expect(await console.type('.endsrv 0')).toBe('told\n');
    expect(await console.type('.endsrv x')).toMatch(/^error: Syntax error at 'x'/);
    expect(await console.type('.clients')).toBe('HOST\\user, last active now\n');
    expect(ended).toEqual([0]);
  });

  it.each([
    ['.echo hi', 'hi\n'],
    ['.echo "a;b"', 'a;b\n'],
    ['.echo a; .echo b', 'a\nb\n'],
    ['* all; of; this', ''],
    ['.echo a * b', 'a * b\n'],
    ['$$ no; .echo yes', 'yes\n'],
    ["$$ don't; .echo yes", 'yes\n'],
    ['? 1 $$ no', "error: Extra character error at '$$ no'"],
    ['n 10; ? 10; n 16', 'base is 10\nEvaluate expression: 10 = 00000000`0000000a\nbase is 16\n'],
    ['n 7', "error: Syntax error at '7': the base is 8, 10 or 16."],
    ['.crash', ''],
    [
      '.time -h 1',
      'Debug session time: Wed Feb 28 18:16:23.816 2018 (UTC + 1:00)\nSystem Uptime: 0 days 2:53:56.789\n',
    ],
    ['.time x', "error: Syntax error at 'x': .time [-h HOURS]."],
  ])('%s', async (line, expected) => {
    expect(await console.type(line)).toBe(expected);
  });

  it('shows versions', async () => {
    expect(await console.type('vertarget')).toMatch(
      /^Windows 8\.1 Kernel Version 9600 MP \(2 procs\) Free x64\nProduct: WinNt, suite: TerminalServer SingleUserTS\nBuilt by: 9600\.1\.amd64fre\.test\nMachine Name:\nKernel base = 0xfffff800`00000000 PsLoadedModuleList = 0xfffff800`20000000\nDebug session time: .*\nSystem Uptime: 0 days 2:53:56\.789\n$/,
    );
    expect(await console.type('version')).toMatch(/\nvskd \d+\.\d+\.\d+, Node\.js v\d+/);
  });

  it('clears the screen and explains itself', async () => {
    await console.type('.cls');
    expect(console.cleared).toBe(true);
    expect(await console.type('.hh bp')).toMatch(/^bp\[ID\] \[ADDR\]\n {2}Sets a breakpoint/);
    expect(await console.type('.hh zoo')).toBe("error: No help for 'zoo': there is no such command.");
    const help = await console.type('.help');
    for (const { syntax } of commandTable) expect(help).toContain(syntax);
    expect(await console.type('?')).toBe(help);
  });

  it('closes the target and its breakpoints', async () => {
    await console.type('bp nt!KiLeaf');
    await console.engine.dispose();
    expect(console.target.breakpoints.size).toBe(0);
    expect(console.target.log).toEqual(['close']);
  });
});

describe('the command language', () => {
  it.each<[string, string | undefined, string]>([
    ['dd rsp', 'dd', ' rsp'],
    ['dd@rsp', 'dd', '@rsp'],
    ['DD rsp', undefined, ''],
    ['dD rsp', 'dD', ' rsp'],
    ['DB rsp', 'db', ' rsp'],
    ['bp0 nt', 'bp', '0 nt'],
    ['~1s', '~', '1s'],
    ['?1+2', '?', '1+2'],
    ['lmvm nt', 'lm', 'vm nt'],
    ['lm1m', 'lm', '1m'],
    ['kbn 5', 'k', 'bn 5'],
    ['kx', undefined, ''],
    ['t5', 't', '5'],
    ['gu', 'gu', ''],
    ['gx', undefined, ''],
    ['.echo', '.echo', ''],
    ['.echoes', undefined, ''],
    ['ntoskrnl', undefined, ''],
    ['1r rax', 'r', '1r rax'],
    ['1g', undefined, ''],
    ['', undefined, ''],
  ])('%s is the command %s', (text, name, args) => {
    const found = findCommand(text);
    expect([found?.command.name, found?.args ?? '']).toEqual([name, args]);
  });

  it.each<[string, string[]]>([
    ['r; k', ['r', 'k']],
    [';;r;', ['r']],
    ['.echo "a;b"; r', ['.echo "a;b"', 'r']],
    ['* r; k', ['* r; k']],
    ['r; * k; u', ['r', '* k; u']],
    ['$$ x; r', ['$$ x', 'r']],
    [".echo don't; r", [".echo don't", 'r']],
    ["eb 0 ';'; r", ["eb 0 ';'", 'r']],
    ['.if (1) { r; k }; u', ['.if (1) { r; k }', 'u']],
    ['  ', []],
  ])('%s', (line, commands) => {
    expect(splitCommands(line)).toEqual(commands);
  });

  it('completes names, and only names', () => {
    expect(completeCommand('.serv').map(({ label }) => label)).toEqual(['.server', '.servers']);
    expect(completeCommand('r; .cl').map(({ label }) => label)).toEqual(['.clients', '.cls']);
    expect(completeCommand('dd r')).toEqual([]);
  });

  it('names each command once, with what it is for', () => {
    const names = commandTable.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, syntax, summary } of commandTable) {
      expect(syntax.startsWith(name)).toBe(true);
      expect(summary).toMatch(/^[A-Z].*\.$/);
    }
  });

  it.each([
    ['*.sys', 'A.SYS', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['a*b*c', 'a12b34c', true],
    ['a*b*c', 'a12b34', false],
    ['*', '', true],
    ['', 'a', false],
    ['[', '[', true],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(2000), false],
  ])('the pattern %s on %s', (pattern, text, expected) => {
    expect(wildcard(pattern)(text)).toBe(expected);
  });
});
