/** A KdTarget joined to a FakeKdTarget in memory, on a clock that stands still until told. */
import { onTestFinished } from 'vitest';
import { nextEvent } from '../../../src/engine/base/emitter';
import { KdTarget } from '../../../src/engine/target/kdTarget';
import type { KdTargetOptions, WireSource } from '../../../src/engine/target/kdConnection';
import type { TargetStop } from '../../../src/engine/target/target';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import type { Wire } from '../../../src/engine/wire/wire';
import { FakeClock } from '../../support/fakeClock';
import { FakeKdTarget, type FakeOptions } from '../../targets/fakeKdTarget';

export interface Harness {
  readonly clock: FakeClock;
  readonly target: KdTarget;
  readonly fake: FakeKdTarget;
  /** `state: detail`, `output: text`, `load path`, `stop reason pc`, in order. */
  readonly log: string[];
  /** Lets time pass until the next stop. */
  nextStop(begin?: () => unknown): Promise<TargetStop>;
  run<T>(promise: Promise<T>): Promise<T>;
  states(): string[];
}

export interface HarnessOptions
  extends Partial<Omit<FakeOptions, 'clock'>>, Partial<Omit<KdTargetOptions, 'clock'>> {
  readonly wires?: [Wire, Wire];
  readonly source?: Partial<WireSource>;
}

export function harness(options: HarnessOptions = {}): Harness {
  const clock = new FakeClock();
  const [near, far] = options.wires ?? memoryWirePair();
  const fake = new FakeKdTarget(far, { ...options, clock });
  const source: WireSource = { name: 'the test wire', open: () => Promise.resolve(near), ...options.source };
  const target = new KdTarget(source, {
    clock,
    initialBreak: options.initialBreak,
    onPrompt: options.onPrompt,
  });
  const log: string[] = [];
  target.stateChanged(({ state, detail }) => log.push(`${state}: ${detail}`));
  target.output((text) => log.push(`output: ${text}`));
  target.moduleChanged(({ kind, path }) => log.push(`${kind} ${path}`));
  target.stopped(({ reason, pc }) => log.push(`stop ${reason} ${pc.toString(16)}`));
  target.start();
  onTestFinished(() => clock.until(target.close()));
  return {
    clock,
    target,
    fake,
    log,
    run: (promise) => clock.until(promise),
    nextStop: (begin) => {
      const stop = nextEvent(target.stopped);
      const begun = Promise.resolve(begin?.());
      return clock.until(begun.then(() => stop));
    },
    states: () => log.filter((line) => /^(connecting|running|stopped|lost|closed):/.test(line)),
  };
}

/** Connected and stopped by a break-in, with the break-in routine's `int3` behind it. */
export async function stoppedHarness(options: HarnessOptions = {}): Promise<Harness> {
  const all = harness({ ...options, initialBreak: true });
  await all.nextStop();
  return all;
}
