/** Time limits: they come, whatever the garbage collector has done meanwhile. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { withLimit } from '../../../src/engine/base/abort';
import { UserError } from '../../../src/engine/base/errors';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

it('comes also when nobody but a listener of the combined signal waits for it', async () => {
  const never = new AbortController();
  const reason = new Promise((resolve) => {
    const combined = withLimit(never.signal, 300, new UserError('too late'));
    combined.addEventListener('abort', () => resolve(combined.reason));
  });
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 10));
  collectGarbage();
  expect(await reason).toMatchObject({ message: 'too late' });
});

it('passes on what the signal says', () => {
  const stop = new AbortController();
  const limited = withLimit(stop.signal, 60_000);
  stop.abort(new Error('stop'));
  expect(limited.reason).toMatchObject({ message: 'stop' });
});
