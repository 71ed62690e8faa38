/**
 * The machine of demo/machine (x86-64 processor, RAM, serial port, timer; C compiled to WebAssembly) as an object. It
 * runs only while `run` is called and knows nothing of time slices or wires: demo.ts does that.
 */

// Node has WebAssembly, but its types come with the DOM library, which this project does not use.
interface WasmModule {
  readonly wasmModule: never;
}
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: object): Promise<{ exports: unknown }>;
};

/** What demo/machine exports; addresses are offsets into `memory`. */
interface Exports {
  memory: { readonly buffer: ArrayBuffer };
  create(bytes: number): number;
  reset(): void;
  boot(): number;
  run(budget: number): number;
  idle_time(): number;
  executed(): number;
  cpu_state(): number;
  uart_staging(): number;
  uart_output(): number;
  uart_room(): number;
  uart_receive(count: number): void;
  uart_take(): number;
}

/** Why `run` returned before its budget was used up: bits, as in machine.h. */
export const Stop = { reset: 1, halt: 2, poll: 4, output: 8 } as const;

/** Where the image lies in physical memory. */
const imageBase = 0x100000;

export class DemoProcessor {
  private constructor(
    private readonly machine: Exports,
    private readonly ramAddress: number,
    private readonly ramBytes: number,
    private readonly image: Uint8Array,
  ) {}

  /** `ram` in bytes, at least 2 MB; `image` as demo/build.mjs makes it. Throws RangeError when they do not fit. */
  static async create(wasm: WasmModule, image: Uint8Array, ram: number): Promise<DemoProcessor> {
    if (!(ram >= 2 << 20 && ram <= 1 << 30))
      throw new RangeError(`RAM of ${ram} bytes: 2 MB to 1 GB are possible`);
    const host = {
      nanoseconds: () => performance.now() * 1e6,
      utc: () => Date.now() / 1000,
    };
    const { exports } = await WebAssembly.instantiate(wasm, { host });
    const machine = exports as Exports;
    const address = machine.create(ram);
    if (address === 0 || imageBase + image.length > ram)
      throw new RangeError(`The image does not fit ${ram} bytes`);
    const processor = new DemoProcessor(machine, address, ram, image);
    processor.reset();
    return processor;
  }

  /** Power-on: clears RAM, loads the image again and puts the processor at its start. */
  reset(): void {
    this.machine.reset();
    this.ram.set(this.image, imageBase);
    if (!this.machine.boot()) throw new RangeError('The image has no boot record');
  }

  /** Executes about `instructions`; returns `Stop` bits, 0 when the budget was used up. */
  run(instructions: number): number {
    return this.machine.run(instructions);
  }

  /** For a halted processor: nanoseconds until the timer wakes it, negative when it will not. */
  idleTime(): number {
    return this.machine.idle_time();
  }

  /** What the guest sent since the last call. */
  takeOutput(): Uint8Array {
    const length = this.machine.uart_take();
    return new Uint8Array(this.machine.memory.buffer, this.machine.uart_output(), length).slice();
  }

  /** Hands bytes to the serial port; returns how many it took. The rest must be offered again. */
  offerInput(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.machine.uart_room());
    if (count === 0) return 0;
    new Uint8Array(this.machine.memory.buffer, this.machine.uart_staging(), count).set(
      bytes.subarray(0, count),
    );
    this.machine.uart_receive(count);
    return count;
  }

  /** Instructions executed since power-on. */
  get executed(): number {
    return this.machine.executed();
  }

  /** Physical memory itself; valid until the next call that could grow it (none does). */
  get ram(): Uint8Array {
    return new Uint8Array(this.machine.memory.buffer, this.ramAddress, this.ramBytes);
  }

  /** RAX..R15 (in the order of their numbers), RIP, RFLAGS. */
  get registers(): BigUint64Array {
    return new BigUint64Array(this.machine.memory.buffer, this.machine.cpu_state(), 18).slice();
  }
}

export const compileMachine = (bytes: Uint8Array): Promise<WasmModule> => WebAssembly.compile(bytes);
