/**
 * Walks x64 stacks by the unwind data of the images: pure functions over a memory reader and a lookup of function
 * entries. A damaged stack ends the walk; it never throws for what it finds in the target.
 */
import type { MemoryReader } from '../image/reader';
import { dataView } from '../image/reader';
import type { RuntimeFunction } from './functionTable';
import { parseRuntimeFunction, RUNTIME_FUNCTION_SIZE } from './functionTable';
import type { UnwindInfo } from './unwindInfo';
import { MAX_UNWIND_INFO, parseUnwindInfo } from './unwindInfo';
import { EPILOGUE_BYTES, matchEpilogue } from './x64Epilogue';

/** The registers of one frame, by x64 number (4 is the stack pointer), and its instruction pointer. */
export interface X64Frame {
  readonly pc: bigint;
  readonly registers: readonly bigint[];
  /** The pc is where an instruction was interrupted, not a return address: frame 0 and those under trap frames. */
  readonly interrupted: boolean;
}

export interface FunctionAt {
  readonly imageBase: bigint;
  /** Undefined: the image has no entry for this address, so it is a leaf function. */
  readonly entry: RuntimeFunction | undefined;
}

export interface UnwindSource {
  readonly read: MemoryReader;
  /** Reads unwind data, which does not change while its image is loaded; `read` when left out. */
  readonly readTable?: MemoryReader;
  /** The image and function at an address; undefined outside of all images. */
  functionAt(address: bigint): Promise<FunctionAt | undefined>;
}

export const RSP = 4;
const MAX_CHAIN = 32;

/** Frames from `first` on, at most `maxFrames`. Ends at pc 0, at unreadable stack, and where it would go in circles. */
export async function walkX64(
  first: X64Frame,
  source: UnwindSource,
  maxFrames: number,
  signal?: AbortSignal,
): Promise<X64Frame[]> {
  const frames: X64Frame[] = [];
  const seen = new Set<string>();
  let frame: X64Frame | undefined = first;
  while (frame && frames.length < maxFrames && !signal?.aborted) {
    const key: string = `${frame.pc} ${stackPointer(frame)}`;
    if (seen.has(key)) break;
    seen.add(key);
    frames.push(frame);
    frame = await unwindX64(frame, source);
  }
  return frames;
}

/** The caller of `frame`, or undefined when there is none or it cannot be found. */
export async function unwindX64(frame: X64Frame, source: UnwindSource): Promise<X64Frame | undefined> {
  const state = new State(frame, source.read);
  // A call that never returns may be the last instruction of its function: look where the call is.
  const place = frame.interrupted ? frame.pc : frame.pc - 1n;
  const found = await source.functionAt(place);
  try {
    if (!found?.entry) {
      await state.popReturn();
      // A function that made a call has an entry; going on without one is a guess that code must confirm.
      if (!frame.interrupted && !(await source.functionAt(state.pc))) return undefined;
    } else if (
      !(await undoFunction(
        state,
        { imageBase: found.imageBase, entry: found.entry },
        frame.interrupted,
        source,
      ))
    ) {
      return undefined;
    }
  } catch (error) {
    if (error instanceof UnreadableStack) return undefined;
    throw error;
  }
  const risen = BigInt.asIntN(64, state.sp) > BigInt.asIntN(64, stackPointer(frame));
  if (state.pc === 0n || !isCanonical(state.pc) || (!risen && !state.interrupted)) return undefined;
  return state.frame();
}

export function stackPointer(frame: X64Frame): bigint {
  return frame.registers[RSP] ?? 0n;
}

function isCanonical(address: bigint): boolean {
  const top = BigInt.asUintN(64, address) >> 47n;
  return top === 0n || top === 0x1ffffn;
}

class UnreadableStack extends Error {}

/** The registers while a frame is being undone. */
class State {
  readonly registers: bigint[];
  pc: bigint;
  interrupted = false;

  constructor(
    frame: X64Frame,
    private readonly read: MemoryReader,
  ) {
    this.registers = [...frame.registers];
    this.pc = frame.pc;
  }

  get sp(): bigint {
    return this.registers[RSP] ?? 0n;
  }

  set sp(value: bigint) {
    this.registers[RSP] = BigInt.asUintN(64, value);
  }

  async word(address: bigint): Promise<bigint> {
    const bytes = await this.read(BigInt.asUintN(64, address), 8);
    if (bytes.length < 8) throw new UnreadableStack();
    return dataView(bytes).getBigUint64(0, true);
  }

  async pop(): Promise<bigint> {
    const value = await this.word(this.sp);
    this.sp += 8n;
    return value;
  }

  async popReturn(): Promise<void> {
    this.pc = await this.pop();
  }

  /** rip, cs, rflags, rsp, ss, as the CPU pushes them on an interrupt. */
  async popMachineFrame(): Promise<void> {
    this.pc = await this.word(this.sp);
    this.sp = await this.word(this.sp + 24n);
    this.interrupted = true;
  }

  frame(): X64Frame {
    return { pc: this.pc, registers: this.registers, interrupted: this.interrupted };
  }
}

async function undoFunction(
  state: State,
  found: { readonly imageBase: bigint; readonly entry: RuntimeFunction },
  interrupted: boolean,
  source: UnwindSource,
): Promise<boolean> {
  const base = found.imageBase;
  const readTable = source.readTable ?? source.read;
  let current = await resolveIndirect(found.entry, base, readTable);
  let offset = current ? Number(state.pc - base) - current.begin : 0;
  for (let depth = 0; current && depth < MAX_CHAIN; depth++) {
    const info = await unwindInfoOf(current, base, readTable);
    if (!info) return false;
    if (depth === 0 && interrupted && (offset >= info.prologSize || info.chained)) {
      if (await finishEpilogue(state, base, current, info, source)) return true;
    }
    if (await undoOperations(state, info, offset)) return true;
    if (!info.chained) {
      await state.popReturn();
      return true;
    }
    current = await resolveIndirect(info.chained, base, readTable);
    // All of the parent's prolog was done before its continuation was reached.
    offset = Number.MAX_SAFE_INTEGER;
  }
  return false;
}

/** An entry may name another one whose data it shares (lowest bit of the unwind address). */
async function resolveIndirect(
  entry: RuntimeFunction,
  base: bigint,
  read: MemoryReader,
): Promise<RuntimeFunction | undefined> {
  if ((entry.unwind & 1) === 0) return entry;
  const bytes = await read(BigInt.asUintN(64, base + BigInt(entry.unwind - 1)), RUNTIME_FUNCTION_SIZE);
  const shared = parseRuntimeFunction(bytes, 0);
  return shared && (shared.unwind & 1) === 0 ? shared : undefined;
}

async function unwindInfoOf(
  entry: RuntimeFunction,
  base: bigint,
  read: MemoryReader,
): Promise<UnwindInfo | undefined> {
  const address = BigInt.asUintN(64, base + BigInt(entry.unwind));
  // Nearly all records are short; the rest is read only when the count of codes says so.
  const head = await read(address, 64);
  const count = head[2] ?? 0;
  return parseUnwindInfo(
    4 + 2 * (count + 1) + RUNTIME_FUNCTION_SIZE <= 64 ? head : await read(address, MAX_UNWIND_INFO),
  );
}

/** Undoes what the prolog had done at `offset`. True when a machine frame gave the next pc and stack pointer. */
async function undoOperations(state: State, info: UnwindInfo, offset: number): Promise<boolean> {
  const done = info.operations.filter((operation) => operation.at <= offset);
  // Past the prolog, and in continuations of a function, the frame register holds the frame even where the stack
  // pointer has moved on.
  const frameIsSet =
    info.frameRegister !== 0 &&
    (info.chained !== undefined ||
      offset >= info.prologSize ||
      done.some((operation) => operation.kind === 'setFrame'));
  const frameBase = (state.registers[info.frameRegister] ?? 0n) - BigInt(info.frameOffset);
  const saveBase = frameIsSet ? frameBase : state.sp;
  for (const operation of done) {
    switch (operation.kind) {
      case 'push':
        state.registers[operation.register] = await state.pop();
        break;
      case 'allocate':
        state.sp += BigInt(operation.size);
        break;
      case 'setFrame':
        state.sp = frameBase;
        break;
      case 'save':
        state.registers[operation.register] = await state.word(saveBase + BigInt(operation.offset));
        break;
      case 'machineFrame':
        if (operation.errorCode) state.sp += 8n;
        await state.popMachineFrame();
        return true;
      case 'saveXmm':
        break;
    }
  }
  return false;
}

/** When the pc is in an epilogue: does what is left of it and returns true. */
async function finishEpilogue(
  state: State,
  base: bigint,
  entry: RuntimeFunction,
  info: UnwindInfo,
  source: UnwindSource,
): Promise<boolean> {
  const rva = Number(state.pc - base);
  if (info.epilogues) {
    const { size, fromEnd } = info.epilogues;
    const left = entry.end - rva;
    if (!fromEnd.some((distance) => left <= distance && left > distance - size)) return false;
  }
  const epilogue = matchEpilogue(await source.read(state.pc, EPILOGUE_BYTES), info.frameRegister);
  if (!epilogue) return false;
  if (epilogue.jump !== undefined && !(await leavesFunction(rva + epilogue.jump, base, entry, source)))
    return false;
  if (epilogue.adjust?.kind === 'add') state.sp += epilogue.adjust.amount;
  if (epilogue.adjust?.kind === 'frame') {
    state.sp = (state.registers[info.frameRegister] ?? 0n) + epilogue.adjust.displacement;
  }
  for (const register of epilogue.pops) state.registers[register] = await state.pop();
  if (epilogue.interruptReturn) await state.popMachineFrame();
  else await state.popReturn();
  return true;
}

/** A jump ends an epilogue only when it goes to the start of a function: a tail call, not a split-off part of ours. */
async function leavesFunction(
  target: number,
  base: bigint,
  entry: RuntimeFunction,
  source: UnwindSource,
): Promise<boolean> {
  if (target === entry.begin) return true;
  if (target > entry.begin && target < entry.end) return false;
  const other = await source.functionAt(BigInt.asUintN(64, base + BigInt(target)));
  if (!other?.entry) return true;
  if (other.imageBase !== base || (other.entry.unwind & 1) === 1) return other.imageBase !== base;
  if (other.entry.begin !== target) return false;
  const info = await unwindInfoOf(other.entry, base, source.readTable ?? source.read);
  return info !== undefined && info.chained === undefined;
}
