/**
 * What commands and the typed requests of the session protocol work on: one target with its modules, symbols,
 * breakpoints and the current processor. Typed requests and commands share these methods, so a view and a command
 * can never disagree.
 */
import type { Instruction } from '../arch/architecture';
import type { Registers } from '../arch/registers';
import type { Event } from '../base/emitter';
import type { Radix } from '../expression/tokens';
import type { PdbId } from '../image/debugId';
import type { Kdbg } from '../nt/kdbg';
import type { ModuleSymbol, SymbolSource } from '../symbols/symbolSource';
import type { Target, TargetStop } from '../target/target';
import type { SearchPaths } from './searchPaths';

export interface Module {
  /** As commands name it: `nt` for the kernel, else the file name without extension. */
  readonly name: string;
  /** The image's file name, e.g. `demont.exe`. */
  readonly imageName: string;
  readonly path: string;
  readonly base: bigint;
  readonly size: number;
  readonly timestamp: number;
  readonly checksum: number;
  readonly symbols: SymbolSource | undefined;
}

/** What an image says of itself, beyond the kernel's list. */
export interface ImageDetails {
  readonly timestamp: number;
  readonly checksum: number;
  readonly pdb: PdbId | undefined;
}

/** Where an address lies. */
export interface SymbolPlace {
  readonly module: Module;
  /** The symbol at or before the address; undefined when the module has none there. */
  readonly symbol: ModuleSymbol | undefined;
  /** From the symbol, or from the module's base. */
  readonly offset: bigint;
  /** `module!name+0x12`, `module+0x12`. */
  readonly text: string;
}

/** The newest stop, kept after the target went on. */
export interface LastEvent {
  readonly stop: TargetStop;
  /** As the first line of the stop: `Breakpoint 1 hit`; empty after a step. */
  readonly text: string;
  readonly time: Date;
}

/** Where commands without an address go on. */
export interface Cursor {
  /** After the last display of memory; undefined before the first. */
  data: bigint | undefined;
  /** After the last disassembly; undefined: at the instruction pointer. Every stop resets it. */
  code: bigint | undefined;
  /** The last memory command, for a bare `d`. */
  dataCommand: string;
}

export interface StackFrame {
  readonly index: number;
  readonly childSp: bigint;
  /** Address of the next instruction of this frame: pc, or the return address of the frame below. */
  readonly instruction: bigint;
  readonly returnAddress: bigint;
  /** `module!name+0x12`, or the bare address. */
  readonly callSite: string;
  readonly module: string | undefined;
}

export interface Breakpoint {
  readonly id: number;
  readonly kind: 'software';
  readonly address: bigint | undefined;
  /** As the user wrote it. */
  readonly expression: string;
  readonly enabled: boolean;
  readonly hits: number;
  /** Who set it: the command line, or a typed client that manages its own (DAP instruction/function breakpoints). */
  readonly owner: string;
}

export interface Breakpoints {
  readonly changed: Event<{ readonly kind: 'new' | 'changed' | 'removed'; readonly breakpoint: Breakpoint }>;
  list(): readonly Breakpoint[];
  /** Takes the next free id unless one is given. Throws when the id is taken or there are 32 already. */
  add(address: bigint, expression: string, options?: { id?: number; owner?: string }): Breakpoint;
  remove(id: number): void;
  enable(id: number, on: boolean): void;
  /** The enabled breakpoint at this address. */
  at(address: bigint): Breakpoint | undefined;
}

export interface DisassembledRow extends Instruction {
  /** `module!name+0x12` of this address. */
  readonly symbol: string | undefined;
}

export interface Engine {
  readonly target: Target;
  readonly breakpoints: Breakpoints;
  /** The current processor: set by a stop and by `~Ns`. */
  processor: number;
  /** The default number base of expressions (`n`). */
  radix: Radix;
  readonly cursor: Cursor;
  /** `.sympath`, `.srcpath`, `.exepath`. */
  readonly paths: SearchPaths;
  /**
   * The stop the user is in; undefined while the target runs, also during the engine's own short stops inside a step.
   * A stop that ends a step has the reason `step`, whatever ended it on the wire.
   */
  readonly stop: TargetStop | undefined;
  /** Fires for each stop the user should see. Listen here, not to the target. */
  readonly stopped: Event<TargetStop>;
  readonly lastEvent: LastEvent | undefined;
  /** The module list; read again after a load or unload. Empty before the first contact. */
  modules(): Promise<readonly Module[]>;
  moduleAt(address: bigint): Promise<Module | undefined>;
  /** Reads the module list again and forgets symbols; they are loaded when needed (`.reload`). */
  reload(): Promise<void>;
  /** Loads a module's symbols unless they are there. */
  loadSymbols(module: Module): Promise<SymbolSource>;
  /** From the image's headers in memory; undefined when they cannot be read. */
  imageDetails(module: Module): Promise<ImageDetails | undefined>;
  place(address: bigint): Promise<SymbolPlace | undefined>;
  /** The kernel's debugger data block; undefined when the target has none. */
  kdbg(): Promise<Kdbg | undefined>;
  /** `module!name+0x12`; undefined when no module or symbol is near. */
  symbolFor(address: bigint): Promise<string | undefined>;
  /** MASM expression to unsigned 64-bit. Throws UserError in WinDbg's words, e.g. `Couldn't resolve error at 'foo'`. */
  evaluate(expression: string): Promise<bigint>;
  /** Evaluates the longest expression that begins at `offset`; `end` is where it stopped. */
  evaluateAt(text: string, offset: number): Promise<{ readonly value: bigint; readonly end: number }>;
  /** Of a processor; the current one when left out. */
  registers(processor?: number): Promise<Registers>;
  /** Changes the current processor's registers; also `$t0`..`$t19`. */
  setRegister(name: string, value: bigint, processor?: number): Promise<void>;
  /** At most `maxFrames` frames, at most 1024. Never throws for a bad stack: ends early. */
  stack(processor: number, maxFrames: number, signal?: AbortSignal): Promise<StackFrame[]>;
  /** Exactly `count` rows beginning `offset` instructions from `address`; unreadable or undecodable bytes are `???`. */
  disassemble(address: bigint, offset: number, count: number): Promise<DisassembledRow[]>;
  /** First and last address (exclusive) of the code around an address, by unwind data; undefined when unknown. */
  functionRange(address: bigint): Promise<{ readonly begin: bigint; readonly end: bigint } | undefined>;
  /**
   * `t`: one instruction. `p`: over calls. `gu`: to the caller. `go` stops at `until` as well, once. Resolves when the
   * target was resumed.
   */
  resume(
    kind: 'go' | 'goHandled' | 'goNotHandled' | 'stepInto' | 'stepOver' | 'stepOut',
    until?: bigint,
  ): Promise<void>;
  /** The lines shown when the target stops: event line, symbol of the pc, instruction. */
  describeStop(stop: TargetStop): Promise<string>;
  /** The text before the prompt's `>`: `0: kd`, `kd`. */
  readonly promptName: string;
  dispose(): Promise<void>;
}
