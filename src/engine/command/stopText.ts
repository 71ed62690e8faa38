/** The lines shown when the target stops: what happened, where, and the instruction there. */
import { formatAddress, hexBytes } from '../arch/format';
import type { Instruction } from '../arch/architecture';
import type { ExceptionInfo, TargetStop } from '../target/target';
import type { Breakpoint, DisassembledRow } from './engine';

/** NTSTATUS codes by the names debugger users know. */
const exceptionNames = new Map<number, string>([
  [0x80000001, 'Guard page violation'],
  [0x80000002, 'Data misaligned'],
  [0x80000003, 'Break instruction exception'],
  [0x80000004, 'Single step exception'],
  [0x80000007, 'Wake debugger'],
  [0xc0000005, 'Access violation'],
  [0xc0000006, 'In-page I/O error'],
  [0xc000001d, 'Illegal instruction'],
  [0xc0000025, 'Non-continuable exception'],
  [0xc0000094, 'Integer divide-by-zero'],
  [0xc0000095, 'Integer overflow'],
  [0xc0000096, 'Privileged instruction'],
  [0xc00000fd, 'Stack overflow'],
  [0xc0000409, 'Security check failure or stack buffer overrun'],
  [0xc0000420, 'Assertion failure'],
  [0x4000001e, 'WOW64 single step exception'],
  [0x4000001f, 'WOW64 breakpoint'],
  [0xe06d7363, 'C++ EH exception'],
]);

/** `Access violation - code c0000005 (first chance)` */
export function exceptionLine({ code, firstChance }: ExceptionInfo): string {
  const name = exceptionNames.get(code) ?? 'Unknown exception';
  const chance = firstChance ? 'first chance' : '!!! second chance !!!';
  return `${name} - code ${code.toString(16).padStart(8, '0')} (${chance})`;
}

/** Empty where nothing need be said: after a step or a switch of processors. */
export function eventLine(stop: TargetStop, breakpoints: readonly Breakpoint[]): string {
  if (stop.reason === 'step' || stop.reason === 'switch') return '';
  if (stop.reason === 'breakpoint' && breakpoints.length > 0) {
    return breakpoints.map(({ id }) => `Breakpoint ${id} hit`).join('\n');
  }
  return stop.exception
    ? exceptionLine(stop.exception)
    : 'Break instruction exception - code 80000003 (first chance)';
}

/** `fffff801`0bf95810 4c89442418      mov     qword ptr [rsp+18h],r8` */
export function instructionLine(row: Instruction): string {
  const bytes = row.bytes.length > 0 ? hexBytes(row.bytes) : '??';
  const text = row.operands === '' ? row.mnemonic : `${row.mnemonic.padEnd(7)} ${row.operands}`;
  return `${formatAddress(row.address)} ${bytes.padEnd(15)} ${text}`;
}

/** Rows with a line for the symbol before the first one and wherever the function changes. */
export function listing(rows: readonly DisassembledRow[]): string {
  const lines: string[] = [];
  let previous: string | undefined;
  for (const [index, row] of rows.entries()) {
    const name = row.symbol?.replace(/\+0x[0-9a-f]+$/, '');
    if (row.symbol !== undefined && (index === 0 || name !== previous)) lines.push(`${row.symbol}:`);
    previous = name;
    lines.push(instructionLine(row));
  }
  return lines.map((line) => `${line}\n`).join('');
}
