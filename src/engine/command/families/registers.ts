/** r rm rM rF rX, for any processor */
import type { Registers } from '../../arch/registers';
import { Registers as RegisterTable } from '../../arch/registers';
import { UserError } from '../../base/errors';
import { Arguments } from '../arguments';
import type { CommandContext } from '../command';
import type { Engine } from '../engine';
import type { CommandRow } from '../rows';
import { instructionLine } from '../stopText';

const family = 'Registers';

const maskBits: readonly (readonly [bit: number, text: string])[] = [
  [0x2, 'Integer state (64-bit)'],
  [0x4, 'Floating-point state'],
  [0x8, 'Segment registers'],
  [0x10, 'MMX registers'],
  [0x20, 'Debug registers and, in kernel, CR4'],
  [0x40, 'SSE XMM registers'],
  [0x80, 'In kernel, control registers, CR0 etc.'],
  [0x100, 'In kernel, descriptor and task state registers'],
  [0x800, 'SSE XMM integer registers'],
];
const VALID_MASK = maskBits.reduce((all, [bit]) => all | bit, 1);

/** The mask is the session's, like the number base; a debugger starts with integers and segments. */
const masks = new WeakMap<Engine, number>();
const defaultMask = (engine: Engine) => masks.get(engine) ?? 0xa;

const flagWords: readonly (readonly [flag: string, set: string, clear: string])[] = [
  ['of', 'ov', 'nv'],
  ['df', 'dn', 'up'],
  ['if', 'ei', 'di'],
  ['sf', 'ng', 'pl'],
  ['zf', 'zr', 'nz'],
  ['af', 'ac', 'na'],
  ['pf', 'pe', 'po'],
  ['cf', 'cy', 'nc'],
];

/** One line of the dump per row. */
const integerRows = [
  ['rax', 'rbx', 'rcx'],
  ['rdx', 'rsi', 'rdi'],
  ['rip', 'rsp', 'rbp'],
  ['r8', 'r9', 'r10'],
  ['r11', 'r12', 'r13'],
  ['r14', 'r15'],
];
const debugRows = [['dr0', 'dr1', 'dr2'], ['dr3', 'dr6', 'dr7'], ['cr4']];
const controlRows = [['cr0', 'cr2', 'cr3'], ['cr8']];
const descriptorRows = [
  ['gdtr', 'gdtl', 'idtr', 'idtl'],
  ['tr', 'ldtr'],
];

function pair(registers: Registers, name: string, width = 3): string {
  const size = RegisterTable.find(registers.architecture, name)?.size ?? 8;
  return `${name.padStart(width)}=${registers
    .get(name)
    .toString(16)
    .padStart(size * 2, '0')}`;
}

function table(registers: Registers, rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map((name) => pair(registers, name)).join(' ')}\n`).join('');
}

function numbered(registers: Registers, prefix: string, count: number): string {
  const rows: string[] = [];
  for (let i = 0; i < count; i += 2) {
    rows.push(`${pair(registers, `${prefix}${i}`, 5)} ${pair(registers, `${prefix}${i + 1}`, 5)}\n`);
  }
  return rows.join('');
}

function floats(registers: Registers): string {
  const rows = [`${['fpcw', 'fpsw', 'fptw'].map((name) => pair(registers, name)).join(' ')}\n`];
  for (let i = 0; i < 8; i++) rows.push(`${showOne(registers, `st${i}`)}\n`);
  return rows.join('');
}

function xmm(registers: Registers): string {
  const rows: string[] = [];
  for (let i = 0; i < 16; i++) rows.push(`${showOne(registers, `xmm${i}`)}\n`);
  return rows.join('');
}

/** The dump of `r`, by mask, without the instruction. */
export function registerDump(registers: Registers, mask: number): string {
  let text = '';
  const flags = flagWords.map(([flag, set, clear]) => (registers.get(flag) === 1n ? set : clear)).join(' ');
  const iopl = `iopl=${registers.get('iopl').toString(16)}         ${flags}`;
  if (mask & 3) text += `${table(registers, integerRows)}${iopl}\n`;
  if (mask & 8) {
    const segments = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'].map((name) => pair(registers, name, 2)).join('  ');
    text += `${segments}             ${pair(registers, 'efl')}\n`;
  } else if (mask & 3) {
    text += `${pair(registers, 'efl')}\n`;
  }
  if (mask & 4) text += floats(registers);
  if (mask & 0x10) text += numbered(registers, 'mm', 8);
  if (mask & 0x20) text += table(registers, debugRows);
  if (mask & 0x40) text += xmm(registers);
  if (mask & 0x800) text += numbered(registers, 'xmm', 16);
  if (mask & 0x80) text += table(registers, controlRows);
  if (mask & 0x100) text += table(registers, descriptorRows);
  return text;
}

/** Four floats of an xmm register, or the one of an x87 register, from the highest down as WinDbg shows them. */
function showOne(registers: Registers, name: string): string {
  const info = RegisterTable.find(registers.architecture, name);
  if (!info) throw new UserError(`Bad register error at '${name}'`);
  const value = registers.get(name);
  if (info.bit !== undefined) return `${info.name}=${value.toString(16)}`;
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setBigUint64(0, value & 0xffff_ffff_ffff_ffffn, true);
  bytes.setBigUint64(8, value >> 64n, true);
  if (info.size === 16) {
    const parts = [12, 8, 4, 0].map((at) => formatFloat(bytes.getFloat32(at, true)));
    return `${info.name}=${parts.map((part) => part.padStart(13)).join(' ')}`;
  }
  if (info.size === 10) {
    const raw = value.toString(16).padStart(20, '0');
    return `${info.name}=${formatExtended(value).padStart(25)} (${raw.slice(0, 4)}:${raw.slice(4)})`;
  }
  return pair(registers, info.name, 0);
}

function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  return Number(value.toPrecision(6)).toString();
}

/** An 80-bit number, as far as a double can show it. */
function formatExtended(value: bigint): string {
  const exponent = Number((value >> 64n) & 0x7fffn);
  const mantissa = Number(value & 0xffff_ffff_ffff_ffffn);
  if (exponent === 0x7fff) return 'special';
  const magnitude = mantissa === 0 ? 0 : mantissa * 2 ** (exponent - 16383 - 63);
  return ((value >> 79n) & 1n ? -magnitude : magnitude).toExponential(15);
}

async function run(context: CommandContext, text: string, processor?: number): Promise<void> {
  const { engine, write } = context;
  const args: Arguments = new Arguments(engine, text);
  if (args.atEnd) return dump(context, defaultMask(engine), processor);
  const shown: string[] = [];
  const changes: { name: string; value: bigint }[] = [];
  while (!args.atEnd) {
    const name = args.take(/@?([$A-Za-z][A-Za-z0-9]*)/y)?.[1];
    if (name === undefined) args.fail('Syntax');
    if (args.take(/=(?!=)/y)) {
      if (processor !== undefined) args.fail('Syntax');
      changes.push({ name, value: await args.expression() });
    } else {
      shown.push(await value(engine, name, processor));
    }
    if (args.atEnd) break;
    if (!args.take(/[,\s]*(?=[@$A-Za-z])/y)) args.fail('Extra character');
  }
  await check(engine, changes);
  for (const change of changes) await engine.setRegister(registerName(engine, change.name), change.value);
  if (shown.length > 0) write(`${shown.join(' ')}\n`);
}

/** All names and widths are tried before anything is changed. */
async function check(engine: Engine, changes: readonly { name: string; value: bigint }[]): Promise<void> {
  if (changes.length === 0) return;
  const trial = await engine.registers();
  for (const { name, value: wanted } of changes) {
    if (/^\$t1?[0-9]$/i.test(name)) continue;
    trial.set(registerName(engine, name), wanted);
  }
}

/** Pseudo-registers that are machine registers by another name. */
function registerName(engine: Engine, name: string): string {
  const architecture = engine.target.architecture;
  const lower = name.toLowerCase();
  if (lower === '$ip') return architecture?.instructionPointer ?? name;
  if (lower === '$csp') return architecture?.stackPointer ?? name;
  return name;
}

async function value(engine: Engine, name: string, processor: number | undefined): Promise<string> {
  if (name.startsWith('$')) {
    const number = await engine.evaluate(`@${name}`);
    return `${name}=${number.toString(16).padStart(16, '0')}`;
  }
  return showOne(await engine.registers(processor), name);
}

async function dump({ engine, write }: CommandContext, mask: number, processor?: number): Promise<void> {
  const registers = await engine.registers(processor);
  write(registerDump(registers, mask));
  const [row] = await engine.disassemble(registers.pc, 0, 1);
  if (!row) return;
  write(`${row.symbol === undefined ? '' : `${row.symbol}:\n`}${instructionLine(row)}\n`);
}

async function mask({ engine, write }: CommandContext, text: string): Promise<void> {
  const list = (bits: number) =>
    maskBits
      .filter(([bit]) => (bits & bit) !== 0)
      .map(([bit, meaning]) => `${bit.toString(16).padStart(8)} - ${meaning}\n`)
      .join('');
  if (text.trim() === '?') return write(list(VALID_MASK));
  const args = new Arguments(engine, text);
  if (!args.atEnd) {
    const wanted = await args.expression();
    args.end();
    const bits = Number(BigInt.asUintN(32, wanted));
    const invalid = (bits & ~VALID_MASK) >>> 0;
    if (invalid !== 0) write(`Ignored invalid bits ${invalid.toString(16)}\n`, 'warning');
    masks.set(engine, bits & VALID_MASK);
  }
  write(`Register output mask is ${defaultMask(engine).toString(16)}:\n${list(defaultMask(engine))}`);
}

function masked(name: string, bits: number, summary: string): CommandRow {
  return {
    name,
    caseSensitive: true,
    syntax: name,
    summary,
    tier: 3,
    family,
    whileRunning: 'wait',
    observer: true,
    async run(context, text) {
      if (text.trim() !== '') throw new UserError(`Extra character error at '${text.trim()}'`);
      context.write(registerDump(await context.engine.registers(), bits));
    },
  };
}

export const registerCommands: readonly CommandRow[] = [
  {
    name: 'r',
    syntax: 'r [REG[=VALUE][, REG[=VALUE]]…]',
    summary:
      'Shows or sets registers; flags and pseudo-registers by name, another processor with its number before r.',
    tier: 1,
    family,
    whileRunning: 'wait',
    run,
    runOn: run,
  },
  {
    name: 'rm',
    caseSensitive: true,
    syntax: 'rm [?|MASK]',
    summary: 'Shows or sets which registers r shows.',
    tier: 2,
    family,
    whileRunning: 'run',
    run: mask,
  },
  {
    name: 'rM',
    caseSensitive: true,
    syntax: 'rM MASK',
    summary: 'Shows registers by a mask, once.',
    tier: 2,
    family,
    whileRunning: 'wait',
    observer: true,
    async run(context, text) {
      const args = new Arguments(context.engine, text);
      const wanted = await args.expression();
      args.end();
      const bits = Number(BigInt.asUintN(32, wanted));
      const invalid = (bits & ~VALID_MASK) >>> 0;
      if (invalid !== 0) context.write(`Ignored invalid bits ${invalid.toString(16)}\n`, 'warning');
      await dump(context, bits & VALID_MASK);
    },
  },
  masked('rF', 4, 'Shows the floating-point registers.'),
  masked('rX', 0x40, 'Shows the XMM registers.'),
];
