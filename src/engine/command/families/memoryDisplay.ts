/** d da db dc dd dD df dp dq du dw dW dds dps dqs */
import { formatAddress } from '../../arch/format';
import { UserError } from '../../base/errors';
import { Arguments } from '../arguments';
import type { CommandContext } from '../command';
import type { Engine } from '../engine';
import type { MaskedBytes, Space } from '../memory';
import { readMasked } from '../memory';
import type { CommandRow } from '../rows';

const family = 'Memory';
const CHUNK = 0x1000;
const STRING_LINE = 48;
const MAX_STRING = 0x10000;
const MAX_COLUMNS = 256n;

interface Format {
  readonly unit: number;
  /** Objects shown when no range is given. */
  readonly count: number;
  readonly columns: number;
  readonly ascii?: boolean;
  /** Between the columns at `index - 1` and `index`. */
  separator?(index: number, columns: number): string;
  show(view: DataView, offset: number): string;
  readonly unreadable: string;
}

const hex = (digits: number) => (value: number | bigint) => value.toString(16).padStart(digits, '0');
const qword = (view: DataView, at: number) => formatAddress(view.getBigUint64(at, true));

const byte: Format = {
  unit: 1,
  count: 128,
  columns: 16,
  ascii: true,
  separator: (index, columns) => (index === 8 && columns === 16 ? '-' : ' '),
  show: (view, at) => hex(2)(view.getUint8(at)),
  unreadable: '??',
};
const word: Format = {
  unit: 2,
  count: 64,
  columns: 8,
  show: (view, at) => hex(4)(view.getUint16(at, true)),
  unreadable: '????',
};
const dword: Format = {
  unit: 4,
  count: 32,
  columns: 4,
  show: (view, at) => hex(8)(view.getUint32(at, true)),
  unreadable: '????????',
};
const quad: Format = { unit: 8, count: 16, columns: 2, show: qword, unreadable: '????????`????????' };
const float: Format = {
  unit: 4,
  count: 16,
  columns: 4,
  show: (view, at) => real(view.getFloat32(at, true), 9).padStart(16),
  unreadable: '????????????????',
};
const double: Format = {
  unit: 8,
  count: 15,
  columns: 3,
  show: (view, at) => real(view.getFloat64(at, true), 17).padStart(24),
  unreadable: '????????????????????????',
};

const formats: Readonly<Record<string, Format>> = {
  db: byte,
  dw: word,
  dW: { ...word, ascii: true },
  dd: dword,
  dc: { ...dword, ascii: true },
  dq: quad,
  df: float,
  dD: double,
};

/** Words with the nearest symbol. */
const symbolFormats: Readonly<Record<string, Format>> = {
  dds: { ...dword, columns: 1 },
  dqs: { ...quad, columns: 1 },
};

function real(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Infinity' : 'Infinity';
  return Number(value.toPrecision(digits)).toString();
}

interface Request {
  readonly address: bigint;
  readonly count: bigint;
  readonly counted: boolean;
  readonly columns: number | undefined;
  readonly space: Space;
}

async function parse(engine: Engine, text: string, unit: number, count: number): Promise<Request> {
  const args = new Arguments(engine, text);
  let columns: number | undefined;
  let space: Space = 'virtual';
  for (;;) {
    if (args.take(/\/c\s*/y)) {
      const wanted = await args.expression();
      if (wanted < 1n || wanted > MAX_COLUMNS) args.fail('Range', 0);
      columns = Number(wanted);
    } else if (args.take(/\/p(?:\[(?:c|uc|wc)\])?(?=\s|$)/y)) {
      space = 'physical';
    } else {
      break;
    }
    args.separator();
  }
  if (args.rest.startsWith('/')) args.fail('Syntax');
  if (args.atEnd) {
    const address = engine.cursor.data ?? (await engine.registers()).pc;
    return { address, count: BigInt(count), counted: false, columns, space };
  }
  const range = await args.range(unit);
  args.end();
  return {
    address: range.address,
    count: range.count ?? BigInt(count),
    counted: range.count !== undefined,
    columns,
    space,
  };
}

async function showUnits(
  context: CommandContext,
  text: string,
  format: Format,
  symbols: boolean,
): Promise<void> {
  const { engine, signal, write } = context;
  const { address, count, columns: wanted, space } = await parse(engine, text, format.unit, format.count);
  const columns = wanted ?? format.columns;
  const line = columns * format.unit;
  const total = count * BigInt(format.unit);
  for (let done = 0n; done < total;) {
    signal.throwIfAborted();
    const left = total - done;
    const chunk = BigInt(Math.max(Math.floor(CHUNK / line), 1) * line);
    const length = Number(left < chunk ? left : chunk);
    const from = BigInt.asUintN(64, address + done);
    const memory = await readMasked(engine, from, length, space, signal);
    write(await lines(engine, memory, from, format, columns, symbols));
    await context.drained();
    done += BigInt(length);
  }
  engine.cursor.data = BigInt.asUintN(64, address + total);
}

async function lines(
  engine: Engine,
  { bytes, valid }: MaskedBytes,
  address: bigint,
  format: Format,
  columns: number,
  symbols: boolean,
): Promise<string> {
  const view = new DataView(bytes.buffer);
  let text = '';
  for (let start = 0; start < bytes.length; start += columns * format.unit) {
    const end = Math.min(start + columns * format.unit, bytes.length);
    let row = '';
    for (let column = 0; column < columns; column++) {
      const at = start + column * format.unit;
      if (column > 0) row += at < end ? (format.separator?.(column, columns) ?? ' ') : ' ';
      if (at >= end) row += ' '.repeat(format.unreadable.length);
      else if (valid.subarray(at, at + format.unit).every((flag) => flag === 1)) row += format.show(view, at);
      else row += format.unreadable;
    }
    if (format.ascii) row += `  ${ascii(bytes, valid, start, end)}`;
    if (symbols && valid[start] === 1) {
      const pointer = format.unit === 8 ? view.getBigUint64(start, true) : BigInt(view.getInt32(start, true));
      const symbol = await engine.symbolFor(BigInt.asUintN(64, pointer));
      if (symbol !== undefined) row += ` ${symbol}`;
    }
    text += `${formatAddress(address + BigInt(start))}  ${row.trimEnd()}\n`;
  }
  return text;
}

function ascii(bytes: Uint8Array, valid: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) {
    const code = bytes[i] ?? 0;
    text += valid[i] !== 1 ? '?' : code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.';
  }
  return text;
}

/** `da`, `du`: to the NUL, the end of the range, or what cannot be read. */
async function showString(context: CommandContext, text: string, unit: 1 | 2): Promise<void> {
  const { engine, signal, write } = context;
  const { address, count, counted, columns, space } = await parse(engine, text, unit, MAX_STRING);
  const perLine = columns ?? STRING_LINE;
  const limit = Number(count < BigInt(MAX_STRING) ? count : BigInt(MAX_STRING));
  let shown = 0;
  let finished = false;
  while (shown < limit && !finished) {
    const length = Math.min(perLine, limit - shown);
    const from = BigInt.asUintN(64, address + BigInt(shown * unit));
    const { bytes, valid } = await readMasked(engine, from, length * unit, space, signal);
    let line = '';
    let used = 0;
    for (; used < length; used++) {
      const at = used * unit;
      const readable = valid[at] === 1 && valid[at + unit - 1] === 1;
      const code = (bytes[at] ?? 0) | (unit === 2 ? (bytes[at + 1] ?? 0) << 8 : 0);
      finished = readable ? code === 0 : !counted;
      if (!readable) line += '?';
      if (finished) break;
      if (readable) line += printable(code, unit);
    }
    if (line !== '' || shown === 0) write(`${formatAddress(from)}  "${line}"\n`);
    shown += finished ? used + 1 : used;
  }
  engine.cursor.data = BigInt.asUintN(64, address + BigInt(shown * unit));
}

function printable(code: number, unit: 1 | 2): string {
  const character = String.fromCharCode(code);
  const plain = code >= 0x20 && code < 0x7f;
  return plain || (unit === 2 && /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)) ? character : '.';
}

function isWide(engine: Engine): boolean {
  return (engine.target.architecture?.pointerSize ?? 8) === 8;
}

async function display(context: CommandContext, name: string, args: string): Promise<void> {
  const { engine } = context;
  const symbolFormat = name === 'dps' ? symbolFormats[isWide(engine) ? 'dqs' : 'dds'] : symbolFormats[name];
  const format = name === 'dp' ? formats[isWide(engine) ? 'dq' : 'dd'] : formats[name];
  if (name === 'da' || name === 'du') await showString(context, args, name === 'da' ? 1 : 2);
  else if (symbolFormat) await showUnits(context, args, symbolFormat, true);
  else if (format) await showUnits(context, args, format, false);
  else throw new UserError(`Syntax error at '${name}'`);
  engine.cursor.dataCommand = name;
}

const described: readonly (readonly [name: string, what: string, tier: 1 | 2 | 3])[] = [
  ['da', 'an ASCII string', 1],
  ['db', 'bytes and ASCII', 1],
  ['dc', 'double words and ASCII', 2],
  ['dd', 'double words', 1],
  ['dD', 'double-precision numbers', 3],
  ['df', 'single-precision numbers', 3],
  ['dp', 'pointers', 1],
  ['dq', 'quad words', 1],
  ['du', 'a UTF-16 string', 1],
  ['dw', 'words', 2],
  ['dW', 'words and ASCII', 2],
  ['dds', 'double words with their symbols', 1],
  ['dps', 'pointers with their symbols', 1],
  ['dqs', 'quad words with their symbols', 1],
];

export const memoryDisplayCommands: readonly CommandRow[] = [
  {
    name: 'd',
    syntax: 'd [RANGE]',
    summary: 'Shows memory in the form used last.',
    tier: 1,
    family,
    whileRunning: 'wait',
    observer: true,
    repeat: true,
    run: (context, args) => display(context, context.engine.cursor.dataCommand, args),
  },
  ...described.map(([name, what, tier]): CommandRow => ({
    name,
    syntax: `${name} [/cN] [/p] [ADDR | ADDR L COUNT | ADDR END]`,
    summary: `Shows memory as ${what}.`,
    tier,
    family,
    caseSensitive: /[dwDW]$/.test(name),
    whileRunning: 'wait',
    observer: true,
    repeat: true,
    run: (context, args) => display(context, name, args),
  })),
];
