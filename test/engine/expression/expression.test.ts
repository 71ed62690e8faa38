import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, type EvaluationScope } from '../../../src/engine/expression/evaluate';
import { parseExpression, parseExpressionAt } from '../../../src/engine/expression/parser';
import { parseNumber, type Radix } from '../../../src/engine/expression/tokens';

const registers: Readonly<Record<string, bigint>> = { rax: 5n, rsp: 0xfffff80000001000n, zf: 1n };
const symbols: Readonly<Record<string, bigint>> = {
  nt: 0xfffff80000000000n,
  'nt!foo': 0xfffff80000002000n,
  rax: 0x77n,
  'std::vector::size': 0x88n,
};

const scope: EvaluationScope = {
  pointerSize: 8,
  register: async (name) => registers[name.toLowerCase()],
  pseudoRegister: async (name) => (name === '$ip' ? 0x1234n : name === '$t0' ? 0n : undefined),
  symbol: async (name) => symbols[name.toLowerCase()],
  readVirtual: async (address, length) =>
    address < 0x100n ? new Uint8Array() : Uint8Array.from({ length }, (_, i) => i + 1),
  readPhysical: async (_, length) => new Uint8Array(length).fill(0xee),
};

async function value(text: string, radix: Radix = 16): Promise<bigint> {
  return evaluate(parseExpression(text, radix), scope, text);
}

async function error(text: string): Promise<string> {
  return value(text).then(
    (result) => `value ${result}`,
    (thrown: Error) => thrown.message,
  );
}

describe('numbers', () => {
  it.each<[string, Radix, bigint | undefined | 'overflow']>([
    ['10', 16, 16n],
    ['10', 10, 10n],
    ['10', 8, 8n],
    ['0x10', 10, 16n],
    ['0n10', 16, 10n],
    ['0t10', 16, 8n],
    ['0y10', 16, 2n],
    ['0x', 16, 0n],
    ['10h', 10, 16n],
    ['face', 16, 0xfacen],
    ['face', 10, undefined],
    ['8', 8, undefined],
    ['7fffffff', 16, 0x7fffffffn],
    ['80000000', 16, 0xffffffff80000000n],
    ['ffffffff', 16, 0xffffffffffffffffn],
    ['0n4294967295', 16, 0xffffffffffffffffn],
    ['0`ffffffff', 16, 0xffffffffn],
    ['00000000ffffffff', 16, 0xffffffffn],
    ['100000000', 16, 0x100000000n],
    ['fffff800`00001000', 16, 0xfffff80000001000n],
    ['fffff80000001000', 16, 0xfffff80000001000n],
    ['10000000000000000', 16, 'overflow'],
    ['zoo', 16, undefined],
    ['`', 16, undefined],
  ])('%s in base %i', (text, radix, expected) => {
    expect(parseNumber(text, radix)).toBe(expected);
  });

  it('reads back every number it could have been given', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (number) => {
        const hex = number.toString(16).padStart(16, '0');
        expect(parseNumber(hex, 16)).toBe(number);
        expect(parseNumber(`${hex.slice(0, 8)}\`${hex.slice(8)}`, 16)).toBe(number);
        expect(parseNumber(`0x${hex}`, 10)).toBe(number);
      }),
    );
  });
});

describe('MASM expressions', () => {
  it.each<[string, bigint]>([
    ['1+2*3', 7n],
    ['(1+2)*3', 9n],
    ['10-2-3', 0xbn],
    ['100/10%3', 1n],
    ['7 mod 4', 3n],
    ['1<<4+1', 32n],
    ['-1', 0xffffffffffffffffn],
    ['-1>>3c', 0xfn],
    ['-1>>>3c', 0xffffffffffffffffn],
    ['1<<ff', 0n],
    ['5=5', 1n],
    ['5==4', 0n],
    ['5!=4', 1n],
    ['-1<1', 0n],
    ['4<=4', 1n],
    ['f0 and 3c or 1', 0x31n],
    ['f0&3c|1', 0x31n],
    ['6 xor 3', 5n],
    ['6^3', 5n],
    ['not 5', 0n],
    ['not 0', 1n],
    ['hi 12345678', 0x1234n],
    ['low 12345678', 0x5678n],
    ['by(1000)', 1n],
    ['wo(1000)', 0x201n],
    ['dwo(1000)', 0x4030201n],
    ['qwo(1000)', 0x807060504030201n],
    ['poi 1000', 0x807060504030201n],
    ['poi(rsp)+1', 0x807060504030202n],
    ['$pdwo(0)', 0xffffffffeeeeeeeen & 0xffffffffn],
    ['rax', 5n],
    ['@rax+1', 6n],
    ['RAX', 5n],
    ['!rax', 0x77n],
    ['@@masm(rax)*2', 10n],
    ['$t0', 0n],
    ['@$ip', 0x1234n],
    ['.', 0x1234n],
    ['.+4', 0x1238n],
    ['nt!Foo+10', 0xfffff80000002010n],
    ['nt', 0xfffff80000000000n],
    ['std::vector::size', 0x88n],
    ['zf!=0', 1n],
    ['0x10 + 0n10 * (2 - 1)', 26n],
  ])('%s', async (text, expected) => {
    expect(await value(text)).toBe(expected);
  });

  it.each<[string, string]>([
    ['foo', "Couldn't resolve error at 'foo'"],
    ['1 + zoo+1', "Couldn't resolve error at 'zoo+1'"],
    ['@foo', "Bad register error at '@foo'"],
    ['$nosuch', "Syntax error at '$nosuch'"],
    ['', "Numeric expression missing from '<EOL>'"],
    ['1+', "Numeric expression missing from '<EOL>'"],
    ['*2', "Numeric expression missing from '*2'"],
    ['(1', "Syntax error at '<EOL>'"],
    ['1)', "Extra character error at ')'"],
    ['1 2', "Extra character error at '2'"],
    ['1zz', "Syntax error at '1zz'"],
    ['{', "Syntax error at '{'"],
    ['5/0', "Operand error at '0'"],
    ['5%(1-1)', "Operand error at '1-1)'"],
    ['poi(0)', "Memory access error at 'poi(0)'"],
    ['1ffffffffffffffff', "Overflow error at '1ffffffffffffffff'"],
  ])('%s fails with %s', async (text, message) => {
    expect(await error(text)).toBe(message);
  });

  it('ends where the expression ends when more may follow', () => {
    expect(parseExpressionAt('dd rsp+8 L4', 3)).toMatchObject({ end: 8 });
    expect(parseExpressionAt('1000 2000', 0)).toMatchObject({ end: 4 });
    expect(parseExpressionAt('poi(rsp),3', 0)).toMatchObject({ end: 8 });
  });

  it('agrees with arithmetic modulo 2^64', async () => {
    const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    const wrap = (n: bigint) => BigInt.asUintN(64, n);
    const operators: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
      '+': (a, b) => a + b,
      '-': (a, b) => a - b,
      '*': (a, b) => a * b,
      '&': (a, b) => a & b,
      '|': (a, b) => a | b,
      '^': (a, b) => a ^ b,
    };
    const text = (n: bigint) => n.toString(16).padStart(16, '0');
    await fc.assert(
      fc.asyncProperty(
        word,
        word,
        word,
        fc.constantFrom(...'+-*&|^'),
        fc.constantFrom(...'+-*&|^'),
        async (a, b, c, x, y) => {
          const expected = wrap(operators[y]?.(wrap(operators[x]?.(a, b) ?? 0n), c) ?? 0n);
          expect(await value(`(${text(a)} ${x} ${text(b)})${y}${text(c)}`)).toBe(expected);
        },
      ),
    );
  });

  it('gives a value or one line, whatever the text', async () => {
    const pieces = fc.constantFrom(
      ...'()+-*/%<>=!&|^.@$` \t',
      'poi',
      'not',
      'nt!foo',
      '0x',
      '1',
      'ff',
      'rax',
      '::',
      '"',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 30 }),
        async (parts) => {
          expect(await error(parts.join(''))).toMatch(/^(value \d+|[^\n]+)$/s);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('refuses what is nested too deep or too long', async () => {
    expect(await error(`${'('.repeat(5000)}1`)).toMatch(/^Overflow error/);
    expect(await error(`${'-'.repeat(1000)}1`)).toMatch(/^Syntax error/);
    expect(await error(`${'1+'.repeat(2000)}1`)).toBe('value 2001');
  });
});
