import { expect, it } from 'vitest';
import type { Event } from '../../../src/engine/base/emitter';
import { Emitter, nextEvent } from '../../../src/engine/base/emitter';

it('takes a value that fires while it is being subscribed to, and leaves no listener', async () => {
  let listeners = 0;
  const event: Event<number> = (listener) => {
    listeners++;
    listener(7);
    return { dispose: () => listeners-- };
  };
  expect(await nextEvent(event)).toBe(7);
  expect(listeners).toBe(0);
});

it('waits for a value that is accepted', async () => {
  const emitter = new Emitter<number>();
  const wanted = nextEvent(emitter.event, (value) => value > 1);
  for (const value of [0, 1, 2, 3]) emitter.fire(value);
  expect(await wanted).toBe(2);
});

it('rejects when its signal aborts, before or while it waits', async () => {
  const emitter = new Emitter<number>();
  await expect(nextEvent(emitter.event, undefined, AbortSignal.abort(new Error('gone')))).rejects.toThrow(
    'gone',
  );
  const controller = new AbortController();
  const waiting = nextEvent(emitter.event, undefined, controller.signal);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
