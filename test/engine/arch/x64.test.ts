import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Registers } from '../../../src/engine/arch/registers';
import { x64 } from '../../../src/engine/arch/x64';

const BASE = 0xfffff80000001000n;

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function text(hex: string, namer?: (address: bigint) => string | undefined): string[] {
  return x64
    .disassemble(bytesOf(hex), BASE, 10, namer)
    .map((row) => `${row.mnemonic} ${row.operands}`.trim());
}

describe('x64 disassembly', () => {
  it.each([
    ['488b442408', 'mov rax,qword ptr [rsp+8]'],
    ['4883ec28', 'sub rsp,28h'],
    ['48897424f0', 'mov qword ptr [rsp-10h],rsi'],
    ['83c8ff', 'or eax,0FFFFFFFFh'],
    ['65488b042588010000', 'mov rax,qword ptr gs:[188h]'],
    ['e80b000000', 'call fffff800`00001010'],
    ['7405', 'je fffff800`00001007'],
    ['488b0511223344', 'mov rax,qword ptr [fffff800`44333218]'],
    ['440f22c0', 'mov cr8,rax'],
    ['f348ab', 'rep stos qword ptr [rdi]'],
    ['f3a4', 'rep movs byte ptr [rdi],byte ptr [rsi]'],
    ['6e', 'outs dx,byte ptr [rsi]'],
    ['ac', 'lods byte ptr [rsi]'],
    ['0f28442420', 'movaps xmm0,xmmword ptr [rsp+20h]'],
    ['660f1f840000000000', 'nop word ptr [rax+rax]'],
    ['48cf', 'iretq'],
    ['48b90000000000000080', 'mov rcx,8000000000000000h'],
    ['48b90900000000000000', 'mov rcx,9'],
    ['83f80a', 'cmp eax,0Ah'],
    ['488b4c88f8', 'mov rcx,qword ptr [rax+rcx*4-8]'],
    ['cc', 'int 3'],
    ['c3', 'ret'],
  ])('spells %s as %s', (hex, expected) => {
    expect(text(hex)).toEqual([expected]);
  });

  it('names targets of branches and memory relative to rip', () => {
    const namer = () => 'nt!Foo+0x10';
    expect(text('e80b000000', namer)).toEqual(['call nt!Foo+0x10 (fffff800`00001010)']);
    expect(text('ff2500000000', namer)).toEqual(['jmp qword ptr [nt!Foo+0x10 (fffff800`00001006)]']);
    expect(text('488b442408', namer)).toEqual(['mov rax,qword ptr [rsp+8]']);
  });

  it('shows a byte that begins no instruction as ??? and goes on after it', () => {
    expect(text('0e9090')).toEqual(['???', 'nop', 'nop']);
  });

  it('leaves a cut-off last instruction out', () => {
    expect(text('90488b44')).toEqual(['nop']);
  });

  it('tells calls from system calls', () => {
    expect(x64.disassemble(bytesOf('ff100f05'), BASE, 2).map((row) => row.flow)).toEqual(['call', 'next']);
  });

  it('accepts any bytes, and rows lie end to end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (code) => {
        let next = BASE;
        for (const row of x64.disassemble(code, BASE, 100)) {
          expect(row.address).toBe(next);
          expect(row.bytes.length).toBeGreaterThan(0);
          next += BigInt(row.bytes.length);
        }
        expect(next - BASE).toBeLessThanOrEqual(BigInt(code.length));
      }),
    );
  });
});

describe('x64 registers', () => {
  it('lie inside their areas, with unique names', () => {
    const names = x64.registers.map((row) => row.name);
    expect(new Set(names).size).toBe(names.length);
    for (const row of x64.registers) {
      const limit = row.area === 'context' ? x64.contextSize : x64.specialSize;
      expect(row.offset + row.size).toBeLessThanOrEqual(limit);
      if (row.partOf !== undefined) expect(names).toContain(row.partOf);
    }
  });

  it('writes parts as the CPU does', () => {
    const registers = new Registers(x64, new Uint8Array(x64.contextSize), new Uint8Array(x64.specialSize));
    registers.set('rax', 0x1122334455667788n);
    registers.set('ah', 0xffn);
    expect(registers.get('rax')).toBe(0x112233445566ff88n);
    registers.set('eax', 1n);
    expect(registers.get('rax')).toBe(1n);
    registers.set('efl', 0x246n);
    expect([registers.get('zf'), registers.get('if'), registers.get('cf')]).toEqual([1n, 1n, 0n]);
    registers.set('iopl', 3n);
    expect(registers.get('efl')).toBe(0x3246n);
    registers.set('cr3', 0x1ad000n);
    expect(registers.special?.[0x11]).toBe(0xd0);
  });
});
