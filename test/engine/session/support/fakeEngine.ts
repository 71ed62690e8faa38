/** An engine without a machine, and a few commands: what a session needs to be tested on its own. */
import { Emitter } from '../../../../src/engine/base/emitter';
import { UserError } from '../../../../src/engine/base/errors';
import type { Command, CommandContext } from '../../../../src/engine/command/command';
import type { Breakpoint, Breakpoints, Engine, Module } from '../../../../src/engine/command/engine';
import { SearchPaths } from '../../../../src/engine/command/searchPaths';
import type { CommandLanguage } from '../../../../src/engine/session/session';
import type {
  ModuleEvent,
  Target,
  TargetState,
  TargetStateChange,
  TargetStop,
} from '../../../../src/engine/target/target';

export class FakeTarget implements Target {
  readonly architecture = undefined;
  readonly version = undefined;
  state: TargetState = 'connecting';
  detail = '';
  stop: TargetStop | undefined;
  processorCount = 2;
  breakIns = 0;
  closed = false;
  readonly stateEmitter = new Emitter<TargetStateChange>();
  readonly stoppedEmitter = new Emitter<TargetStop>();
  readonly outputEmitter = new Emitter<string>();
  readonly moduleEmitter = new Emitter<ModuleEvent>();
  readonly stateChanged = this.stateEmitter.event;
  readonly stopped = this.stoppedEmitter.event;
  readonly output = this.outputEmitter.event;
  readonly moduleChanged = this.moduleEmitter.event;

  go(state: TargetState, detail = ''): void {
    this.state = state;
    this.detail = detail;
    if (state !== 'stopped') this.stop = undefined;
    this.stateEmitter.fire({ state, detail });
  }

  halt(reason: TargetStop['reason'] = 'breakIn', pc = 0x1000n): void {
    const stop: TargetStop = {
      reason,
      processor: 0,
      processorCount: 2,
      pc,
      thread: 0x2000n,
      exception: undefined,
    };
    this.stop = stop;
    this.go('stopped');
    this.stoppedEmitter.fire(stop);
  }

  breakIn(): void {
    this.breakIns++;
    if (this.state === 'running') queueMicrotask(() => this.halt());
  }

  async resume(): Promise<void> {
    if (this.state !== 'stopped') throw new UserError('Not stopped.');
    this.go('running');
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  async readVirtual(address: bigint, length: number): Promise<Uint8Array> {
    return Uint8Array.from({ length }, (_, i) => Number((address + BigInt(i)) & 0xffn));
  }

  async writeVirtual(_address: bigint, bytes: Uint8Array): Promise<number> {
    return bytes.length;
  }

  readPhysical = this.readVirtual;
  writePhysical = this.writeVirtual;
  insertBreakpoint(): void {}
  removeBreakpoint(): void {}
  readRegisters(): Promise<never> {
    return Promise.reject(new UserError('No registers.'));
  }
  writeRegisters(): Promise<never> {
    return Promise.reject(new UserError('No registers.'));
  }
}

class FakeBreakpoints implements Breakpoints {
  private readonly emitter = new Emitter<{
    kind: 'new' | 'changed' | 'removed';
    breakpoint: Breakpoint;
  }>();
  readonly changed = this.emitter.event;
  private items: Breakpoint[] = [];

  list(): readonly Breakpoint[] {
    return this.items;
  }
  add(address: bigint, expression: string, options: { id?: number; owner?: string } = {}): Breakpoint {
    const id = options.id ?? this.items.length;
    const owner = options.owner ?? 'command';
    const breakpoint: Breakpoint = {
      id,
      kind: 'software',
      address,
      expression,
      enabled: true,
      hits: 0,
      owner,
    };
    this.items.push(breakpoint);
    this.emitter.fire({ kind: 'new', breakpoint });
    return breakpoint;
  }
  remove(id: number): void {
    const breakpoint = this.items.find((each) => each.id === id);
    if (!breakpoint) throw new UserError(`No breakpoint ${id}.`);
    this.items = this.items.filter((each) => each !== breakpoint);
    this.emitter.fire({ kind: 'removed', breakpoint });
  }
  enable(): void {}
  at(address: bigint): Breakpoint | undefined {
    return this.items.find((each) => each.address === address);
  }
}

export class FakeEngine implements Engine {
  readonly target = new FakeTarget();
  readonly breakpoints = new FakeBreakpoints();
  processor = 0;
  disposed = false;
  readonly radix = 16;
  readonly paths = new SearchPaths();
  readonly cursor = { data: undefined, code: undefined, dataCommand: 'db' };
  readonly stopped = this.target.stopped;

  get stop(): TargetStop | undefined {
    return this.target.stop;
  }
  readonly lastEvent = undefined;
  async functionRange(): Promise<undefined> {
    return undefined;
  }
  loadSymbols(): Promise<never> {
    return Promise.reject(new UserError('No symbols.'));
  }
  async imageDetails(): Promise<undefined> {
    return undefined;
  }
  async place(): Promise<undefined> {
    return undefined;
  }
  async kdbg(): Promise<undefined> {
    return undefined;
  }
  evaluateAt(): Promise<never> {
    return Promise.reject(new UserError('No expressions.'));
  }
  get promptName(): string {
    return `${this.processor}: kd`;
  }
  async modules(): Promise<readonly Module[]> {
    if (this.target.state !== 'stopped') throw new UserError('Not stopped.');
    const row = { imageName: 'nt.exe', path: 'nt.exe', base: 0x1000n, size: 1, timestamp: 0, checksum: 0 };
    return [{ name: 'nt', ...row, symbols: undefined }];
  }
  async moduleAt(): Promise<undefined> {
    return undefined;
  }
  async reload(): Promise<void> {}
  async symbolFor(): Promise<undefined> {
    return undefined;
  }
  async evaluate(expression: string): Promise<bigint> {
    if (!/^[0-9a-f]{1,16}$/i.test(expression))
      throw new UserError(`Couldn't resolve error at '${expression}'`);
    return BigInt(`0x${expression}`);
  }
  registers(): Promise<never> {
    return Promise.reject(new UserError('No registers.'));
  }
  async setRegister(): Promise<void> {}
  async stack(_processor: number, maxFrames: number) {
    return Array.from({ length: Math.min(maxFrames, 5) }, (_, index) => ({
      index,
      childSp: BigInt(index),
      instruction: 0x1000n,
      returnAddress: 0x2000n,
      callSite: `nt!f${index}`,
      module: 'nt',
    }));
  }
  async disassemble(address: bigint, _offset: number, count: number) {
    return Array.from({ length: count }, (_, i) => ({
      address: address + BigInt(i),
      bytes: Uint8Array.of(0x90),
      mnemonic: 'nop',
      operands: '',
      flow: 'next' as const,
      symbol: undefined,
    }));
  }
  resume(): Promise<void> {
    return this.target.resume();
  }
  async describeStop(stop: TargetStop): Promise<string> {
    return `Break instruction exception - code 80000003 (first chance)\nat ${stop.pc.toString(16)}\n`;
  }
  async dispose(): Promise<void> {
    this.disposed = true;
    await this.target.close();
  }
}

type Run = (context: CommandContext, args: string) => Promise<void> | void;

function command(name: string, whileRunning: 'run' | 'wait', run: Run, more: Partial<Command> = {}): Command {
  const words = { syntax: name, summary: name, tier: 1 as const, family: 'test' };
  return { name, ...words, whileRunning, ...more, run: async (context, args) => run(context, args) };
}

/** Lets a test hold commands: `hold NAME` waits until `release(NAME)` or until it is cancelled. */
export class Gates {
  private readonly opened = new Map<string, () => void>();

  wait(name: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.opened.set(name, resolve);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
  release(name: string): void {
    this.opened.get(name)?.();
  }
  get names(): string[] {
    return [...this.opened.keys()];
  }
}

export function fakeLanguage(gates = new Gates()): CommandLanguage {
  const commands: Command[] = [
    command('*', 'run', () => {}, { takesWholeLine: true }),
    command('$$', 'run', () => {}),
    command('.echo', 'run', ({ write }, args) => write(`${args}\n`)),
    command('.clients', 'run', ({ write, clients }) => write(clients())),
    command('r', 'wait', ({ write }) => write('rax=0\n')),
    command('t', 'wait', ({ write }, args) => write(`step ${args}\n`), { repeat: true }),
    command('lines', 'run', async ({ write }, args) => {
      for (let i = 0; i < Number(args); i++) {
        write(`line ${i}\n`);
        if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }),
    command('spew', 'run', ({ write }, args) => {
      for (let i = 0; i < Number(args); i++) write(`${'x'.repeat(1023)}\n`);
    }),
    command('hold', 'run', ({ write, signal }, args) => {
      write(`holding ${args}\n`);
      return gates.wait(args, signal);
    }),
    command('g', 'wait', async ({ engine, untilStopped }) => {
      await engine.resume('go');
      await untilStopped();
    }),
    command('go', 'wait', ({ engine }) => engine.resume('go')),
    command('.shell', 'run', ({ write }) => write('shell\n'), { touchesHost: true }),
    command('.cls', 'run', ({ clearScreen }) => clearScreen()),
    command('qq', 'run', ({ endSession }) => endSession()),
    command('.server', 'run', async ({ servers, write }, args) => {
      if (!servers) throw new UserError('No servers here.');
      write(await servers.start(args));
    }),
    command('.servers', 'run', ({ servers, write }) => write(servers?.list() ?? '')),
    command('.endsrv', 'run', async ({ servers, write }, args) =>
      write((await servers?.end(Number(args))) ?? ''),
    ),
    command('bug', 'run', () => {
      throw new TypeError('oops');
    }),
  ];
  return {
    split: (line) => (line.startsWith('*') ? [line] : line.split(';')),
    find: (text) => {
      const match = /^(\S+)\s*(.*?)\s*$/s.exec(text.trim());
      const found = commands.find(
        (each) => each.name === match?.[1] || (each.name === '*' && text.startsWith('*')),
      );
      return found && { command: found, args: match?.[2] ?? '' };
    },
    complete: (text) =>
      commands
        .filter((each) => each.name.startsWith(text))
        .map((each) => ({ label: each.name, detail: each.summary })),
  };
}
