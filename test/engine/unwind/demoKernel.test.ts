/**
 * Unwinding against the CPU itself: the demo kernel is single-stepped, calls and returns are kept in a list, and
 * after every instruction the unwound stack must be that list.
 */
import { expect, it, onTestFinished } from 'vitest';
import { createEngine } from '../../../src/engine/command/engineImpl';
import type { Engine } from '../../../src/engine/command/engine';
import { nextEvent } from '../../../src/engine/base/emitter';
import { openTarget } from '../../../src/engine/target/connection';
import { describeWhen } from '../../support/tools';
import { hasDemoImage } from '../../targets/demo';

const patience = 60_000;

async function stopAt(place: string): Promise<Engine> {
  const engine = createEngine(openTarget('demo:', { initialBreak: true }));
  onTestFinished(() => engine.dispose());
  if (!engine.stop) await nextEvent(engine.stopped, undefined, AbortSignal.timeout(patience));
  await stopAfter(engine, async () => engine.resume('go', await engine.evaluate(place)));
  expect(await engine.symbolFor((await engine.registers()).pc)).toBe(place);
  return engine;
}

async function stopAfter(engine: Engine, begin: () => Promise<void>): Promise<void> {
  const stop = nextEvent(engine.stopped, undefined, AbortSignal.timeout(patience));
  await begin();
  await stop;
}

/** Outermost first. */
async function returnAddresses(engine: Engine): Promise<bigint[]> {
  const frames = await engine.stack(engine.processor, 100);
  return frames
    .map(({ returnAddress }) => returnAddress)
    .filter((address) => address !== 0n)
    .reverse();
}

async function stepAndCompare(
  engine: Engine,
  steps: number,
): Promise<{ compared: number; functions: Set<bigint> }> {
  let expected = await returnAddresses(engine);
  const functions = new Set<bigint>();
  let compared = 0;
  for (let i = 0; i < steps; i++) {
    const { pc } = await engine.registers();
    const [row] = await engine.disassemble(pc, 0, 1);
    if (!row) throw new Error('nothing to execute');
    await stopAfter(engine, () => engine.resume('stepInto'));
    const { pc: now } = await engine.registers();
    const next = pc + BigInt(row.bytes.length);
    const stack = await returnAddresses(engine);
    const place = `${(await engine.symbolFor(pc)) ?? ''} ${row.mnemonic} ${row.operands} -> ${now.toString(16)}`;
    if (row.flow === 'call') expected.push(next);
    else if (row.mnemonic === 'ret') expect([place, expected.pop()]).toEqual([place, now]);
    // An interrupt or its return: another stack, or more of this one.
    else if (row.mnemonic === 'iretq' || (row.flow === 'next' && now !== next)) expected = stack;
    expect([place, stack]).toEqual([place, expected]);
    compared++;
    const range = await engine.functionRange(now);
    if (range) functions.add(range.begin);
  }
  return { compared, functions };
}

describeWhen(hasDemoImage(), 'the demo kernel (npm run demo:build)', 'stacks of the demo kernel', () => {
  it.each([
    ['demo!DemoDispatch', 250, 4],
    ['nt!DbgPrint', 120, 2],
  ])('are right at every instruction from %s on', { timeout: 120_000 }, async (place, steps, atLeast) => {
    const engine = await stopAt(place);
    const { compared, functions } = await stepAndCompare(engine, steps);
    expect(compared).toBe(steps);
    expect(functions.size).toBeGreaterThanOrEqual(atLeast);
  });
});
