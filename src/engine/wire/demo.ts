/**
 * The demo machine behind `-k demo:`: a small x86-64 computer in this process, running the demo kernel, whose serial
 * port is a Wire. It runs in slices between which the event loop goes on, and sleeps while its processor does.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../base/errors';
import { compileMachine, DemoProcessor, Stop } from './demoProcessor';
import type { Wire } from './wire';
import { WireEvents } from './wireEvents';

export interface DemoMachineOptions {
  /** RAM in bytes; 32 MB unless given, which is what the demo kernel is laid out for. */
  ram?: number;
  /** The image to boot instead of the demo kernel. */
  image?: Uint8Array;
  /** The guest reset the machine (on request, or by a triple fault); it boots again right after the call. */
  onReset?: () => void;
  /** Keep the process alive while the machine is on. Otherwise only an exchange of data does, for a moment. */
  keepAlive?: boolean;
}

export interface DemoMachine {
  /** The other end of the machine's COM1. Closing it switches the machine off. */
  readonly wire: Wire;
  /** Instructions executed since it was switched on. */
  readonly executed: number;
  /** The reset button. */
  reset(): void;
  /** Switches the machine off and closes the wire. Idempotent. */
  dispose(): void;
}

/** Instructions per slice: some 10 ms. */
const sliceLength = 200_000;
/** A guest that waits for input in a loop is paused, longer each time up to this, in milliseconds. */
const longestPause = 16;
/** So long after input the machine continues at once instead of after a timer, in milliseconds. */
const promptTime = 100;
/** With so many bytes of output and nobody listening, the machine waits. */
const unreadLimit = 1 << 20;

const offError = () => new UserError('The demo machine is switched off.');

/** Reads a file of the demo machine: `demo/` beside the bundle, or `demo/out/` of the repository. */
async function demoFile(name: string): Promise<Uint8Array> {
  for (let folder = __dirname, last = ''; folder !== last; last = folder, folder = dirname(folder)) {
    for (const place of [join(folder, 'demo', name), join(folder, 'demo', 'out', name)]) {
      if (existsSync(place)) return readFile(place);
    }
  }
  throw new UserError(
    `The demo machine's file ${name} is missing; 'npm run build' puts it beside the program.`,
  );
}

let compiled: ReturnType<typeof compileMachine> | undefined;

/** Switches a new demo machine on. Rejects with UserError when its files are missing. */
export async function openDemoMachine(options: DemoMachineOptions = {}): Promise<DemoMachine> {
  compiled ??= demoFile('machine.wasm').then(compileMachine);
  compiled.catch(() => (compiled = undefined));
  const image = options.image ?? (await demoFile('demo.img'));
  return new RunningMachine(
    await DemoProcessor.create(await compiled, image, options.ram ?? 32 << 20),
    options,
  );
}

interface PendingWrite {
  bytes: Uint8Array;
  resolve(): void;
  reject(error: Error): void;
}

class RunningMachine implements DemoMachine {
  private readonly events = new WireEvents(() => this.wake());
  private input: PendingWrite[] = [];
  private lastInput = -Infinity;
  private unread = 0;
  private pause = 0;
  private cancelNext: () => void = () => {};
  private readonly keepAlive: NodeJS.Timeout | undefined;

  readonly wire: Wire = {
    data: this.events.data,
    closed: this.events.closed,
    write: (bytes) => this.write(bytes),
    close: () => this.dispose(),
  };

  constructor(
    private readonly processor: DemoProcessor,
    private readonly options: DemoMachineOptions,
  ) {
    if (options.keepAlive) this.keepAlive = setInterval(() => {}, 0x7fffffff);
    this.wake();
  }

  get executed(): number {
    return this.processor.executed;
  }

  reset(): void {
    if (this.events.isClosed) return;
    this.processor.reset();
    this.wake();
  }

  dispose(): void {
    if (this.events.isClosed) return;
    this.cancelNext();
    clearInterval(this.keepAlive);
    this.events.fireClosed(undefined);
    for (const { reject } of this.input.splice(0)) reject(offError());
  }

  private write(bytes: Uint8Array): Promise<void> {
    if (this.events.isClosed) return Promise.reject(offError());
    this.lastInput = performance.now();
    return new Promise((resolve, reject) => {
      this.input.push({ bytes: bytes.slice(), resolve, reject });
      this.feed();
      this.wake();
    });
  }

  /** Moves waiting input into the serial port, as far as it has room. */
  private feed(): void {
    for (let first = this.input[0]; first; first = this.input[0]) {
      first.bytes = first.bytes.subarray(this.processor.offerInput(first.bytes));
      if (first.bytes.length > 0) return;
      this.input.shift();
      first.resolve();
    }
  }

  private wake(): void {
    this.pause = 0;
    this.continueAfter(0);
  }

  /**
   * Plans the next slice. Timers are unreferenced, so that a machine left on does not keep the process alive. An
   * immediate cannot be (the loop would sleep over it); it is used only while somebody is talking to the machine.
   */
  private continueAfter(milliseconds: number): void {
    this.cancelNext();
    if (milliseconds === 0 && performance.now() - this.lastInput < promptTime) {
      const immediate = setImmediate(() => this.slice());
      this.cancelNext = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(() => this.slice(), milliseconds).unref();
      this.cancelNext = () => clearTimeout(timer);
    }
  }

  private slice(): void {
    const reason = this.processor.run(sliceLength);
    const output = this.processor.takeOutput();
    this.feed();
    if (output.length > 0) this.pause = 0;
    if (reason & Stop.reset) {
      this.processor.reset();
      this.wake();
    } else if (this.full(output.length)) {
      this.cancelNext(); // until the first listener comes
    } else if (reason & Stop.halt) {
      const idle = this.processor.idleTime();
      if (idle < 0) this.cancelNext();
      else this.continueAfter(Math.round(idle / 1e6));
    } else {
      if (reason & Stop.poll) this.pause = Math.min(this.pause * 2 || 1, longestPause);
      this.continueAfter(reason & Stop.poll ? this.pause : 0);
    }
    // Last, because listeners may do anything, such as switch the machine off.
    this.events.fireData(output);
    if (reason & Stop.reset && !this.events.isClosed) this.options.onReset?.();
  }

  private full(more: number): boolean {
    if (this.events.hasListener) return false;
    this.unread += more;
    return this.unread > unreadLimit;
  }
}
