import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CancelledError, UserError } from '../../../src/engine/base/errors';
import { CommandQueue, type Slot } from '../../../src/engine/session/queue';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('CommandQueue', () => {
  it('runs one job at a time, in order of arrival, whatever they do', async () => {
    const step = fc.constantFrom('tick', 'park');
    const job = fc.record({ needsStop: fc.boolean(), steps: fc.array(step, { maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { maxLength: 12 }),
        fc.infiniteStream(fc.boolean()),
        async (jobs, toggles) => {
          const queue = new CommandQueue();
          let stopped = true;
          let running = 0;
          let most = 0;
          const started: number[] = [];
          const work = async (slot: Slot, steps: string[]) => {
            for (const each of steps) {
              if (each === 'tick') {
                await turn();
                continue;
              }
              stopped = false;
              queue.setStopped(false);
              running--;
              await slot.untilStopped();
              running++;
              expect(stopped).toBe(true);
              most = Math.max(most, running);
            }
          };
          queue.setStopped(true);
          const done = jobs.map(({ needsStop, steps }, index) =>
            queue.submit({
              client: index % 3,
              needsStop,
              run: async (slot) => {
                started.push(index);
                running++;
                most = Math.max(most, running);
                await work(slot, steps);
                running--;
              },
            }),
          );
          let open = true;
          const all = Promise.all(done).then(() => (open = false));
          for (let i = 0; open && i < 500; i++) {
            await turn();
            if (!queue.busy) {
              stopped = toggles.next().value === true || i % 5 === 0;
              queue.setStopped(stopped);
            }
          }
          await all;
          expect(most).toBeLessThanOrEqual(1);
          expect([...started].sort((a, b) => a - b)).toEqual(jobs.map((_, index) => index));
          // Those of one kind start in order; only a job that needs a stop is ever passed.
          const free = started.filter((index) => !jobs[index]?.needsStop);
          expect(free).toEqual([...free].sort((a, b) => a - b));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('cancels a parked job in its turn', async () => {
    const queue = new CommandQueue();
    queue.setStopped(true);
    const log: string[] = [];
    const parked = queue.submit({
      client: 1,
      needsStop: true,
      run: async (slot) => {
        queue.setStopped(false);
        await slot.untilStopped().finally(() => log.push('woken'));
      },
    });
    const other = queue.submit({
      client: 2,
      needsStop: false,
      run: async () => {
        expect(queue.cancel(1)).toBe(true);
        log.push('other goes on');
        await turn();
        log.push('other ends');
      },
    });
    await expect(parked).rejects.toThrow(CancelledError);
    await other.catch(() => {});
    expect(log).toEqual(['other goes on', 'other ends', 'woken']);
  });

  it('refuses when full and when closed', async () => {
    const queue = new CommandQueue(2);
    const job = { client: 1, needsStop: true, run: async () => {} };
    const waiting = [queue.submit(job), queue.submit(job)];
    await expect(queue.submit(job)).rejects.toThrow(
      new UserError('Command refused: 2 commands are waiting already.'),
    );
    const dropped = Promise.allSettled(waiting);
    await queue.close();
    expect((await dropped).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(queue.submit(job)).rejects.toThrow('The session has ended.');
  });

  it('closes although a job does not listen', async () => {
    const queue = new CommandQueue();
    void queue.submit({ client: 1, needsStop: false, run: () => new Promise(() => {}) });
    await queue.close(10);
  });

  it('lets the lines of a stop go first', async () => {
    const queue = new CommandQueue();
    queue.setStopped(true);
    const log: string[] = [];
    const first = queue.submit({
      client: 1,
      needsStop: false,
      run: async () => {
        await turn();
        log.push('first');
      },
    });
    const second = queue.submit({ client: 1, needsStop: false, run: async () => void log.push('second') });
    queue.runFirst(async () => void log.push('stop'));
    await Promise.all([first, second]);
    expect(log).toEqual(['first', 'stop', 'second']);
  });
});
