/**
 * Resuming the target: go, step into, over and out. Steps over calls run to a temporary breakpoint; a stop there by
 * another thread or by a deeper instance of the same function is not the user's and is resumed here.
 */
import { UserError } from '../base/errors';
import type { Target, TargetStop } from '../target/target';
import type { BreakpointTable } from './breakpointTable';
import type { Engine } from './engine';

export type ResumeKind = Parameters<Engine['resume']>[0];

interface Pending {
  /** Undefined for a single step. */
  readonly temporary: bigint | undefined;
  /** The step is over when the stack is at least this high again. */
  readonly minimumSp: bigint;
  readonly thread: bigint | undefined;
}

const SINGLE_STEP = 0x8000_0004;
const MAX_OVERTAKEN = 256;

function isSingle({ temporary }: Pending): boolean {
  return temporary === undefined;
}

export class Stepper {
  private pending: Pending | undefined;
  /** Threads with the end of a step still to come. */
  private readonly overtaken = new Set<bigint>();
  /** The thread that is stepped off a breakpoint before it runs. */
  private leaving: bigint | undefined;

  constructor(
    private readonly target: Target,
    private readonly breakpoints: BreakpointTable,
    private readonly engine: Engine,
    /** Return address and stack pointer of the caller of the current function. */
    private readonly caller: () => Promise<{ address: bigint; sp: bigint } | undefined>,
  ) {}

  /** Resolves when the target was resumed. */
  async resume(kind: ResumeKind, until?: bigint): Promise<void> {
    const { processor, stop: from } = this.engine;
    this.leaving = from && this.breakpoints.at(from.pc) ? this.thread() : undefined;
    if (kind === 'goNotHandled') return this.target.resume({ mode: 'go', handled: false });
    switch (kind) {
      case 'go':
      case 'goHandled':
        if (until !== undefined) return this.runTo(until, 0n, undefined);
        return this.target.resume({ mode: 'go' });
      case 'stepInto':
        return this.single(processor);
      case 'stepOver': {
        const next = await this.afterCall();
        if (next === undefined) return this.single(processor);
        return this.runTo(next.address, next.sp, this.thread());
      }
      case 'stepOut': {
        const caller = await this.caller();
        if (!caller) throw new UserError('The caller of this function cannot be found: the stack ends here.');
        return this.runTo(caller.address, caller.sp, this.thread());
      }
    }
  }

  /** The stop as the user should see it; undefined when it was only in the way of a step and has been resumed. */
  async filter(stop: TargetStop): Promise<TargetStop | undefined> {
    const { pending } = this;
    this.noteOvertaken(stop);
    const stepped = stop.exception?.code === SINGLE_STEP;
    const mine = pending?.thread === undefined || pending.thread === stop.thread;
    if (stepped && this.overtaken.delete(stop.thread) && !(pending && isSingle(pending) && mine)) {
      await this.goOn();
      return undefined;
    }
    if (pending && isSingle(pending)) {
      this.end();
      return stepped && mine && stop.reason !== 'step' ? { ...stop, reason: 'step' } : stop;
    }
    const there = stop.reason === 'breakpoint' && stop.pc === pending?.temporary;
    if (!pending || !there || this.breakpoints.at(stop.pc)) {
      this.end();
      return stop;
    }
    if (!(await this.isOurs(stop, pending))) {
      this.leaving = stop.thread;
      await this.goOn();
      return undefined;
    }
    this.end();
    return { ...stop, reason: 'step' };
  }

  /** From a stop that is not shown. The target is still telling it: what it was doing must end before. */
  private async goOn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.target.resume({ mode: 'go' });
  }

  /** The target is gone, and its threads with it. */
  forget(): void {
    this.end();
    this.overtaken.clear();
    this.leaving = undefined;
  }

  /**
   * A thread that was to make one instruction, by a step or to get off a breakpoint, may be switched away from before.
   * The step then ends much later, when the thread runs again; nobody waits for it any more.
   */
  private noteOvertaken(stop: TargetStop): void {
    const { pending } = this;
    const stepping = pending && isSingle(pending) ? pending.thread : this.leaving;
    this.leaving = undefined;
    if (stepping === undefined || stepping === stop.thread || this.overtaken.size >= MAX_OVERTAKEN) return;
    this.overtaken.add(stepping);
  }

  /** Forgets a step that will not end, because the target is gone. */
  end(): void {
    const temporary = this.pending?.temporary;
    this.pending = undefined;
    if (temporary !== undefined && !this.breakpoints.at(temporary)) this.target.removeBreakpoint(temporary);
  }

  private async isOurs(stop: TargetStop, { thread, minimumSp }: Pending): Promise<boolean> {
    if (thread !== undefined && stop.thread !== thread) return false;
    return (await this.engine.registers(stop.processor)).sp >= minimumSp;
  }

  private single(processor: number): Promise<void> {
    this.pending = { temporary: undefined, minimumSp: 0n, thread: this.thread() };
    return this.target.resume({ mode: 'step', processor });
  }

  /** The stop names the thread of its own processor only. */
  private thread(): bigint | undefined {
    const stop = this.engine.stop;
    return stop && stop.processor === this.engine.processor && stop.thread !== 0n ? stop.thread : undefined;
  }

  private async runTo(address: bigint, minimumSp: bigint, thread: bigint | undefined): Promise<void> {
    this.pending = { temporary: address, minimumSp, thread };
    this.target.insertBreakpoint(address);
    try {
      await this.target.resume({ mode: 'go' });
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Where a step over ends when the instruction is a call or a repeated string instruction. */
  private async afterCall(): Promise<{ address: bigint; sp: bigint } | undefined> {
    const { architecture } = this.target;
    const registers = await this.engine.registers();
    const code = await this.target.readVirtual(registers.pc, architecture?.maxInstructionLength ?? 0);
    const row = architecture?.disassemble(code, registers.pc, 1)[0];
    if (!row || (row.flow !== 'call' && !row.mnemonic.startsWith('rep'))) return undefined;
    if (row.flow === 'return') return undefined;
    return { address: BigInt.asUintN(64, registers.pc + BigInt(row.bytes.length)), sp: registers.sp };
  }
}
