/**
 * The session protocol: one typed table of requests and one of events. Every client of a session speaks it, in one
 * process over a memory wire, between machines over any session transport. Adding a request is adding a row here
 * and a handler in handlers.ts. Addresses are strings in the form `0xfffff80000001000` (JSON has no 64-bit integers);
 * bytes are base64.
 */
import type { OutputKind } from '../command/command';
import type { RegisterGroup } from '../arch/architecture';
import type { StopReason, TargetState } from '../target/target';

/** Raised by one when a message changes its meaning; peers of another version are refused at the handshake. */
export const PROTOCOL_VERSION = 1;

export interface ClientInfo {
  readonly id: number;
  /** `MACHINE\user`, for a remote client with its transport address: `MACHINE\user (tcp 10.0.0.5:63141)`. */
  readonly identity: string;
  readonly remote: boolean;
  /** Milliseconds since the epoch. */
  readonly lastActive: number;
  /** Left out for those who may do everything. */
  readonly role?: 'observe';
  /** Its connection broke; it may come back and has missed nothing so far. */
  readonly away?: true;
}

export interface ServerInfo {
  readonly id: number;
  /** As `.servers` shows it, never with a password: `tcp:Port=5005`. */
  readonly spec: string;
  /** What a client pastes after `-remote `. */
  readonly clientString: string;
  readonly disabled: boolean;
}

export interface OutputItem {
  /**
   * Counts up by one per item for the whole session. A line meant for one client only (`*BUSY*`, lines left out)
   * is not part of the session's output and repeats the number of the item before it.
   */
  readonly seq: number;
  readonly kind: OutputKind;
  /** Whole lines with `\n` at their ends where the source gave them; never any other control character but tab. */
  readonly text: string;
  /** For `command`: the client that typed it. */
  readonly author?: ClientInfo;
}

export interface StopInfo {
  readonly reason: StopReason;
  readonly processor: number;
  readonly pc: string;
  readonly thread: string;
  /** One line: `Break instruction exception - code 80000003 (first chance)`. */
  readonly description: string;
  readonly exceptionCode?: number;
  readonly firstChance?: boolean;
  /** Ids of our breakpoints at the pc. */
  readonly breakpointIds: readonly number[];
}

/** The whole truth about a session in one small value, sent at every change. */
export interface SessionState {
  readonly connection: string;
  readonly targetState: TargetState;
  readonly detail: string;
  readonly architecture: string | undefined;
  readonly processorCount: number;
  readonly processor: number;
  readonly stop: StopInfo | undefined;
  /** A command is running or the target is. */
  readonly busy: boolean;
  /** `0: kd> `; empty while the target runs. */
  readonly prompt: string;
  readonly servers: readonly ServerInfo[];
  readonly clients: readonly ClientInfo[];
}

export interface RegisterValue {
  readonly name: string;
  readonly group: RegisterGroup;
  /** Set for a part of a larger register (`eax` of `rax`) and for flags. */
  readonly partOf?: string;
  /** Bits: 1..128. */
  readonly bits: number;
  /** Unsigned hexadecimal with `0x`. */
  readonly value: string;
}

export interface FrameInfo {
  readonly index: number;
  readonly childSp: string;
  readonly instruction: string;
  readonly returnAddress: string;
  readonly name: string;
  readonly module?: string;
}

export interface InstructionRow {
  readonly address: string;
  /** Hex pairs without spaces. */
  readonly bytes: string;
  readonly text: string;
  readonly symbol?: string;
}

export interface ModuleRow {
  readonly name: string;
  readonly imageName: string;
  readonly path: string;
  readonly base: string;
  readonly size: number;
  readonly timestamp: number;
  readonly symbolStatus: string;
}

export interface BreakpointRow {
  readonly id: number;
  readonly address?: string;
  readonly expression: string;
  readonly enabled: boolean;
  readonly hits: number;
  readonly owner: string;
}

export type ResumeKind = 'go' | 'goHandled' | 'goNotHandled' | 'stepInto' | 'stepOver' | 'stepOut';

/** While the target runs: `answer` from what is known, `refuse` with a reason, or `any` (does not touch the target). */
export type WhileRunning = 'answer' | 'refuse' | 'any';

/** Type-level rows; the value-level table below must have the same keys. */
export interface Requests {
  /**
   * Joins: registers the client, returns the state and the recent output (whole items, oldest first). Asked again it
   * returns them anew.
   */
  attach: {
    params: { historyItems?: number };
    result: { client: ClientInfo; banner: string; state: SessionState; history: OutputItem[] };
  };
  /** Queues a command line; resolves when it has run. `ok` is false when it failed; its output tells why. */
  /**
   * A `patient` caller is a script (`-c`, piped input): nobody sits there who must be told that the line waits for
   * the target to stop.
   */
  execute: { params: { text: string; patient?: boolean }; result: { ok: boolean } };
  /** Out of band: stops a running target. */
  breakIn: { params: Record<string, never>; result: null };
  /** Ends the running command and drops the waiting ones of this client. */
  cancel: { params: Record<string, never>; result: { cancelled: boolean } };
  resume: { params: { kind: ResumeKind; processor?: number }; result: null };
  evaluate: { params: { expression: string }; result: { value: string } };
  readMemory: { params: { address: string; count: number }; result: { data: string } };
  writeMemory: { params: { address: string; data: string }; result: { written: number } };
  registers: { params: { processor: number }; result: { registers: RegisterValue[] } };
  setRegister: { params: { processor: number; name: string; value: string }; result: { value: string } };
  stack: {
    params: { processor: number; start: number; count: number };
    result: { frames: FrameInfo[]; more: boolean };
  };
  disassemble: {
    params: { address: string; offset: number; count: number };
    result: { rows: InstructionRow[] };
  };
  modules: { params: Record<string, never>; result: { modules: ModuleRow[] } };
  breakpoints: { params: Record<string, never>; result: { breakpoints: BreakpointRow[] } };
  /** Replaces the breakpoints of one owner; returns one row per expression, in order. */
  setBreakpoints: {
    params: { owner: string; expressions: string[] };
    result: { results: ({ breakpoint: BreakpointRow } | { error: string })[] };
  };
  complete: { params: { text: string }; result: { items: { label: string; detail: string }[] } };
  /** Sent by each side every few seconds; no answer within 15 s means the peer is gone. */
  ping: { params: Record<string, never>; result: null };
}

export type RequestName = keyof Requests;

/** How a parameter is checked on arrival; `?` makes it optional. */
type ParamKindOf<T> = [T] extends [ResumeKind]
  ? 'resumeKind'
  : [T] extends [string]
    ? 'text' | 'address' | 'base64'
    : [T] extends [number]
      ? 'count' | 'integer'
      : [T] extends [string[]]
        ? 'texts'
        : [T] extends [boolean]
          ? 'flag'
          : never;
type ParamShape<P> = string extends keyof P
  ? Readonly<Record<string, never>>
  : {
      readonly [K in keyof P]-?: undefined extends P[K]
        ? `${ParamKindOf<NonNullable<P[K]>>}?`
        : ParamKindOf<P[K]>;
    };

export interface RequestRow<P = unknown> {
  readonly whileRunning: WhileRunning;
  /** Changes nothing: an observer may ask for it. */
  readonly observer?: boolean;
  /** Takes its turn among the commands, so that it never changes anything under a running one. */
  readonly queued?: boolean;
  readonly params: ParamShape<P>;
}

export const requestTable: { readonly [M in RequestName]: RequestRow<Requests[M]['params']> } = {
  attach: { whileRunning: 'any', observer: true, params: { historyItems: 'count?' } },
  /** Each command has its own say about observers. */
  execute: { whileRunning: 'any', observer: true, params: { text: 'text', patient: 'flag?' } },
  breakIn: { whileRunning: 'any', params: {} },
  /** An observer cancels its own commands only. */
  cancel: { whileRunning: 'any', observer: true, params: {} },
  resume: { whileRunning: 'refuse', queued: true, params: { kind: 'resumeKind', processor: 'count?' } },
  evaluate: { whileRunning: 'refuse', observer: true, params: { expression: 'text' } },
  readMemory: { whileRunning: 'refuse', observer: true, params: { address: 'address', count: 'count' } },
  writeMemory: { whileRunning: 'refuse', queued: true, params: { address: 'address', data: 'base64' } },
  registers: { whileRunning: 'refuse', observer: true, params: { processor: 'count' } },
  setRegister: {
    whileRunning: 'refuse',
    queued: true,
    params: { processor: 'count', name: 'text', value: 'text' },
  },
  stack: {
    whileRunning: 'refuse',
    observer: true,
    params: { processor: 'count', start: 'count', count: 'count' },
  },
  disassemble: {
    whileRunning: 'refuse',
    observer: true,
    params: { address: 'address', offset: 'integer', count: 'count' },
  },
  modules: { whileRunning: 'answer', observer: true, params: {} },
  breakpoints: { whileRunning: 'any', observer: true, params: {} },
  setBreakpoints: { whileRunning: 'any', queued: true, params: { owner: 'text', expressions: 'texts' } },
  complete: { whileRunning: 'any', observer: true, params: { text: 'text' } },
  ping: { whileRunning: 'any', observer: true, params: {} },
};

export interface Events {
  output: OutputItem;
  state: SessionState;
  stopped: StopInfo;
  resumed: { kind: ResumeKind };
  /** Memory or registers were changed while stopped. */
  memoryChanged: { address?: string; count?: number };
  breakpoint: { kind: 'new' | 'changed' | 'removed'; breakpoint: BreakpointRow };
  module: { kind: 'load' | 'unload' | 'unloadAll'; module?: ModuleRow };
  /** The text is printed too: as an output item of kind `notice`. */
  clientJoined: { client: ClientInfo; text: string };
  clientLeft: { client: ClientInfo };
  /** Only to the client that typed `.cls`. */
  clearScreen: Record<string, never>;
  /** Only to the client that typed `.wtitle`. */
  title: { text: string };
  /** Only to the client whose script said `.remote_exit`: its program exits. */
  exit: Record<string, never>;
  /** The session is over; the wire closes next. */
  ended: { reason: string };
}

export type EventName = keyof Events;

export const eventNames: readonly EventName[] = [
  'output',
  'state',
  'stopped',
  'resumed',
  'memoryChanged',
  'breakpoint',
  'module',
  'clientJoined',
  'clientLeft',
  'clearScreen',
  'title',
  'exit',
  'ended',
];
