/** What names mean in an expression: registers of the current processor, pseudo-registers, symbols of all modules. */
import { Registers } from '../arch/registers';
import type { EvaluationScope } from '../expression/evaluate';
import { dataView } from '../image/reader';
import type { Target } from '../target/target';
import type { Engine } from './engine';
import type { ModuleList } from './moduleList';

const USER_REGISTERS = 20;
/** KTHREAD.ApcState.Process: used when the debugger data block does not say. Every 64-bit Windows since 8 has it. */
const DEFAULT_THREAD_PROCESS = 0xb8n;

/** Names without a module are looked for in all of them, unless that would mean reading very many. */
const MAX_MODULES_SEARCHED = 64;

export class Scope implements EvaluationScope {
  private readonly user = new Array<bigint>(USER_REGISTERS).fill(0n);
  /** Values of the last expression and of the last memory shown. */
  lastExpression = 0n;
  lastData = 0n;

  constructor(
    private readonly engine: Engine,
    private readonly target: Target,
    private readonly modules: ModuleList,
  ) {}

  get pointerSize(): 4 | 8 {
    return this.target.architecture?.pointerSize ?? 8;
  }

  async register(name: string): Promise<bigint | undefined> {
    const { architecture } = this.target;
    if (!architecture || !Registers.find(architecture, name)) return undefined;
    return (await this.engine.registers()).get(name);
  }

  async pseudoRegister(name: string): Promise<bigint | undefined> {
    const user = userIndex(name);
    if (user !== undefined) return this.user[user];
    const breakpoint = /^\$bp([0-9]{1,3})$/.exec(name);
    if (breakpoint) {
      return this.engine.breakpoints.list().find(({ id }) => id === Number(breakpoint[1]))?.address;
    }
    const { architecture } = this.target;
    const stop = this.engine.stop;
    if (!architecture) return undefined;
    switch (name) {
      case '$ip':
      case '$scopeip':
        return this.register(architecture.instructionPointer);
      case '$eventip':
        return stop?.pc;
      case '$csp':
        return this.register(architecture.stackPointer);
      case '$retreg':
      case '$retreg64':
        return this.register('rax');
      case '$ra':
        return (await this.engine.stack(this.engine.processor, 1))[0]?.returnAddress;
      case '$thread':
        return this.thread();
      case '$proc':
        return this.process();
      case '$ptrsize':
        return BigInt(architecture.pointerSize);
      case '$pagesize':
        return BigInt(architecture.pageSize);
      case '$exp':
        return this.lastExpression;
      case '$p':
        return this.lastData;
      case '$frame':
        return 0n;
      case '$exr_code':
        return stop?.exception && BigInt(stop.exception.code);
      case '$exr_chance':
        return stop?.exception && (stop.exception.firstChance ? 1n : 0n);
      case '$exr_numparams':
        return stop?.exception && BigInt(stop.exception.parameters.length);
      default:
        return this.exceptionParameter(name);
    }
  }

  setUser(name: string, value: bigint): boolean {
    const index = userIndex(name.toLowerCase());
    if (index === undefined) return false;
    this.user[index] = BigInt.asUintN(64, value);
    return true;
  }

  async symbol(name: string): Promise<bigint | undefined> {
    const bang = name.indexOf('!');
    if (bang > 0) {
      const module = await this.modules.byName(name.slice(0, bang));
      if (!module) return undefined;
      return (await this.modules.symbols(module)).find(name.slice(bang + 1))?.address;
    }
    const module = await this.modules.byName(name);
    if (module) return module.base;
    const modules = (await this.modules.list()).slice(0, MAX_MODULES_SEARCHED);
    for (const candidate of modules) {
      const found = (await this.modules.symbols(candidate)).find(name);
      if (found) return found.address;
    }
    return undefined;
  }

  readVirtual(address: bigint, length: number): Promise<Uint8Array> {
    return this.target.readVirtual(address, length);
  }

  readPhysical(address: bigint, length: number): Promise<Uint8Array> {
    return this.target.readPhysical(address, length);
  }

  private exceptionParameter(name: string): bigint | undefined {
    const match = /^\$exr_param([0-9]{1,2})$/.exec(name);
    return match ? this.engine.stop?.exception?.parameters[Number(match[1])] : undefined;
  }

  /** The KTHREAD of the current processor: as the stop says, or from the processor's control block. */
  private async thread(): Promise<bigint | undefined> {
    const stop = this.engine.stop;
    if (stop && stop.processor === this.engine.processor && stop.thread !== 0n) return stop.thread;
    const kdbg = await this.engine.kdbg();
    const blocks = kdbg?.get('processorBlock');
    const prcb =
      blocks === undefined ? undefined : await this.pointer(blocks + 8n * BigInt(this.engine.processor));
    return prcb === undefined ? undefined : this.pointer(prcb + (kdbg?.get('prcbCurrentThread') ?? 8n));
  }

  private async process(): Promise<bigint | undefined> {
    const thread = await this.thread();
    const offset = (await this.engine.kdbg())?.get('threadProcess') ?? DEFAULT_THREAD_PROCESS;
    return thread === undefined ? undefined : this.pointer(thread + offset);
  }

  private async pointer(address: bigint): Promise<bigint | undefined> {
    const bytes = await this.target.readVirtual(BigInt.asUintN(64, address), 8);
    return bytes.length < 8 ? undefined : dataView(bytes).getBigUint64(0, true);
  }
}

function userIndex(name: string): number | undefined {
  const match = /^\$t([0-9]{1,2})$/.exec(name);
  const index = match ? Number(match[1]) : USER_REGISTERS;
  return index < USER_REGISTERS ? index : undefined;
}
