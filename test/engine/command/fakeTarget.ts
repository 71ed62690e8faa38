/**
 * A target in memory: two processors, a kernel and a driver as the loader would map them, and a CPU that knows a
 * dozen instructions. Enough to run the commands on, without a wire.
 */
import { Registers } from '../../../src/engine/arch/registers';
import { x64 } from '../../../src/engine/arch/x64';
import { Emitter } from '../../../src/engine/base/emitter';
import type {
  Crashable,
  ModuleEvent,
  Rebootable,
  ResumeOptions,
  StopReason,
  Target,
  TargetState,
  TargetStateChange,
  TargetStop,
  TargetVersion,
} from '../../../src/engine/target/target';
import { TargetRunningError } from '../../../src/engine/target/target';
import { runCpu } from './fakeCpu';
import { layOut } from './fakeKernel';

export class FakeTarget implements Target, Rebootable, Crashable {
  readonly architecture = x64;
  readonly version: TargetVersion;
  readonly memory = new Map<bigint, Uint8Array>();
  readonly breakpoints = new Set<bigint>();
  readonly processors: Registers[] = [];
  state: TargetState = 'stopped';
  detail = '';
  stop: TargetStop | undefined;
  /** Calls of readVirtual and the bytes they asked for, to see that reading is cheap. */
  readonly reads: { address: bigint; length: number }[] = [];
  /** What the commands did to it. */
  readonly log: string[] = [];
  /** Runs instead of the CPU on the next resume. */
  onResume:
    | ((options: ResumeOptions) => { reason: StopReason; processor?: number; code?: number; thread?: bigint })
    | undefined;

  private readonly states = new Emitter<TargetStateChange>();
  private readonly stops = new Emitter<TargetStop>();
  private readonly outputs = new Emitter<string>();
  private readonly moduleEvents = new Emitter<ModuleEvent>();
  readonly stateChanged = this.states.event;
  readonly stopped = this.stops.event;
  readonly output = this.outputs.event;
  readonly moduleChanged = this.moduleEvents.event;

  constructor(processorCount = 1) {
    this.version = layOut(this.memory);
    for (let i = 0; i < processorCount; i++) {
      const registers = new Registers(x64, new Uint8Array(x64.contextSize), new Uint8Array(x64.specialSize));
      this.processors.push(registers);
    }
    const { entry, stackTop } = layOut.places;
    for (const [i, registers] of this.processors.entries()) {
      registers.set('rip', entry);
      registers.set('rsp', stackTop - 0x1000n * BigInt(i));
      registers.set('efl', 0x246n);
      for (const [name, value] of [
        ['cs', 0x10n],
        ['ss', 0x18n],
        ['ds', 0x2bn],
        ['es', 0x2bn],
        ['fs', 0x53n],
        ['gs', 0x2bn],
      ] as const) {
        registers.set(name, value);
      }
      registers.set('cr3', 0x1ad000n + BigInt(i));
    }
    this.stop = this.stopOf('breakIn', 0, 0x80000003);
  }

  get processorCount(): number {
    return this.processors.length;
  }

  async readVirtual(address: bigint, length: number): Promise<Uint8Array> {
    this.requireStopped();
    this.reads.push({ address, length });
    return this.peek(address, length);
  }

  peek(address: bigint, length: number): Uint8Array {
    const result = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const place = [...this.memory].find(([base, bytes]) => at >= base && at < base + BigInt(bytes.length));
      if (!place) break;
      const offset = Number(at - place[0]);
      const part = place[1].subarray(offset, offset + length - done);
      result.set(part, done);
      done += part.length;
    }
    return result.slice(0, done);
  }

  async writeVirtual(address: bigint, bytes: Uint8Array): Promise<number> {
    this.requireStopped();
    return this.poke(address, bytes);
  }

  poke(address: bigint, bytes: Uint8Array): number {
    const place = [...this.memory].find(
      ([base, memory]) => address >= base && address < base + BigInt(memory.length),
    );
    if (!place) return 0;
    const offset = Number(address - place[0]);
    const fitting = bytes.subarray(0, place[1].length - offset);
    place[1].set(fitting, offset);
    return fitting.length;
  }

  readPhysical(address: bigint, length: number): Promise<Uint8Array> {
    return this.readVirtual(layOut.places.physical + address, length);
  }

  writePhysical(address: bigint, bytes: Uint8Array): Promise<number> {
    return this.writeVirtual(layOut.places.physical + address, bytes);
  }

  async readRegisters(processor: number): Promise<Registers> {
    this.requireStopped();
    const registers = this.processors[processor];
    if (!registers) throw new Error(`no processor ${processor}`);
    return registers.clone();
  }

  async writeRegisters(processor: number, registers: Registers): Promise<void> {
    this.requireStopped();
    this.processors[processor] = registers.clone();
  }

  insertBreakpoint(address: bigint): void {
    this.breakpoints.add(address);
  }

  removeBreakpoint(address: bigint): void {
    this.breakpoints.delete(address);
  }

  async resume(options: ResumeOptions): Promise<void> {
    this.requireStopped();
    this.log.push(options.handled === false ? 'go not handled' : options.mode);
    const processor = options.processor ?? this.stop?.processor ?? 0;
    this.enter('running');
    setImmediate(() => {
      const instead = this.onResume;
      this.onResume = undefined;
      const told = instead?.(options);

      if (told) {
        const { thread = layOut.places.thread } = told;
        return this.enterStop({
          ...this.stopOf(told.reason, told.processor ?? processor, told.code),
          thread,
        });
      }
      const reason = runCpu(this, processor, options.mode);
      if (reason) this.enterStop(this.stopOf(reason, processor, reason === 'step' ? 0x80000004 : 0x80000003));
    });
  }

  breakIn(): void {
    if (this.state === 'running') this.enterStop(this.stopOf('breakIn', 0, 0x80000003));
  }

  async reboot(): Promise<void> {
    this.log.push('reboot');
    this.enter('lost');
    this.moduleEvents.fire({ kind: 'unloadAll', path: '', base: 0n, size: 0, checksum: 0 });
    this.enter('connecting');
    this.enterStop(this.stopOf('breakIn', 0, 0x80000003));
  }

  async crash(): Promise<void> {
    this.log.push('crash');
  }

  async close(): Promise<void> {
    this.log.push('close');
    this.enter('closed');
  }

  loadModule(event: ModuleEvent): void {
    this.moduleEvents.fire(event);
  }

  private requireStopped(): void {
    if (this.state !== 'stopped') throw new TargetRunningError();
  }

  private enter(state: TargetState): void {
    this.state = state;
    if (state !== 'stopped') this.stop = undefined;
    this.states.fire({ state, detail: this.detail });
  }

  private enterStop(stop: TargetStop): void {
    this.stop = stop;
    this.enter('stopped');
    this.stop = stop;
    this.stops.fire(stop);
  }

  private stopOf(reason: StopReason, processor: number, code?: number): TargetStop {
    const pc = this.processors[processor]?.pc ?? 0n;
    return {
      reason,
      processor,
      processorCount: this.processorCount,
      pc,
      thread: layOut.places.thread,
      exception:
        code === undefined ? undefined : { code, flags: 0, address: pc, parameters: [], firstChance: true },
    };
  }
}
