/**
 * The command queue of a session: one job at a time, in order of arrival. A job that needs a stopped target is
 * passed by while the target runs, and so is one that parked itself; at the stop the oldest goes first again.
 */
import { CancelledError, UserError } from '../base/errors';
import { Emitter } from '../base/emitter';
import { messages } from './messages';

/** What a running job has in hand. */
export interface Slot {
  /** Aborted when the job is cancelled or the queue closes. */
  readonly signal: AbortSignal;
  /** Lets other jobs run; resolves when the target is stopped and this job is the running one again. */
  untilStopped(): Promise<void>;
}

export interface Job<T> {
  /** The client that asked for it. */
  readonly client: number;
  /** May not start while the target runs. */
  readonly needsStop: boolean;
  run(slot: Slot): Promise<T>;
  /** Called once when the job has to wait for the target to stop. */
  onWait?(): void;
}

interface Entry {
  readonly client: number;
  readonly controller: AbortController;
  needsStop: boolean;
  started: boolean;
  /** Starts the job, or continues it after it parked. */
  go(): void;
  /** Drops a job that has not started. */
  drop(error: UserError): void;
}

const defaultLimit = 1000;

export class CommandQueue {
  /** In order of arrival; the active one is still in it. */
  private readonly entries: Entry[] = [];
  private readonly urgent: (() => Promise<void>)[] = [];
  private active: Entry | undefined;
  private urgentRunning = false;
  private stopped = false;
  private closing = false;
  private readonly changes = new Emitter<void>();
  /** Fires when `busy` may have changed. */
  readonly changed = this.changes.event;

  constructor(private readonly limit = defaultLimit) {}

  /** A job is running; parked and waiting ones do not count. */
  get busy(): boolean {
    return this.active !== undefined;
  }

  /**
   * Resolves or rejects as the job does. Rejects with CancelledError when it was dropped before it ran and with a
   * UserError when the queue is full or closed.
   */
  submit<T>(job: Job<T>, signal?: AbortSignal): Promise<T> {
    if (this.closing) return Promise.reject(new UserError(messages.sessionOver));
    if (this.entries.length >= this.limit)
      return Promise.reject(new UserError(messages.queueFull(this.limit)));
    return new Promise<T>((resolve, reject) => {
      const entry: Entry = {
        client: job.client,
        controller: new AbortController(),
        needsStop: job.needsStop,
        started: false,
        go: () => {
          entry.started = true;
          const slot: Slot = { signal: entry.controller.signal, untilStopped: () => this.park(entry) };
          void run(job, slot)
            .then(resolve, reject)
            .finally(() => {
              signal?.removeEventListener('abort', cancel);
              this.finish(entry);
            });
        },
        drop: (error) => {
          signal?.removeEventListener('abort', cancel);
          reject(error);
        },
      };
      const cancel = () => this.cancelEntry(entry);
      this.entries.push(entry);
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) return cancel();
      if (entry.needsStop && !this.stopped) job.onWait?.();
      this.schedule();
    });
  }

  /** Runs before any job as soon as the running one ends or parks; for the lines of a stop. Must not reject. */
  runFirst(task: () => Promise<void>): void {
    if (this.closing) return;
    this.urgent.push(task);
    this.schedule();
  }

  /** Told by the session: true once a stop has been shown, false when the target is not stopped any more. */
  setStopped(stopped: boolean): void {
    this.stopped = stopped;
    this.schedule();
  }

  /**
   * Ends the running job, whoever's it is unless `ownOnly`, and drops the waiting and parked ones of this client.
   * True when there was any.
   */
  cancel(client: number, ownOnly = false): boolean {
    const affected = this.entries.filter(
      (entry) => entry.client === client || (entry === this.active && !ownOnly),
    );
    for (const entry of affected) this.cancelEntry(entry);
    return affected.length > 0;
  }

  /** Drops what a client that left has waiting; what it started goes on. */
  forget(client: number): void {
    for (const entry of this.entries.filter((each) => each.client === client && !each.started)) {
      this.cancelEntry(entry);
    }
  }

  /** Takes no more jobs and cancels all. Resolves when the running one has ended, at the latest after `timeout` ms. */
  async close(timeout = 2000): Promise<void> {
    this.closing = true;
    this.urgent.length = 0;
    for (const entry of [...this.entries]) this.cancelEntry(entry);
    if (this.entries.length === 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        subscription.dispose();
        resolve();
      };
      const timer = setTimeout(done, timeout);
      const subscription = this.changed(() => {
        if (this.entries.length === 0) done();
      });
    });
  }

  private cancelEntry(entry: Entry): void {
    if (!this.entries.includes(entry)) return;
    if (!entry.started) {
      this.remove(entry);
      entry.drop(new CancelledError());
      this.changes.fire();
      return;
    }
    // A parked job gets its turn to fail, so that what it still prints does not fall into another job's output.
    entry.needsStop = false;
    entry.controller.abort(new CancelledError());
    this.schedule();
  }

  private async park(entry: Entry): Promise<void> {
    entry.controller.signal.throwIfAborted();
    if (this.active !== entry) throw new Error('untilStopped() is for the running command.');
    await new Promise<void>((resolve) => {
      entry.needsStop = true;
      entry.go = resolve;
      this.release();
    });
    entry.controller.signal.throwIfAborted();
  }

  private finish(entry: Entry): void {
    this.remove(entry);
    if (this.active === entry) this.release();
    else this.changes.fire();
  }

  private release(): void {
    this.active = undefined;
    this.schedule();
    this.changes.fire();
  }

  private remove(entry: Entry): void {
    const index = this.entries.indexOf(entry);
    if (index >= 0) this.entries.splice(index, 1);
  }

  private schedule(): void {
    if (this.active || this.urgentRunning) return;
    const task = this.urgent.shift();
    if (task) {
      this.urgentRunning = true;
      void task().finally(() => {
        this.urgentRunning = false;
        this.schedule();
      });
      return;
    }
    const next = this.entries.find((entry) => !entry.needsStop || this.stopped);
    if (!next) return;
    this.active = next;
    next.needsStop = false;
    this.changes.fire();
    next.go();
  }
}

/** A job that throws at once rejects like any other. */
async function run<T>(job: Job<T>, slot: Slot): Promise<T> {
  return job.run(slot);
}
