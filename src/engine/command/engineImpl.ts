/** The engine: puts modules, symbols, stacks, disassembly, breakpoints and stepping together over one target. */
import type { Registers } from '../arch/registers';
import { Emitter, type Disposable } from '../base/emitter';
import { UserError } from '../base/errors';
import { evaluate } from '../expression/evaluate';
import { parseExpression, parseExpressionAt } from '../expression/parser';
import type { Radix } from '../expression/tokens';
import type { Kdbg } from '../nt/kdbg';
import { readKdbg } from '../nt/kdbg';
import { TargetRunningError, type Target, type TargetStateChange, type TargetStop } from '../target/target';
import { stackPointer } from '../unwind/x64';
import { BreakpointTable } from './breakpointTable';
import { Disassembler } from './disassembler';
import type { Cursor, Engine, LastEvent, Module } from './engine';
import { ModuleList } from './moduleList';
import { Scope } from './scope';
import { SearchPaths } from './searchPaths';
import { frameOf, StackWalker } from './stack';
import { Stepper, type ResumeKind } from './stepping';
import { eventLine, instructionLine } from './stopText';
import { Symbolizer } from './symbolizer';

export function createEngine(target: Target): Engine {
  return new EngineImpl(target);
}

class EngineImpl implements Engine {
  readonly breakpoints: BreakpointTable;
  readonly cursor: Cursor = { data: undefined, code: undefined, dataCommand: 'db' };
  readonly paths = new SearchPaths();
  processor = 0;
  radix: Radix = 16;

  private readonly moduleList: ModuleList;
  private readonly symbolizer: Symbolizer;
  private readonly walker: StackWalker;
  private readonly disassembler: Disassembler;
  private readonly stepper: Stepper;
  private readonly scope: Scope;
  private readonly subscriptions: Disposable[];
  private readonly stopEmitter = new Emitter<TargetStop>();
  readonly stopped = this.stopEmitter.event;
  private currentStop: TargetStop | undefined;
  private newestEvent: LastEvent | undefined;
  private debuggerData: Promise<Kdbg | undefined> | undefined;

  constructor(readonly target: Target) {
    this.breakpoints = new BreakpointTable(target);
    this.moduleList = new ModuleList(target);
    this.symbolizer = new Symbolizer(this.moduleList);
    this.walker = new StackWalker(target, this.moduleList, this.symbolizer);
    this.disassembler = new Disassembler(target, this.moduleList, this.symbolizer);
    this.scope = new Scope(this, target, this.moduleList);
    this.stepper = new Stepper(target, this.breakpoints, this, () => this.caller());
    this.subscriptions = [
      target.stateChanged((change) => this.onState(change)),
      target.stopped((stop) => void this.onStop(stop)),
      target.moduleChanged((event) => this.moduleList.onEvent(event)),
    ];
    if (target.state === 'stopped' && target.stop) {
      this.processor = target.stop.processor;
      this.show(target.stop);
    }
  }

  get stop(): TargetStop | undefined {
    return this.currentStop;
  }

  get lastEvent(): LastEvent | undefined {
    return this.newestEvent;
  }

  get promptName(): string {
    return this.target.processorCount > 1 ? `${this.processor}: kd` : 'kd';
  }

  modules(): Promise<readonly Module[]> {
    return this.moduleList.list();
  }

  moduleAt(address: bigint): Promise<Module | undefined> {
    return this.moduleList.at(address);
  }

  async reload(): Promise<void> {
    this.requireStopped('.reload');
    this.moduleList.forget();
    this.debuggerData = undefined;
    await this.moduleList.list();
    await this.resolveBreakpoints();
  }

  loadSymbols(module: Module) {
    return this.moduleList.symbols(module);
  }

  imageDetails(module: Module) {
    return this.moduleList.details(module);
  }

  place(address: bigint) {
    return this.symbolizer.place(address);
  }

  async symbolFor(address: bigint): Promise<string | undefined> {
    return (await this.symbolizer.place(address))?.text;
  }

  async kdbg(): Promise<Kdbg | undefined> {
    const list = this.target.version?.debuggerDataList;
    if (list === undefined) return undefined;
    this.debuggerData ??= readKdbg((address, length) => this.target.readVirtual(address, length), list);
    const reading = this.debuggerData;
    const block = await reading.catch(() => undefined);
    // Early in the boot it is not there yet: ask again next time.
    if (!block && this.debuggerData === reading) this.debuggerData = undefined;
    return block;
  }

  async evaluate(expression: string): Promise<bigint> {
    return evaluate(parseExpression(expression, this.radix), this.scope, expression);
  }

  async evaluateAt(text: string, offset: number): Promise<{ value: bigint; end: number }> {
    const { expression, end } = parseExpressionAt(text, offset, this.radix);
    return { value: await evaluate(expression, this.scope, text), end };
  }

  async registers(processor = this.processor): Promise<Registers> {
    this.requireStopped('Reading registers');
    return this.target.readRegisters(processor);
  }

  async setRegister(name: string, value: bigint, processor = this.processor): Promise<void> {
    if (this.scope.setUser(name, value)) return;
    const registers = await this.registers(processor);
    registers.set(name, value);
    // u without an address follows the instruction pointer.
    this.cursor.code = undefined;
    await this.target.writeRegisters(processor, registers);
  }

  async stack(processor: number, maxFrames: number, signal?: AbortSignal) {
    const registers = await this.registers(processor);
    return this.walker.frames(frameOf(registers), maxFrames, signal);
  }

  disassemble(address: bigint, offset: number, count: number) {
    return this.disassembler.rows(address, offset, count);
  }

  async functionRange(address: bigint): Promise<{ begin: bigint; end: bigint } | undefined> {
    const found = await this.moduleList.functionAt(address);
    const entry = found?.entry;
    return (
      entry && { begin: found.imageBase + BigInt(entry.begin), end: found.imageBase + BigInt(entry.end) }
    );
  }

  async resume(kind: ResumeKind, until?: bigint): Promise<void> {
    this.requireStopped(kind.startsWith('go') ? 'Going on' : 'Stepping');
    await this.stepper.resume(kind, until);
  }

  async describeStop(stop: TargetStop): Promise<string> {
    const lines = [this.eventText(stop)];
    const [row] = await this.disassemble(stop.pc, 0, 1);
    if (row?.symbol !== undefined) lines.push(`${row.symbol}:`);
    if (row) lines.push(instructionLine(row));
    return lines
      .filter((line) => line !== '')
      .map((line) => `${line}\n`)
      .join('');
  }

  async dispose(): Promise<void> {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.stepper.end();
    for (const { id } of this.breakpoints.list()) this.breakpoints.remove(id);
    this.breakpoints.dispose();
    this.stopEmitter.dispose();
    await this.target.close();
  }

  private requireStopped(what: string): void {
    if (this.target.state === 'running') throw new TargetRunningError(what);
    if (this.target.state !== 'stopped') throw new UserError('The target is not connected.');
  }

  private onState({ state }: TargetStateChange): void {
    if (state === 'stopped') return;
    this.currentStop = undefined;
    if (state === 'running') return;
    this.stepper.forget();
    this.moduleList.forget();
    this.debuggerData = undefined;
    this.breakpoints.forgetAddresses();
  }

  private async onStop(stop: TargetStop): Promise<void> {
    this.processor = stop.processor;
    let visible: TargetStop | undefined = stop;
    try {
      visible = await this.stepper.filter(stop);
    } catch {
      // Whatever kept the step from being judged, the target is stopped and the user must know.
      this.stepper.end();
    }
    if (!visible || this.target.stop !== stop) return;
    await this.resolveBreakpoints();
    if (this.target.stop !== stop) return;
    if (visible.reason === 'breakpoint') this.breakpoints.hit(visible.pc);
    this.show(visible);
  }

  private show(stop: TargetStop): void {
    this.cursor.code = undefined;
    this.currentStop = stop;
    this.newestEvent = { stop, text: this.eventText(stop), time: new Date() };
    this.stopEmitter.fire(stop);
  }

  private eventText(stop: TargetStop): string {
    const hit = this.breakpoints.list().filter(({ enabled, address }) => enabled && address === stop.pc);
    return eventLine(stop, hit);
  }

  private async resolveBreakpoints(): Promise<void> {
    if (this.breakpoints.list().every(({ address }) => address !== undefined)) return;
    await this.breakpoints.resolve((expression) => this.evaluate(expression));
  }

  private async caller(): Promise<{ address: bigint; sp: bigint } | undefined> {
    const [, frame] = await this.walker.raw(frameOf(await this.registers()), 2);
    return frame && { address: frame.pc, sp: stackPointer(frame) };
  }
}
