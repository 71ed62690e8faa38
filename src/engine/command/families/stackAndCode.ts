/** k and its variants; u ub uf */
import { formatAddress } from '../../arch/format';
import { UserError } from '../../base/errors';
import { dataView } from '../../image/reader';
import { Arguments } from '../arguments';
import type { CommandContext } from '../command';
import type { Engine, StackFrame } from '../engine';
import type { CommandRow } from '../rows';
import { listing } from '../stopText';

const DEFAULT_FRAMES = 0x100n;
const MAX_FRAMES = 0x400n;
const DEFAULT_INSTRUCTIONS = 8n;
const MAX_INSTRUCTIONS = 10_000n;
const ARGUMENTS_HEADER = `: ${'Args to Child'.padEnd(71)} :`;

async function stack(context: CommandContext, text: string, processor?: number): Promise<void> {
  const { engine, write } = context;
  const args = new Arguments(engine, text);
  const flags = args.take(/[bcnfvpPLM]*(?=[\s,]|$|[0-9@$(])/y)?.[0] ?? '';
  args.take(/[lL]\s*(?=[0-9@$(])/y);
  if (args.rest.startsWith('=')) {
    throw new UserError(`Syntax error at '${args.rest}': a stack of its own cannot be given here.`);
  }
  const count = args.atEnd ? DEFAULT_FRAMES : await args.expression();
  args.end();
  if (count < 1n || count > MAX_FRAMES)
    throw new UserError(`Range error at '${text.trim()}': 1 to 0x400 frames.`);
  // One more: the arguments of a frame lie in its caller's.
  const walked = await engine.stack(processor ?? engine.processor, Number(count) + 1, context.signal);
  const columns = await layout(engine, walked, flags);
  const frames = walked.slice(0, Number(count));
  write(` # ${columns.header}Call Site\n`);
  for (const [index, frame] of frames.entries()) {
    const number = index.toString(16).padStart(2, '0');
    write(`${number} ${columns.rows[index] ?? ''}${frame.callSite}\n`);
  }
}

/** What stands between the frame's number and its name. */
async function layout(
  engine: Engine,
  frames: readonly StackFrame[],
  flags: string,
): Promise<{ header: string; rows: readonly string[] }> {
  if (flags.includes('c')) return { header: '', rows: [] };
  const withArguments = /[bv]/.test(flags);
  const withSp = !flags.includes('b');
  const distance = flags.includes('f');
  let header = '';
  if (distance) header += '  Memory  ';
  if (withSp) header += 'Child-SP          ';
  header += 'RetAddr           ';
  if (withArguments) header += `${ARGUMENTS_HEADER} `;
  const rows: string[] = [];
  for (const [index, frame] of frames.entries()) {
    const before = frames[index - 1];
    let row = '';
    if (distance) row += (before ? (frame.childSp - before.childSp).toString(16) : '').padStart(8) + '  ';
    if (withSp) row += `${formatAddress(frame.childSp)} `;
    row += `${formatAddress(frame.returnAddress)} `;
    if (withArguments) row += `: ${await homeArea(engine, frames[index + 1])} : `;
    rows.push(row);
  }
  return { header, rows };
}

/** The four words a caller reserves for the arguments passed in registers; whether they hold them is the callee's choice. */
async function homeArea(engine: Engine, caller: StackFrame | undefined): Promise<string> {
  const bytes = caller ? await engine.target.readVirtual(caller.childSp, 32) : new Uint8Array();
  const words: string[] = [];
  for (let at = 0; at < 32; at += 8) {
    words.push(
      at + 8 <= bytes.length ? formatAddress(dataView(bytes).getBigUint64(at, true)) : '????????`????????',
    );
  }
  return words.join(' ');
}

async function unassemble(context: CommandContext, text: string): Promise<void> {
  const { engine, write } = context;
  const args = new Arguments(engine, text);
  let address = engine.cursor.code ?? (await engine.registers()).pc;
  let count = DEFAULT_INSTRUCTIONS;
  let end: bigint | undefined;
  if (!args.atEnd) {
    address = await args.expression();
    args.separator();
    if (args.take(/[lL]\??\s*/y)) count = await args.expression();
    else if (!args.atEnd) end = await args.expression();
    args.end();
  }
  if (end !== undefined && (end < address || end - address > MAX_INSTRUCTIONS * 4n)) args.fail('Range', 0);
  if (count < 1n || count > MAX_INSTRUCTIONS) args.fail('Range', 0);
  let rows = await engine.disassemble(
    address,
    0,
    end === undefined ? Number(count) : Number(end - address) + 1,
  );
  if (end !== undefined) rows = rows.filter((row) => row.address <= end);
  write(listing(rows));
  const last = rows.at(-1);
  if (last) engine.cursor.code = BigInt.asUintN(64, last.address + BigInt(last.bytes.length || 1));
}

async function unassembleBack(context: CommandContext, text: string): Promise<void> {
  const { engine, write } = context;
  const args = new Arguments(engine, text);
  let address = engine.cursor.code ?? (await engine.registers()).pc;
  let count = DEFAULT_INSTRUCTIONS;
  if (!args.atEnd) {
    address = await args.expression();
    args.separator();
    if (!args.atEnd) {
      if (!args.take(/[lL]\s*/y)) args.fail('Syntax');
      count = await args.expression();
    }
    args.end();
  }
  if (count < 1n || count > 0x400n) args.fail('Range', 0);
  const rows = await engine.disassemble(address, -Number(count), Number(count));
  write(listing(rows));
  engine.cursor.code = rows[0]?.address ?? address;
}

async function unassembleFunction(context: CommandContext, text: string): Promise<void> {
  const { engine, write } = context;
  const args = new Arguments(engine, text);
  const address = args.atEnd ? (await engine.registers()).pc : await args.expression();
  args.end();
  const range = await engine.functionRange(address);
  if (range) {
    if (range.end - range.begin > 0x10_0000n)
      throw new UserError('The function is longer than 1 MB; use u with a range.');
    const rows = await engine.disassemble(range.begin, 0, Number(range.end - range.begin));
    write(listing(rows.filter((row) => row.address < range.end)));
    return;
  }
  // A leaf function has no unwind data: it ends at its return or at a jump that does not come back.
  const rows = await engine.disassemble(address, 0, 512);
  const last = rows.findIndex(
    (row) => row.flow === 'return' || row.flow === 'jump' || row.flow === 'invalid',
  );
  if (last < 0 || rows[last]?.flow === 'invalid') throw new UserError('No code found, aborting');
  write(listing(rows.slice(0, last + 1)));
}

function code(
  name: string,
  syntax: string,
  summary: string,
  run: CommandRow['run'],
  repeat: boolean,
): CommandRow {
  return {
    name,
    syntax,
    summary,
    tier: 1,
    family: 'Disassembly',
    whileRunning: 'wait',
    observer: true,
    repeat,
    run,
  };
}

export const stackAndCodeCommands: readonly CommandRow[] = [
  {
    name: 'k',
    suffix: /^[bcnfvpPLM]{1,6}(?=[\s,;]|$|[0-9@$(])/,
    syntax: 'k[b|v][c][n][f][p][L] [COUNT]',
    summary: 'Shows the call stack: b, v with arguments, c names only, f with frame sizes.',
    tier: 1,
    family: 'Stack',
    whileRunning: 'wait',
    observer: true,
    run: stack,
    runOn: stack,
  },
  code(
    'u',
    'u [ADDR | ADDR L COUNT | ADDR END]',
    'Disassembles, eight instructions by default.',
    unassemble,
    true,
  ),
  code('ub', 'ub [ADDR [L COUNT]]', 'Disassembles the instructions before an address.', unassembleBack, true),
  code('uf', 'uf [ADDR]', 'Disassembles a whole function.', unassembleFunction, false),
];
