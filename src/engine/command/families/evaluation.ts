/** ? .formats n */
import { formatAddress } from '../../arch/format';
import { UserError } from '../../base/errors';
import type { Radix } from '../../expression/tokens';
import { formatFileTime } from '../../nt/sharedData';
import type { CommandContext } from '../command';
import type { CommandRow } from '../rows';

const family = 'Evaluation';

async function evaluate({ engine, write }: CommandContext, text: string): Promise<void> {
  const value = await engine.evaluate(text);
  write(`Evaluate expression: ${BigInt.asIntN(64, value)} = ${formatAddress(value)}\n`);
}

async function formats({ engine, write }: CommandContext, text: string): Promise<void> {
  const value = await engine.evaluate(text);
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, value);
  let binary = '';
  let characters = '';
  for (let i = 0; i < 8; i++) {
    const byte = bytes.getUint8(i);
    binary += ` ${byte.toString(2).padStart(8, '0')}`;
    characters += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  const signed = BigInt.asIntN(64, value);
  const lines = [
    'Evaluate expression:',
    `  Hex:     ${formatAddress(value)}`,
    `  Decimal: ${signed}`,
    ...(signed < 0n ? [`  Decimal (unsigned) : ${value}`] : []),
    `  Octal:   ${value.toString(8).padStart(22, '0')}`,
    `  Binary: ${binary}`,
    `  Chars:   ${characters}`,
    `  Time:    ${time(value)}`,
    `  Float:   low ${float(bytes.getFloat32(4))} high ${float(bytes.getFloat32(0))}`,
    `  Double:  ${float(bytes.getFloat64(0))}`,
  ];
  write(lines.map((line) => `${line}\n`).join(''));
}

/** Small values as seconds since 1970, large ones as 100 ns since 1601. */
function time(value: bigint): string {
  const offset = -new Date().getTimezoneOffset();
  const fileTime = value <= 0x7fff_ffffn ? (value + 11_644_473_600n) * 10_000_000n : value;
  const text = formatFileTime(fileTime, offset).replace(/ \(UTC.*$/, '');
  return fileTime === value ? text : text.replace(/\.000/, '');
}

function float(value: number): string {
  return Number.isFinite(value) ? Number(value.toPrecision(6)).toString() : String(value);
}

export const evaluationCommands: readonly CommandRow[] = [
  {
    name: '?',
    open: true,
    syntax: '? EXPR',
    summary: 'Evaluates an expression; without one, lists the commands.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    run: evaluate,
  },
  {
    name: '.formats',
    syntax: '.formats EXPR',
    summary: 'Shows a value in several number formats.',
    tier: 2,
    family,
    whileRunning: 'run',
    observer: true,
    run: formats,
  },
  {
    name: 'n',
    syntax: 'n [8|10|16]',
    summary: 'Shows or sets the default number base.',
    tier: 2,
    family,
    whileRunning: 'run',
    async run({ engine, write }, text) {
      const wanted = text.trim();
      if (wanted !== '') {
        const radix = ([8, 10, 16] satisfies Radix[]).find((base) => base === Number(wanted));
        if (radix === undefined) throw new UserError(`Syntax error at '${wanted}': the base is 8, 10 or 16.`);
        engine.radix = radix;
      }
      write(`base is ${engine.radix}\n`);
    },
  },
];
