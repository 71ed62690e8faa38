import { beforeEach, describe, expect, it } from 'vitest';
import { Console } from './console';
import { FakeTarget } from './fakeTarget';

let console: Console;
beforeEach(() => {
  console = new Console(new FakeTarget(2));
});

async function lines(line: string): Promise<string[]> {
  return (await console.type(line)).replace(/\n$/, '').split('\n');
}

describe('registers', () => {
  it('are dumped with flags, segments and the instruction', async () => {
    expect(await lines('r')).toEqual([
      'rax=0000000000000000 rbx=0000000000000000 rcx=0000000000000000',
      'rdx=0000000000000000 rsi=0000000000000000 rdi=0000000000000000',
      'rip=fffff80000001000 rsp=fffff80030003fb8 rbp=0000000000000000',
      ' r8=0000000000000000  r9=0000000000000000 r10=0000000000000000',
      'r11=0000000000000000 r12=0000000000000000 r13=0000000000000000',
      'r14=0000000000000000 r15=0000000000000000',
      'iopl=0         nv up ei pl zr na pe nc',
      'cs=0010  ss=0018  ds=002b  es=002b  fs=0053  gs=002b             efl=00000246',
      'nt!KiMain:',
      'fffff800`00001000 4883ec28        sub     rsp,28h',
    ]);
  });

  it.each([
    ['r rax', 'rax=0000000000000000'],
    ['r @rsp', 'rsp=fffff80030003fb8'],
    ['r rax,zf', 'rax=0000000000000000 zf=1'],
    ['r rax zf, if', 'rax=0000000000000000 zf=1 if=1'],
    ['r eax', 'eax=00000000'],
    ['r cs', 'cs=0010'],
    ['r cr3', 'cr3=00000000001ad000'],
    ['1r cr3', 'cr3=00000000001ad001'],
    ['~1 r cr3', 'cr3=00000000001ad001'],
    ['r rax=5; r rax', 'rax=0000000000000005'],
    ['r rax=@rcx+7, rbx=2; r rax, rbx', 'rax=0000000000000007 rbx=0000000000000002'],
    ['r zf=0; r efl', 'efl=00000206'],
    ['r $t3 = 12; ? @$t3*2', 'Evaluate expression: 36 = 00000000`00000024'],
    ['r $ip=nt!KiLeaf; r rip', 'rip=fffff80000001200'],
    ['r xmm0', 'xmm0=            0             0             0             0'],
    [
      'rM 8',
      'cs=0010  ss=0018  ds=002b  es=002b  fs=0053  gs=002b             efl=00000246\nnt!KiMain:\nfffff800`00001000 4883ec28        sub     rsp,28h',
    ],
    ['rm 1008', 'Ignored invalid bits 1000\nRegister output mask is 8:\n       8 - Segment registers'],
  ])('%s', async (line, expected) => {
    expect(await console.type(line)).toBe(`${expected}\n`);
  });

  it.each([
    ['r foo', "error: Bad register error at 'foo'"],
    ['r rax=', "error: Numeric expression missing from '<EOL>'"],
    ['r rax==5', "error: Extra character error at '==5'"],
    ['r zf=2', "error: Value 0x2 does not fit register 'zf' (1 bits)."],
    ['r rax=1, foo=2', "error: Bad register error at 'foo'"],
    ['1r rax=5', "error: Syntax error at '5'"],
    ['7r', 'error: There is no processor 7; the target has 2.'],
  ])('%s is refused and changes nothing', async (line, expected) => {
    const before = await console.type('r');
    expect(await console.type(line)).toBe(expected);
    expect(await console.type('r')).toBe(before);
  });
});

describe('memory', () => {
  it.each([
    [
      'db nt!KiData L12',
      'fffff800`00003000  00 01 02 03 04 05 06 07-08 09 0a 0b 0c 0d 0e 0f  ................\nfffff800`00003010  10 11                                            ..',
    ],
    ['dd nt!KiData L3', 'fffff800`00003000  03020100 07060504 0b0a0908'],
    ['dd nt!KiData nt!KiData+b', 'fffff800`00003000  03020100 07060504 0b0a0908'],
    ['dd nt!KiData+8 L-2', 'fffff800`00003000  03020100 07060504'],
    ['dd nt!KiData, l?2', 'fffff800`00003000  03020100 07060504'],
    ['dd/c1 nt!KiData L2', 'fffff800`00003000  03020100\nfffff800`00003004  07060504'],
    ['dq nt!KiData L2', 'fffff800`00003000  07060504`03020100 0f0e0d0c`0b0a0908'],
    ['dp nt!KiData L1', 'fffff800`00003000  07060504`03020100'],
    ['dw nt!KiData L2', 'fffff800`00003000  0100 0302'],
    ['dW nt!KiData+60 L2', 'fffff800`00003060  6160 6362                                `abc'],
    ['dc nt!KiData+60 L1', 'fffff800`00003060  63626160                             `abc'],
    ['da nt+3200', 'fffff800`00003200  "Hello, world"'],
    ['da nt+3200 L5', 'fffff800`00003200  "Hello"'],
    ['da /c5 nt+3200', 'fffff800`00003200  "Hello"\nfffff800`00003205  ", wor"\nfffff800`0000320a  "ld"'],
    ['du nt+3240', 'fffff800`00003240  "Wide"'],
    [
      'dps nt+3280 L2',
      'fffff800`00003280  fffff800`00001105 nt!KiMiddle+0x5\nfffff800`00003288  00000000`00000000',
    ],
    ['dd 0 L2', '00000000`00000000  ???????? ????????'],
    ['da 0', '00000000`00000000  "?"'],
    ['dd /p 0 L1', '00000000`00000000  20000100'],
    ['dd@rsp L1', 'fffff800`30003fb8  00000000'],
    [
      "eb nt!KiData 1 2 'a'; db nt!KiData L4",
      'fffff800`00003000  01 02 61 03                                      ..a.',
    ],
    ['ew nt!KiData, -1, 1; dw nt!KiData L3', 'fffff800`00003000  ffff 0001 0504'],
    ['ed nt!KiData ffffffff; dd nt!KiData L1', 'fffff800`00003000  ffffffff'],
    ['eq nt!KiData fffff800`00001000; dq nt!KiData L1', 'fffff800`00003000  fffff800`00001000'],
    ['eza nt!KiData "a;b"; da nt!KiData', 'fffff800`00003000  "a;b"'],
    ['ezu nt!KiData "xy"; du nt!KiData', 'fffff800`00003000  "xy"'],
  ])('%s', async (line, expected) => {
    expect(await console.type(line)).toBe(`${expected}\n`);
  });

  it('shows what can be read before and after a hole', async () => {
    const { memory } = console.target;
    memory.set(0x5000n, new Uint8Array(0x1000).fill(0xaa));
    memory.set(0x7000n, new Uint8Array(0x1000).fill(0xbb));
    expect(await lines('dq 5ff8 L202')).toHaveLength(0x101);
    expect(await console.type('dq 5ff8 L2')).toBe('00000000`00005ff8  aaaaaaaa`aaaaaaaa ????????`????????\n');
    expect(await console.type('dq 6ff8 L2')).toBe('00000000`00006ff8  ????????`???????? bbbbbbbb`bbbbbbbb\n');
  });

  it('goes on where it stopped, in the same form', async () => {
    expect(await lines('dd nt!KiData')).toHaveLength(8);
    expect((await lines('d'))[0]).toBe('fffff800`00003080  83828180 87868584 8b8a8988 8f8e8d8c');
    expect((await lines('db'))[0]).toMatch(/^fffff800`00003100 {2}00 00/);
  });

  it.each([
    ['dd zoo', "error: Couldn't resolve error at 'zoo'"],
    ['dd nt!KiData nt', "error: Range error at 'nt!KiData nt'"],
    ['dd nt L10000000', "error: Range error at 'nt L10000000'"],
    ['dd nt L4 5', "error: Extra character error at '5'"],
    ['dd /x nt', "error: Syntax error at '/x nt'"],
    ['eb nt!KiData', 'error: Values are missing: eb ADDR VALUE…, separated by spaces.'],
    ['eb nt!KiData 100', "error: Overflow error at '100'"],
    ['eb nt!KiData 1 zoo', "error: Couldn't resolve error at 'zoo'"],
    ['eb 0 1', "error: Memory access error at '0x0': 0 of 1 bytes were written."],
    ['eza nt!KiData', 'error: Text is missing: eza ADDR "TEXT".'],
  ])('%s is refused and changes nothing', async (line, expected) => {
    const before = await console.type('db nt!KiData L100');
    expect(await console.type(line)).toBe(expected);
    expect(await console.type('db nt!KiData L100')).toBe(before);
  });

  it('stops a long display when it is cancelled', async () => {
    console.controller.abort();
    expect(await console.type('db 0 L?10000000')).toMatch(/^error: /);
  });
});

describe('code', () => {
  it('is disassembled from the instruction pointer and on', async () => {
    expect((await lines('u')).slice(0, 4)).toEqual([
      'nt!KiMain:',
      'fffff800`00001000 4883ec28        sub     rsp,28h',
      'fffff800`00001004 e8f7000000      call    nt!KiMiddle (fffff800`00001100)',
      'fffff800`00001009 90              nop',
    ]);
    expect((await lines('u'))[0]).toBe('nt!KiMain+0x15:');
  });

  it('is disassembled by range, backwards and as a whole function', async () => {
    expect(await lines('u nt!KiMiddle L1')).toEqual([
      'nt!KiMiddle:',
      'fffff800`00001100 53              push    rbx',
    ]);
    expect(await lines('u nt!KiLeaf nt!KiLeaf+1')).toHaveLength(3);
    expect(await lines('ub nt!KiMiddle+a L2')).toEqual([
      'nt!KiMiddle+0x1:',
      'fffff800`00001101 4883ec20        sub     rsp,20h',
      'fffff800`00001105 e8f6000000      call    nt!KiLeaf (fffff800`00001200)',
    ]);
    expect((await lines('uf nt!KiMiddle+8')).at(-1)).toBe('fffff800`00001114 c3              ret');
    expect(await lines('uf nt!KiLeaf')).toHaveLength(4);
  });

  it('is ??? where there is none', async () => {
    expect(await lines('u 1000 L2')).toEqual([
      '00000000`00001000 ??              ???',
      '00000000`00001001 ??              ???',
    ]);
    expect(await lines('ub 1000 L1')).toEqual(['00000000`00000fff ??              ???']);
    expect(await console.type('uf 1000')).toBe('error: No code found, aborting');
    expect((await lines('u nt+3ffe L4')).map((line) => line.slice(0, 17))).toEqual([
      'nt!KiData+0xffe:',
      'fffff800`00003ffe',
      'fffff800`00004000',
      'fffff800`00004001',
      'fffff800`00004002',
    ]);
  });
});

describe('modules and symbols', () => {
  it.each([
    [
      'lm',
      'start             end                 module name\nfffff800`00000000 fffff800`00004000   nt         (deferred)\nfffff800`10000000 fffff800`10002000   my_driver   (deferred)',
    ],
    [
      '? nt!KiMain; lm m n*',
      'Evaluate expression: -8796093018112 = fffff800`00001000\nstart             end                 module name\nfffff800`00000000 fffff800`00004000   nt         (export symbols)       ntoskrnl.exe',
    ],
    ['lm 1m', 'nt\nmy_driver'],
    ['lm1m sm', 'my_driver\nnt'],
    ['lm1m a nt!KiMain', 'nt'],
    ['lm1m M *drivers*', 'my_driver'],
    [
      'lmvm nt',
      [
        'start             end                 module name',
        'fffff800`00000000 fffff800`00004000   nt         (deferred)',
        '    Image path: \\SystemRoot\\system32\\ntoskrnl.exe',
        '    Image name: ntoskrnl.exe',
        '    Timestamp:        Sat Dec  9 01:28:45 2017 (5A2B3C4D)',
        '    CheckSum:         00001234',
        '    ImageSize:        00004000',
        '    Symbol file:      ntoskrnl.pdb',
        '    Symbol id:        0403020106050807090A0B0C0D0E0F101',
      ].join('\n'),
    ],
    ['x nt!*main', 'fffff800`00001000 nt!KiMain'],
    [
      'x nt!Ki[lm]*',
      'fffff800`00001000 nt!KiMain\nfffff800`00001100 nt!KiMiddle\nfffff800`00001200 nt!KiLeaf',
    ],
    ['x *', 'fffff800`00000000 nt\nfffff800`10000000 my_driver'],
    ['ln nt!KiMain+4', '(fffff800`00001000)   nt!KiMain+0x4   |  (fffff800`00001100)   nt!KiMiddle'],
    [
      'ln KiLeaf',
      '(fffff800`00001200)   nt!KiLeaf   |  (fffff800`00001300)   nt!KiRecurse\nExact matches:\n    nt!KiLeaf',
    ],
    ['.reload', 'Loading Kernel Symbols\n..'],
    ['? ntoskrnl', 'Evaluate expression: -8796093022208 = fffff800`00000000'],
    ['? DriverEntry', 'Evaluate expression: -8795824582656 = fffff800`10001000'],
  ])('%s', async (line, expected) => {
    const zone = process.env.TZ;
    process.env.TZ = 'UTC';
    expect(await console.type(line)).toBe(`${expected}\n`);
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it.each([
    ['lm q', "error: Syntax error at 'q'"],
    ['lm m', "error: Syntax error at 'm': m and M need a pattern."],
    ['x zoo!*', "error: Couldn't resolve error at 'zoo!*': no module matches 'zoo'."],
    ['.reload zoo', "error: Couldn't resolve error at 'zoo': no such module is loaded."],
    ['.reload /zoo', "error: Syntax error at '/zoo': .reload [/f] [MODULE]."],
    ['? nt!zoo', "error: Couldn't resolve error at 'nt!zoo'"],
    ['? 5/0', "error: Operand error at '0'"],
  ])('%s is refused', async (line, expected) => {
    expect(await console.type(line)).toBe(expected);
  });

  it('reads exports once, and not again after a reboot', async () => {
    await console.type('x nt!*');
    await console.target.reboot();
    const before = console.target.reads.length;
    expect(await console.type('? nt!KiLeaf')).toBe(
      'Evaluate expression: -8796093017600 = fffff800`00001200\n',
    );
    const again = console.target.reads.slice(before).filter(({ length }) => length >= 0x100);
    expect(again).toEqual([]);
  });

  it('learns of modules that come and go', async () => {
    await console.type('lm');
    const event = { path: '\\Driver\\late.sys', base: 0xfffff80050000000n, size: 0x1000, checksum: 1 };
    console.target.loadModule({ kind: 'load', ...event });
    expect(await console.type('lm1m')).toBe('nt\nmy_driver\nlate\n');
    expect(await console.type('ln fffff800`50000010')).toBe('');
    expect(await console.engine.symbolFor(0xfffff80050000010n)).toBe('late+0x10');
    console.target.loadModule({ kind: 'unload', ...event });
    expect(await console.type('lm1m')).toBe('nt\nmy_driver\n');
  });
});
