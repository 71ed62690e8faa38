/**
 * Splits a MASM expression into tokens. Whether a word like `face` is a number depends on the radix, so numbers are
 * told from names here; whether a name is a register or a symbol is decided when it is evaluated.
 */

export type Radix = 8 | 10 | 16;

export type Token =
  | { readonly kind: 'number'; readonly start: number; readonly end: number; readonly value: bigint }
  /** `text` is without `@`; `at` tells whether it was there. */
  | {
      readonly kind: 'name';
      readonly start: number;
      readonly end: number;
      readonly text: string;
      readonly at: boolean;
    }
  | { readonly kind: 'symbol'; readonly start: number; readonly end: number; readonly text: string }
  | { readonly kind: 'end'; readonly start: number; readonly end: number }
  | {
      readonly kind: 'bad';
      readonly start: number;
      readonly end: number;
      readonly problem: 'Syntax' | 'Overflow';
    };

const MAX_64 = (1n << 64n) - 1n;
const prefixes: Readonly<Record<string, number>> = { '0x': 16, '0n': 10, '0t': 8, '0y': 2 };
const digitsOf: Readonly<Record<number, RegExp>> = {
  2: /^[01`]*$/,
  8: /^[0-7`]*$/,
  10: /^[0-9`]*$/,
  16: /^[0-9a-f`]*$/i,
};
/** Longest first. */
const symbols = [
  '>>>',
  '<<',
  '>>',
  '==',
  '<=',
  '>=',
  '!=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '&',
  '^',
  '|',
  '=',
  '<',
  '>',
  '(',
  ')',
  '.',
];
const word = /@{0,2}!?[A-Za-z0-9_$?](?:[A-Za-z0-9_$?@~`]|!(?!=)|::)*/y;

/** The token at or after `offset`, white space skipped. */
export function tokenAt(text: string, offset: number, radix: Radix): Token {
  let start = offset;
  while (start < text.length && /\s/.test(text.charAt(start))) start++;
  if (start >= text.length) return { kind: 'end', start, end: start };
  word.lastIndex = start;
  const match = word.exec(text);
  if (match) return wordToken(match[0], start, radix);
  const symbol = symbols.find((candidate) => text.startsWith(candidate, start));
  if (symbol !== undefined) return { kind: 'symbol', start, end: start + symbol.length, text: symbol };
  return { kind: 'bad', start, end: start + 1, problem: 'Syntax' };
}

function wordToken(text: string, start: number, radix: Radix): Token {
  const end = start + text.length;
  const number = parseNumber(text, radix);
  if (number === 'overflow') return { kind: 'bad', start, end, problem: 'Overflow' };
  if (number !== undefined) return { kind: 'number', start, end, value: number };
  if (/^[0-9]/.test(text)) return { kind: 'bad', start, end, problem: 'Syntax' };
  const at = text.startsWith('@');
  return { kind: 'name', start, end, text: at ? text.slice(1) : text, at };
}

/**
 * A constant as kernel-mode debugging reads it: 80000000..FFFFFFFF are sign-extended to 64 bits unless written with
 * a backtick or more than eight digits. Undefined when the text is no number.
 */
export function parseNumber(text: string, radix: Radix): bigint | 'overflow' | undefined {
  const prefix = prefixes[text.slice(0, 2).toLowerCase()];
  let base: number = radix;
  let digits = text;
  if (prefix !== undefined && digitsOf[prefix]?.test(text.slice(2))) {
    base = prefix;
    digits = text.slice(2);
    if (digits === '') return 0n;
  } else if (/^[0-9a-f][0-9a-f`]*h$/i.test(text)) {
    base = 16;
    digits = text.slice(0, -1);
  }
  if (!digitsOf[base]?.test(digits) || !/^[0-9a-f]/i.test(digits)) return undefined;
  const plain = digits.replaceAll('`', '');
  // Longer than any 64-bit number in base 2 with room for leading zeros.
  if (plain.length > 128) return 'overflow';
  let value = 0n;
  for (const digit of plain) value = value * BigInt(base) + BigInt(parseInt(digit, base));
  if (value > MAX_64) return 'overflow';
  const short = base !== 16 || plain.length <= 8;
  const extend = short && !digits.includes('`') && value >= 0x8000_0000n && value <= 0xffff_ffffn;
  return extend ? value | 0xffff_ffff_0000_0000n : value;
}
