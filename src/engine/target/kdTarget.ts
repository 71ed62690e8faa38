/**
 * A target over the KD protocol: keeps the link up, follows the target's state, and offers what the engine needs of
 * it (Target). What runs while the target is stopped goes through one link, in order of the calls.
 */
import type { Architecture } from '../arch/architecture';
import type { Registers } from '../arch/registers';
import { x64 } from '../arch/x64';
import { delay } from '../base/clock';
import { Emitter } from '../base/emitter';
import { errorText, UserError } from '../base/errors';
import { causeBugCheck, continueException, continueSimple, reboot, switchProcessor } from '../kd/control';
import { LinkError, type KdLink, type LinkCounters } from '../kd/link';
import { readMsr, writeMsr } from '../kd/msr';
import type { ExceptionChange, StateChange } from '../kd/stateChange';
import { getVersion, VersionFlag } from '../kd/version';
import { KdConnection, type KdTargetOptions, type WireSource } from './kdConnection';
import { checkLength, MachineView } from './machineView';
import {
  TargetRunningError,
  type Crashable,
  type ModuleEvent,
  type MsrAccess,
  type Rebootable,
  type ResumeOptions,
  type StopReason,
  type Target,
  type TargetState,
  type TargetStateChange,
  type TargetStop,
  type TargetVersion,
} from './target';

const switchWait = 5000;
const closeWait = 2000;

const STATUS_BREAKPOINT = 0x80000003;
const STATUS_SINGLE_STEP = 0x80000004;
const STATUS_WAKE_SYSTEM_DEBUGGER = 0x80000007;
const WX86_BREAKPOINT = 0x4000001f;

const architectures: readonly Architecture[] = [x64];

/** A stop that is awaited inside, not told to the user; `accept` takes it or lets it through. */
interface Interceptor {
  accept(change: ExceptionChange): boolean;
  failed(error: Error): void;
}

export class KdTarget implements Target, Rebootable, MsrAccess, Crashable {
  architecture: Architecture | undefined;
  version: TargetVersion | undefined;
  state: TargetState = 'connecting';
  detail = '';
  stop: TargetStop | undefined;
  processorCount = 1;

  private readonly stateEmitter = new Emitter<TargetStateChange>();
  private readonly stopEmitter = new Emitter<TargetStop>();
  private readonly outputEmitter = new Emitter<string>();
  private readonly moduleEmitter = new Emitter<ModuleEvent>();
  readonly stateChanged = this.stateEmitter.event;
  readonly stopped = this.stopEmitter.event;
  readonly output = this.outputEmitter.event;
  readonly moduleChanged = this.moduleEmitter.event;

  private readonly connection: KdConnection;
  private readonly view = new MachineView(
    () => this.requireLink(),
    () => this.requireArchitecture(),
  );
  /** GetVersion was answered since the target (re)started. */
  private identified = false;
  /** Counts the times that everything known of the target became void. */
  private epoch = 0;
  private pendingChange: { link: KdLink; change: StateChange } | undefined;
  private handling = false;
  private resuming = false;
  private interceptor: Interceptor | undefined;
  /** The processor that makes a step for the user. */
  private stepping: number | undefined;
  /** Processors whose step was overtaken by another stop; the end of it is no news. */
  private readonly overtakenSteps = new Set<number>();

  constructor(
    source: WireSource,
    private readonly options: KdTargetOptions,
  ) {
    this.connection = new KdConnection(source, options, {
      state: () => this.state,
      lost: (detail) => this.lose(detail),
      connecting: (detail) => this.setState('connecting', detail),
      running: (detail) => {
        // A stop that is being looked into will say itself how it ends.
        if (!this.handling) this.setState('running', detail);
      },
      stateChange: (link, change) => this.onStateChange(link, change),
      output: (text) => this.outputEmitter.fire(text),
      failed: (detail) => this.finish(detail),
    });
  }

  /** Opens the wire and keeps it open until `close`. Everything that happens is told by events. */
  start(): void {
    this.connection.start();
  }

  /** What went over the present link; undefined without one. */
  get counters(): Readonly<LinkCounters> | undefined {
    return this.connection.link?.counters;
  }

  // --- memory and registers

  async readVirtual(address: bigint, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkLength(length);
    return this.whileStopped('Reading memory', () =>
      this.view.readVirtual(BigInt.asUintN(64, address), length, signal),
    );
  }

  async writeVirtual(address: bigint, bytes: Uint8Array): Promise<number> {
    checkLength(bytes.length);
    return this.whileStopped('Writing memory', () =>
      this.view.writeVirtual(BigInt.asUintN(64, address), bytes),
    );
  }

  async readPhysical(address: bigint, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkLength(length);
    return this.whileStopped('Reading memory', () => this.view.readPhysical(address, length, signal));
  }

  async writePhysical(address: bigint, bytes: Uint8Array): Promise<number> {
    checkLength(bytes.length);
    return this.whileStopped('Writing memory', () => this.view.writePhysical(address, bytes));
  }

  async readRegisters(processor: number): Promise<Registers> {
    this.requireStopped('Reading registers');
    this.checkProcessor(processor);
    return this.view.readRegisters(processor);
  }

  async writeRegisters(processor: number, registers: Registers): Promise<void> {
    this.requireStopped('Writing registers');
    this.checkProcessor(processor);
    await this.view.writeRegisters(processor, registers);
  }

  async readMsr(processor: number, msr: number): Promise<bigint> {
    const { link } = this.requireStopped('Reading an MSR');
    this.checkProcessor(processor);
    return readMsr(link, processor, msr);
  }

  async writeMsr(processor: number, msr: number, value: bigint): Promise<void> {
    const { link } = this.requireStopped('Writing an MSR');
    this.checkProcessor(processor);
    await writeMsr(link, processor, msr, value);
  }

  // --- breakpoints and running

  insertBreakpoint(address: bigint): void {
    this.view.breakpoints.insert(address);
  }

  removeBreakpoint(address: bigint): void {
    this.view.breakpoints.remove(address);
  }

  async resume({ mode, processor, handled = true }: ResumeOptions): Promise<void> {
    const { link } = this.requireStopped('Resuming');
    if (this.resuming) throw new UserError('The target is being resumed already.');
    this.resuming = true;
    try {
      if (mode === 'step' && processor !== undefined && processor !== this.stop?.processor) {
        await this.switchTo(link, processor);
      }
      const { stop } = this.requireStopped('Resuming');
      if (handled && (await this.skipHardCoded(stop))) {
        if (mode === 'step') {
          this.reportSkipped(stop);
          return;
        }
        await this.continue(link, stop.processor, { step: false, handled });
        return;
      }
      const pc = this.pcOf(stop);
      const { processor: stopped } = stop;
      if (mode === 'step') {
        // A breakpoint at the pc would keep the step from happening.
        await this.continue(link, stopped, { step: true, handled, except: pc });
      } else if (handled && this.view.breakpoints.isWanted(pc)) {
        await this.goFromBreakpoint(link, stopped, pc);
      } else {
        await this.continue(link, stopped, { step: false, handled });
      }
    } finally {
      this.resuming = false;
    }
  }

  breakIn(): void {
    if (this.state !== 'stopped' && this.state !== 'closed') this.connection.askBreakIn();
  }

  async reboot(): Promise<void> {
    const { link, stop } = this.requireStopped('Rebooting');
    // Its acknowledgement may be lost in the restart.
    await reboot(link).catch(() => {});
    if (this.stop !== stop) return;
    this.lose('The target reboots.');
    this.setState('connecting', 'Waiting to reconnect...');
  }

  async crash(): Promise<void> {
    const { link, stop } = this.requireStopped('Crashing the target');
    this.leaveStop();
    await causeBugCheck(link, stop.processor);
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    const { stop } = this;
    const { link } = this.connection;
    if (link && stop) {
      // Where the target does not answer, closing goes on without.
      const late = new AbortController();
      const dropped = this.view.breakpoints.dropAll(link, stop.processor).catch(() => {});
      await Promise.race([dropped, delay(this.options.clock, closeWait, late.signal).catch(() => {})]);
      late.abort();
    }
    this.finish('Closed.');
  }

  // --- state changes

  /** One at a time; a target that sends another before the first was answered means the last. */
  private onStateChange(link: KdLink, change: StateChange): void {
    this.pendingChange = { link, change };
    if (!this.handling) void this.handleChanges();
  }

  private async handleChanges(): Promise<void> {
    this.handling = true;
    for (let next = this.pendingChange; next; next = this.pendingChange) {
      this.pendingChange = undefined;
      const { epoch } = this;
      try {
        await this.handleChange(next.link, next.change, epoch);
      } catch (error) {
        // The link tells its own failures (silent, restarted, closed).
        if (!(error instanceof LinkError) && epoch === this.epoch) this.finish(errorText(error));
      }
    }
    this.handling = false;
  }

  private async handleChange(link: KdLink, change: StateChange, epoch: number): Promise<void> {
    this.processorCount = Math.max(this.processorCount, change.processorCount);
    this.view.stopped(change.processor);
    if (!this.identified) await this.identify(link, change, epoch);
    if (epoch !== this.epoch) return;
    if (change.kind === 'exception') {
      await this.handleException(link, change, epoch);
      return;
    }
    // It goes on after these by itself, also where it was believed to be stopped.
    this.stop = undefined;
    if (this.state !== 'running') this.setState('running', 'Connected.');
    if (change.kind === 'command') {
      this.outputEmitter.fire(`Command from the target, not run: ${change.name} ${change.command}\n`);
    } else if (change.kind !== 'unknown') {
      const { kind, path, base, size, checksum } = change;
      this.moduleEmitter.fire({ kind, path, base, size, checksum });
    }
    await this.view.applyBreakpoints(change.processor).catch((error: unknown) => {
      if (error instanceof LinkError) throw error;
      this.outputEmitter.fire(`${errorText(error)}\n`);
    });
    this.view.resumed();
    await continueSimple(link, change.processor);
    this.connection.goesOn();
  }

  /** The first stop of a target: what it is; and clears what an earlier debugger may have left. */
  private async identify(link: KdLink, change: StateChange, epoch: number): Promise<void> {
    const { processor } = change;
    const version = await getVersion(link, processor);
    const architecture = architectures.find(({ machineType }) => machineType === version.machineType);
    if (!architecture) {
      await continueSimple(link, processor);
      const machine = version.machineType.toString(16);
      throw new UserError(`The target's machine type 0x${machine} is not supported; only x64 (0x8664) is.`);
    }
    // At the load of the kernel itself nobody can have set any.
    const isBoot = change.kind === 'load' && change.base === version.kernelBase;
    if (!isBoot) await this.view.breakpoints.clearLeftovers(link, processor);
    if (epoch !== this.epoch) return;
    this.architecture = architecture;
    this.version = {
      majorVersion: version.majorVersion,
      build: version.minorVersion,
      machineType: version.machineType,
      multiprocessor: (version.flags & VersionFlag.multiprocessor) !== 0,
      kernelBase: version.kernelBase,
      loadedModuleList: version.loadedModuleList,
      debuggerDataList: version.debuggerDataList,
    };
    this.identified = true;
  }

  private async handleException(link: KdLink, change: ExceptionChange, epoch: number): Promise<void> {
    const reason = this.classify(change);
    await this.view.breakpoints.dropNear(link, change.processor, change.pc);
    if (epoch !== this.epoch) return;
    if (await this.passOvertakenStep(link, change)) return;
    const { interceptor } = this;
    this.interceptor = undefined;
    if (interceptor?.accept(change)) return;
    this.enterStop(this.stopOf(change, reason));
    // Whoever waited for another stop learns that it will not come.
    interceptor?.failed(new UserError('The target stopped for another reason.'));
  }

  /** Keeps account of steps. The end of one that another stop had overtaken is no news: continues, and returns true. */
  private async passOvertakenStep(link: KdLink, { code, processor }: ExceptionChange): Promise<boolean> {
    const { stepping } = this;
    const overtaken = this.overtakenSteps.delete(processor);
    if (overtaken && code === STATUS_SINGLE_STEP && stepping !== processor) {
      try {
        await this.continue(link, processor, { step: false, handled: true });
        // Another processor's step may be under way still.
        this.stepping = stepping;
        this.connection.goesOn();
        return true;
      } catch (error) {
        if (error instanceof LinkError) throw error;
      }
    }
    if (stepping !== undefined && stepping !== processor) this.overtakenSteps.add(stepping);
    this.stepping = undefined;
    return false;
  }

  private stopOf(change: ExceptionChange, reason: StopReason): TargetStop {
    const { processor, pc, thread, code, flags, address, parameters, firstChance } = change;
    const exception = { code, flags, address, parameters, firstChance };
    return { reason, processor, processorCount: this.processorCount, pc, thread, exception };
  }

  private classify({ code, pc, address, processor }: ExceptionChange): StopReason {
    switch (code) {
      case STATUS_BREAKPOINT:
      case WX86_BREAKPOINT:
        if (this.view.breakpoints.isPlaced(pc) || this.view.breakpoints.isPlaced(address))
          return 'breakpoint';
        return this.connection.breakInPending ? 'breakIn' : 'exception';
      case STATUS_SINGLE_STEP:
        return this.stepping === processor ? 'step' : 'exception';
      case STATUS_WAKE_SYSTEM_DEBUGGER:
        return 'switch';
      default:
        return 'exception';
    }
  }

  private enterStop(stop: TargetStop): void {
    this.connection.stopped();
    this.stop = stop;
    this.setState('stopped', `Stopped on processor ${stop.processor}.`);
    this.stopEmitter.fire(stop);
  }

  private leaveStop(detail = 'The target is running.'): void {
    this.stop = undefined;
    this.view.resumed();
    this.setState('running', detail);
  }

  /** Nothing that was known of the target holds any more. */
  private lose(detail: string): void {
    const wasReached = this.state === 'running' || this.state === 'stopped';
    this.forget(detail);
    if (!wasReached) return;
    this.setState('lost', detail);
    this.moduleEmitter.fire({ kind: 'unloadAll', path: '', base: 0n, size: 0, checksum: 0 });
  }

  private forget(detail: string): void {
    this.epoch++;
    this.stop = undefined;
    this.identified = false;
    this.stepping = undefined;
    this.overtakenSteps.clear();
    this.pendingChange = undefined;
    this.processorCount = 1;
    this.view.forget();
    this.interceptor?.failed(new LinkError(detail));
    this.interceptor = undefined;
  }

  private finish(detail: string): void {
    if (this.state === 'closed') return;
    this.forget(detail);
    this.connection.close();
    this.setState('closed', detail);
  }

  private setState(state: TargetState, detail: string): void {
    if (this.state === 'closed' || (this.state === state && this.detail === detail)) return;
    this.state = state;
    this.detail = detail;
    this.stateEmitter.fire({ state, detail });
  }

  // --- resuming

  /** Continues from an exception; the target counts as running from here on. */
  private async continue(
    link: KdLink,
    processor: number,
    how: { step: boolean; handled: boolean; except?: bigint },
  ): Promise<void> {
    await this.view.applyBreakpoints(processor, how.except);
    this.stepping = how.step ? processor : undefined;
    this.leaveStop();
    await continueException(link, processor, { step: how.step, handled: how.handled, dr7: this.view.dr7 });
  }

  /** True when a breakpoint instruction of the code itself is at the pc, and the pc has been moved past it. */
  private async skipHardCoded({ exception, processor, pc }: TargetStop): Promise<boolean> {
    const isBreakpoint = exception?.code === STATUS_BREAKPOINT || exception?.code === WX86_BREAKPOINT;
    const moved = (this.view.knownPc(processor) ?? pc) !== pc;
    return isBreakpoint && !moved && this.view.skipBreakpointInstruction(processor, pc);
  }

  /** A step over a breakpoint instruction is done without the target: it does nothing else. */
  private reportSkipped(stop: TargetStop): void {
    const pc = this.pcOf(stop);
    this.setState('running', 'The target is running.');
    this.stop = undefined;
    queueMicrotask(() => {
      if (this.state === 'running') this.enterStop({ ...stop, reason: 'step', pc, exception: undefined });
    });
  }

  /** Steps off the breakpoint at `pc`, unseen, and goes on with all breakpoints in force. */
  private async goFromBreakpoint(link: KdLink, processor: number, pc: bigint): Promise<void> {
    let step: ExceptionChange | undefined;
    const stepped = this.intercept((change) => {
      step = change.code === STATUS_SINGLE_STEP && change.processor === processor ? change : undefined;
      return step !== undefined;
    });
    // The promise may fail before it is awaited.
    stepped.catch(() => {});
    await this.continue(link, processor, { step: true, handled: true, except: pc });
    // Resolves when the step is made; when the target stopped for another reason, that has been told already.
    const made = await stepped.then(
      () => true,
      (error: unknown) => {
        if (error instanceof LinkError) throw error;
        return false;
      },
    );
    if (!made || !step) return;
    this.stepping = undefined;
    try {
      await this.continue(link, processor, { step: false, handled: true });
      this.connection.goesOn();
    } catch (error) {
      // A breakpoint was refused: the target stays where the step has brought it.
      if (!(error instanceof LinkError)) this.enterStop(this.stopOf(step, 'step'));
      throw error;
    }
  }

  private async switchTo(link: KdLink, processor: number): Promise<void> {
    this.checkProcessor(processor);
    const switched = this.intercept((change) => {
      if (change.processor !== processor) return false;
      const { pc, thread } = change;
      if (this.stop)
        this.stop = { ...this.stop, reason: 'switch', processor, pc, thread, exception: undefined };
      return true;
    });
    switched.catch(() => {});
    const late = this.options.clock.after(switchWait, () => {
      this.interceptor?.failed(new UserError(`The target does not switch to processor ${processor}.`));
      this.interceptor = undefined;
    });
    try {
      await switchProcessor(link, processor);
      await switched;
    } finally {
      late.dispose();
    }
  }

  private intercept(accept: (change: ExceptionChange) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.interceptor = {
        accept: (change) => {
          const taken = accept(change);
          if (taken) resolve();
          return taken;
        },
        failed: reject,
      };
    });
  }

  // --- helpers

  /** Does something that makes sense only within one stop. */
  private async whileStopped<T>(what: string, action: () => Promise<T>): Promise<T> {
    const { stop } = this.requireStopped(what);
    const result = await action();
    if (this.stop !== stop) throw new TargetRunningError(what);
    return result;
  }

  private requireLink(): KdLink {
    const { link } = this.connection;
    if (!link) throw new LinkError('The target is not connected.');
    return link;
  }

  private requireStopped(what: string): { link: KdLink; stop: TargetStop } {
    const { stop, state } = this;
    const { link } = this.connection;
    if (state === 'running') throw new TargetRunningError(what);
    if (!link || !stop || state !== 'stopped') {
      throw new UserError(`${what} is not possible: the target is not connected (${this.detail})`);
    }
    return { link, stop };
  }

  private requireArchitecture(): Architecture {
    if (!this.architecture) throw new UserError('The target has not been reached yet.');
    return this.architecture;
  }

  /** The pc as the user may have changed it. */
  private pcOf(stop: TargetStop): bigint {
    return this.view.knownPc(stop.processor) ?? stop.pc;
  }

  private checkProcessor(processor: number): void {
    if (Number.isInteger(processor) && processor >= 0 && processor < this.processorCount) return;
    const range =
      this.processorCount === 1 ? 'only processor 0' : `processors 0 to ${this.processorCount - 1}`;
    throw new UserError(`There is no processor ${processor}; the target has ${range}.`);
  }
}
