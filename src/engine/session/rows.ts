/** The engine's values as rows of the session protocol: addresses become hexadecimal strings, bytes hex pairs. */
import type { Architecture } from '../arch/architecture';
import type { Registers } from '../arch/registers';
import type { Breakpoint, DisassembledRow, Engine, Module, StackFrame } from '../command/engine';
import type { ModuleEvent, TargetStop } from '../target/target';
import { messages } from './messages';
import type {
  BreakpointRow,
  FrameInfo,
  InstructionRow,
  ModuleRow,
  RegisterValue,
  StopInfo,
} from './protocol';

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** `lines` is what describeStop printed; its first line with text describes the stop. */
export function stopRow(stop: TargetStop, engine: Engine, lines: string): StopInfo {
  const firstLine = lines.split('\n').find((line) => line.trim() !== '');
  return {
    reason: stop.reason,
    processor: stop.processor,
    pc: hex(stop.pc),
    thread: hex(stop.thread),
    description: stop.reason === 'step' ? messages.stepDone : (firstLine?.trim() ?? messages.shutDown),
    ...(stop.exception && {
      exceptionCode: stop.exception.code,
      firstChance: stop.exception.firstChance,
    }),
    breakpointIds: engine.breakpoints
      .list()
      .filter((each) => each.enabled && each.address === stop.pc)
      .map((each) => each.id),
  };
}

export function registerRows(architecture: Architecture, registers: Registers): RegisterValue[] {
  const rows: RegisterValue[] = [];
  for (const info of architecture.registers) {
    const area = info.area === 'context' ? registers.context : registers.special;
    if (!area || info.offset + info.size > area.length) continue;
    rows.push({
      name: info.name,
      group: info.group,
      ...(info.partOf !== undefined && { partOf: info.partOf }),
      bits: info.bit === undefined ? info.size * 8 : (info.bits ?? 1),
      value: hex(registers.get(info.name)),
    });
  }
  return rows;
}

export function frameRow(frame: StackFrame): FrameInfo {
  return {
    index: frame.index,
    childSp: hex(frame.childSp),
    instruction: hex(frame.instruction),
    returnAddress: hex(frame.returnAddress),
    name: frame.callSite,
    ...(frame.module !== undefined && { module: frame.module }),
  };
}

export function instructionRow(row: DisassembledRow): InstructionRow {
  return {
    address: hex(row.address),
    bytes: Buffer.from(row.bytes).toString('hex'),
    text: row.operands === '' ? row.mnemonic : `${row.mnemonic.padEnd(7)} ${row.operands}`,
    ...(row.symbol !== undefined && { symbol: row.symbol }),
  };
}

export function moduleRow(module: Module): ModuleRow {
  return {
    name: module.name,
    imageName: module.imageName,
    path: module.path,
    base: hex(module.base),
    size: module.size,
    timestamp: module.timestamp,
    symbolStatus: module.symbols?.kind ?? 'deferred',
  };
}

/** A module known only from the target's load or unload message. */
export function moduleEventRow(event: ModuleEvent): ModuleRow {
  const imageName = event.path.slice(event.path.lastIndexOf('\\') + 1);
  return {
    name: imageName.replace(/\.[^.]*$/, ''),
    imageName,
    path: event.path,
    base: hex(event.base),
    size: event.size,
    timestamp: 0,
    symbolStatus: 'deferred',
  };
}

export function breakpointRow(breakpoint: Breakpoint): BreakpointRow {
  return {
    id: breakpoint.id,
    ...(breakpoint.address !== undefined && { address: hex(breakpoint.address) }),
    expression: breakpoint.expression,
    enabled: breakpoint.enabled,
    hits: breakpoint.hits,
    owner: breakpoint.owner,
  };
}
