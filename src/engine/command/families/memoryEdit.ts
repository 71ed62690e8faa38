/** eb ew ed eq ep ea eu eza ezu */
import { UserError } from '../../base/errors';
import { Arguments } from '../arguments';
import type { CommandContext } from '../command';
import type { CommandRow } from '../rows';

const family = 'Memory';
const units: Readonly<Record<string, number>> = { eb: 1, ew: 2, ed: 4, eq: 8, ep: 8 };

async function enterNumbers(context: CommandContext, name: string, text: string): Promise<void> {
  const { engine } = context;
  const unit = name === 'ep' ? (engine.target.architecture?.pointerSize ?? 8) : (units[name] ?? 1);
  const args = new Arguments(engine, text);
  const physical = args.take(/\/p(?:\[(?:c|uc|wc)\])?(?=\s)/y) !== undefined;
  const address = await args.expression();
  const bytes: number[] = [];
  args.separator();
  while (!args.atEnd) {
    const characters = args.take(/'([^']*)'/y);
    if (characters) {
      const codes = Buffer.from(characters[1] ?? '', 'latin1');
      if (codes.length === 0 || codes.length > unit) args.fail('Overflow');
      for (let i = 0; i < unit; i++) bytes.push(codes[i] ?? 0);
    } else {
      const where = args.rest;
      pushValue(bytes, await args.expression(), unit, where);
    }
    args.separator();
  }
  if (bytes.length === 0) {
    throw new UserError(`Values are missing: ${name} ADDR VALUE…, separated by spaces.`);
  }
  await write(context, address, Uint8Array.from(bytes), physical);
}

/** A value fits when it does so signed or unsigned: `eb x ff` and `eb x -1` are the same. */
function pushValue(bytes: number[], value: bigint, unit: number, where: string): void {
  const bits = unit * 8;
  const signed = BigInt.asIntN(64, value);
  if (BigInt.asUintN(bits, value) !== value && BigInt.asIntN(bits, value) !== signed) {
    throw new UserError(`Overflow error at '${where}'`);
  }
  for (let i = 0; i < unit; i++) bytes.push(Number((value >> BigInt(8 * i)) & 0xffn));
}

async function enterText(context: CommandContext, name: string, text: string): Promise<void> {
  const args = new Arguments(context.engine, text);
  const physical = args.take(/\/p(?:\[(?:c|uc|wc)\])?(?=\s)/y) !== undefined;
  const address = await args.expression();
  args.separator();
  const quoted = args.take(/"([^"]*)"/y) ?? args.take(/([^"\s]+)/y);
  if (!quoted) throw new UserError(`Text is missing: ${name} ADDR "TEXT".`);
  args.end();
  const body = (quoted[1] ?? '') + (name.includes('z') ? '\0' : '');
  await write(context, address, Buffer.from(body, name.endsWith('u') ? 'utf16le' : 'latin1'), physical);
}

async function write(
  { engine }: CommandContext,
  address: bigint,
  bytes: Uint8Array,
  physical: boolean,
): Promise<void> {
  const { target } = engine;
  const written = await (physical
    ? target.writePhysical(address, bytes)
    : target.writeVirtual(address, bytes));
  if (written < bytes.length) {
    const where = BigInt.asUintN(64, address + BigInt(written)).toString(16);
    throw new UserError(
      `Memory access error at '0x${where}': ${written} of ${bytes.length} bytes were written.`,
    );
  }
}

const numbers: readonly (readonly [name: string, what: string])[] = [
  ['eb', 'bytes'],
  ['ew', 'words'],
  ['ed', 'double words'],
  ['eq', 'quad words'],
  ['ep', 'pointers'],
];
const texts: readonly (readonly [name: string, what: string])[] = [
  ['ea', 'an ASCII string'],
  ['eu', 'a UTF-16 string'],
  ['eza', 'an ASCII string with its NUL'],
  ['ezu', 'a UTF-16 string with its NUL'],
];

export const memoryEditCommands: readonly CommandRow[] = [
  ...numbers.map(([name, what]): CommandRow => ({
    name,
    syntax: `${name} [/p] ADDR VALUE…`,
    summary: `Writes ${what} to memory.`,
    tier: 1,
    family,
    // eD would be another command.
    caseSensitive: name === 'ed',
    whileRunning: 'wait',
    run: (context, args) => enterNumbers(context, name, args),
  })),
  ...texts.map(([name, what]): CommandRow => ({
    name,
    syntax: `${name} [/p] ADDR "TEXT"`,
    summary: `Writes ${what} to memory.`,
    tier: 2,
    family,
    whileRunning: 'wait',
    run: (context, args) => enterText(context, name, args),
  })),
];
