/**
 * What the engine needs of a machine under debugging. KdTarget is one, later GdbTarget (EXDI) and DumpTarget.
 * Everything here may be called at any time; what needs a stopped target rejects with `TargetRunningError` otherwise.
 */
import type { Architecture } from '../arch/architecture';
import type { Registers } from '../arch/registers';
import type { Event } from '../base/emitter';
import { UserError } from '../base/errors';

/** `connecting → running ⇄ stopped → lost → connecting`; `closed` is final. */
export type TargetState = 'connecting' | 'running' | 'stopped' | 'lost' | 'closed';

export interface TargetStateChange {
  readonly state: TargetState;
  /** One line for the user: why it is in this state or does not get on, e.g. `Waiting to reconnect...`. */
  readonly detail: string;
}

export interface ExceptionInfo {
  /** Unsigned NTSTATUS, e.g. 0x80000003. */
  readonly code: number;
  readonly flags: number;
  readonly address: bigint;
  readonly parameters: readonly bigint[];
  readonly firstChance: boolean;
}

/** Why the target stopped. `breakpoint` is one of ours, `breakIn` the answer to `breakIn()`. */
export type StopReason = 'breakIn' | 'breakpoint' | 'step' | 'exception' | 'switch';

export interface TargetStop {
  readonly reason: StopReason;
  readonly processor: number;
  readonly processorCount: number;
  readonly pc: bigint;
  /** KTHREAD of the stopped processor. */
  readonly thread: bigint;
  readonly exception: ExceptionInfo | undefined;
}

export interface ModuleEvent {
  readonly kind: 'load' | 'unload' | 'unloadAll';
  readonly path: string;
  readonly base: bigint;
  readonly size: number;
  readonly checksum: number;
}

/** What GetVersion says, as far as the engine uses it. */
export interface TargetVersion {
  readonly majorVersion: number;
  readonly build: number;
  readonly machineType: number;
  /** True when the kernel is a multiprocessor build. */
  readonly multiprocessor: boolean;
  readonly kernelBase: bigint;
  readonly loadedModuleList: bigint;
  readonly debuggerDataList: bigint;
}

export interface ResumeOptions {
  readonly mode: 'go' | 'step';
  /** The processor that steps; the one that stopped when left out. */
  readonly processor?: number;
  /** False sends the exception on to the target's handlers (`gn`). Default true. */
  readonly handled?: boolean;
}

export interface Target {
  /** Known once the target has been reached for the first time; undefined before. */
  readonly architecture: Architecture | undefined;
  readonly version: TargetVersion | undefined;
  readonly state: TargetState;
  /** The line that goes with the state. */
  readonly detail: string;
  /** The stop the target is in; undefined unless `state` is `stopped`. */
  readonly stop: TargetStop | undefined;
  readonly processorCount: number;

  /**
   * Reads up to `length` bytes (at most 16 MiB) of the current address space. The result ends before the first
   * unreadable byte, so it may be shorter or empty. Bytes under the debugger's own breakpoints are the original ones.
   */
  readVirtual(address: bigint, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Returns the number of bytes written. */
  writeVirtual(address: bigint, bytes: Uint8Array): Promise<number>;
  readPhysical(address: bigint, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  writePhysical(address: bigint, bytes: Uint8Array): Promise<number>;
  /** A copy; change it and hand it to `writeRegisters`. */
  readRegisters(processor: number): Promise<Registers>;
  writeRegisters(processor: number, registers: Registers): Promise<void>;

  /**
   * Software breakpoints, by address. They are in force from the next resume on; inserting one that is there and
   * removing one that is not do nothing. The target takes care of stepping off a breakpoint at the current pc.
   */
  insertBreakpoint(address: bigint): void;
  removeBreakpoint(address: bigint): void;

  /** Resolves when the target has taken the request; the next stop comes as `stopped`. */
  resume(options: ResumeOptions): Promise<void>;
  /** Asks a running target to stop. The stop comes as `stopped` with reason `breakIn`. No effect when stopped. */
  breakIn(): void;
  /** Removes our breakpoints where the target still answers, then closes the link. Leaves the target as it is. */
  close(): Promise<void>;

  readonly stateChanged: Event<TargetStateChange>;
  /** Fires after `stateChanged` to `stopped`. */
  readonly stopped: Event<TargetStop>;
  /** Text the target printed (DbgPrint). */
  readonly output: Event<string>;
  readonly moduleChanged: Event<ModuleEvent>;
}

/** Optional powers: a target may implement these too. Ask with the functions below, never by class. */
export interface Rebootable {
  /** Restarts the machine; the target goes to `lost`, then `connecting`. */
  reboot(): Promise<void>;
}

export interface MsrAccess {
  readMsr(processor: number, msr: number): Promise<bigint>;
  writeMsr(processor: number, msr: number, value: bigint): Promise<void>;
}

export interface Crashable {
  /** Makes the kernel bugcheck (0xE2). */
  crash(): Promise<void>;
}

export function isRebootable(target: Target): target is Target & Rebootable {
  return 'reboot' in target;
}

export function hasMsrAccess(target: Target): target is Target & MsrAccess {
  return 'readMsr' in target;
}

export function isCrashable(target: Target): target is Target & Crashable {
  return 'crash' in target;
}

export class TargetRunningError extends UserError {
  override readonly name = 'TargetRunningError';
  constructor(what = 'This') {
    super(`${what} needs the target stopped; break in first (Ctrl+C, Pause).`);
  }
}
