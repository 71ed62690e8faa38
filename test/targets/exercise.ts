/** What every real target must do, whatever wire leads to it: the demo kernel driven through openTarget. */
import { expect, onTestFinished } from 'vitest';
import { nextEvent } from '../../src/engine/base/emitter';
import { openTarget } from '../../src/engine/target/connection';
import {
  hasMsrAccess,
  type Target,
  type TargetState,
  type TargetStateChange,
  type TargetStop,
} from '../../src/engine/target/target';

export interface Driver {
  readonly target: Target;
  /** Everything the target printed. */
  text(): string;
  readonly modules: string[];
  readonly states: TargetStateChange[];
  /** The stop that follows `begin`. */
  stopAfter(begin: () => unknown): Promise<TargetStop>;
  reaches(state: TargetState): Promise<TargetStateChange>;
}

/** Generous: the machine may be busy with other tests. */
const patience = 30_000;

export function drive(connection: string, options: { initialBreak?: boolean } = {}): Driver {
  const target = openTarget(connection, options);
  onTestFinished(() => target.close());
  let text = '';
  const modules: string[] = [];
  const states: TargetStateChange[] = [];
  target.output((piece) => (text += piece));
  target.moduleChanged(({ kind, path }) => modules.push(`${kind} ${path.replace(/^.*\\/, '')}`));
  target.stateChanged((change) => states.push(change));
  const failed = () =>
    new Error(`waited too long; ${states.map((each) => `${each.state}: ${each.detail}`).join('; ')}`);
  const within = <T>(wait: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(failed()), patience);
    return wait(abort.signal).finally(() => clearTimeout(timer));
  };
  return {
    target,
    text: () => text,
    modules,
    states,
    stopAfter: (begin) =>
      within(async (signal) => {
        const stop = nextEvent(target.stopped, () => true, signal);
        await Promise.all([stop, begin()]);
        return stop;
      }),
    reaches: (state) =>
      within((signal) => {
        if (target.state === state) return Promise.resolve({ state, detail: target.detail });
        return nextEvent(target.stateChanged, (change) => change.state === state, signal);
      }),
  };
}

const step = (driver: Driver, processor?: number) =>
  driver.stopAfter(() => driver.target.resume({ mode: 'step', processor }));
const go = (driver: Driver) => driver.stopAfter(() => driver.target.resume({ mode: 'go' }));

/** Breaks in at boot, lets it boot, breaks in again, and uses everything a target offers. */
export async function exercise(driver: Driver, processors: number): Promise<void> {
  const { target } = driver;
  const first = await driver.stopAfter(() => {});
  expect(first).toMatchObject({ reason: 'breakIn', processor: 0 });
  expect(target.architecture?.name).toBe('amd64');
  expect(driver.modules).toContain('load demont.exe');

  await target.resume({ mode: 'go' });
  await waitFor(driver, () => driver.modules.includes('load demo.sys'));
  expect(driver.text()).toContain(`demont: ${processors} processor`);
  const stop = await driver.stopAfter(() => target.breakIn());
  expect(stop).toMatchObject({ reason: 'breakIn', processorCount: processors });

  const kernel = target.version!.kernelBase;
  expect(Buffer.from(await target.readVirtual(kernel, 2)).toString()).toBe('MZ');
  const image = await target.readVirtual(kernel, 0x3000);
  expect(image).toHaveLength(0x3000);
  expect(await target.readVirtual(0x10n, 8)).toHaveLength(0);

  const registers = await target.readRegisters(stop.processor);
  expect(registers.pc).toBe(stop.pc);
  expect(registers.get('cr0') & 0x80000001n).toBe(0x80000001n);
  await checkPhysical(target, registers.get('cr3'));
  await checkWriting(target, registers.sp - 0x200n, stop.processor);
  await checkStepsAndBreakpoints(driver);
  if (processors > 1) await checkSecondProcessor(driver);
  if (!hasMsrAccess(target)) throw new Error('no MSR access');
  expect((await target.readMsr(0, 0xc0000080)) & 0x500n).toBe(0x500n);

  await target.resume({ mode: 'go' });
  expect(await driver.stopAfter(() => target.breakIn())).toMatchObject({ reason: 'breakIn' });
}

/** The page table's root is readable as physical memory and its upper half is not empty. */
async function checkPhysical(target: Target, cr3: bigint): Promise<void> {
  const root = await target.readPhysical(cr3 & 0xffffffffff000n, 4096);
  expect(root).toHaveLength(4096);
  expect(root.subarray(2048).some((byte) => byte !== 0)).toBe(true);
}

/** Below the stack pointer nothing is in use while the target is stopped. */
async function checkWriting(target: Target, scratch: bigint, processor: number): Promise<void> {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  expect(await target.writeVirtual(scratch, bytes)).toBe(5);
  expect(await target.readVirtual(scratch, 5)).toEqual(bytes);
  const registers = await target.readRegisters(processor);
  const old = registers.get('r10');
  registers.set('r10', 0x0123456789abcdefn);
  await target.writeRegisters(processor, registers);
  expect((await target.readRegisters(processor)).get('r10')).toBe(0x0123456789abcdefn);
  registers.set('r10', old);
  await target.writeRegisters(processor, registers);
}

/**
 * The break-in comes from the clock interrupt: a few instructions after the break-in routine's return lies code that
 * every tick runs through.
 */
async function checkStepsAndBreakpoints(driver: Driver): Promise<void> {
  const { target } = driver;
  let at = await step(driver);
  expect(at.reason).toBe('step');
  for (let returns = 0, i = 0; returns < 2; i++) {
    expect(i).toBeLessThan(200);
    const [opcode] = await target.readVirtual(at.pc, 1);
    const before = at.pc;
    at = await step(driver);
    expect(at.reason).toBe('step');
    expect(at.pc).not.toBe(before);
    if (opcode === 0xc3) returns++;
  }
  const original = await target.readVirtual(at.pc, 4);
  target.insertBreakpoint(at.pc);
  for (let i = 0; i < 3; i++) {
    expect(await go(driver)).toMatchObject({ reason: 'breakpoint', pc: at.pc });
    expect(await target.readVirtual(at.pc, 4)).toEqual(original);
  }
  // Off the breakpoint by a step, and back to it.
  expect((await step(driver)).pc).not.toBe(at.pc);
  expect(await go(driver)).toMatchObject({ reason: 'breakpoint', pc: at.pc });
  target.removeBreakpoint(at.pc);
}

async function checkSecondProcessor(driver: Driver): Promise<void> {
  const { target } = driver;
  const [first, second] = await Promise.all([target.readRegisters(0), target.readRegisters(1)]);
  expect(second.sp).not.toBe(first.sp);
  expect(second.get('cr0') & 0x80000001n).toBe(0x80000001n);
  const stop = await step(driver, 1);
  expect(stop.processor).toBe(1);
}

/** Waits for something that shows with the target's events. */
export async function waitFor(driver: Driver, done: () => boolean): Promise<void> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error(`waited too long for ${done.toString()}`)), patience);
  try {
    while (!done()) {
      await Promise.race([
        nextEvent(driver.target.moduleChanged, () => true, abort.signal),
        nextEvent(driver.target.output, () => true, abort.signal),
        nextEvent(driver.target.stateChanged, () => true, abort.signal),
      ]);
    }
  } finally {
    clearTimeout(timer);
  }
}
