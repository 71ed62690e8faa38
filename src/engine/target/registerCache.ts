/** The registers of a stopped target's processors: read once per stop, written only where they changed. */
import type { Architecture } from '../arch/architecture';
import { Registers } from '../arch/registers';
import { getContext, setContext, type ContextForm } from '../kd/context';
import { readSpecialRegisters, writeSpecialRegisters } from '../kd/controlSpace';
import type { KdLink } from '../kd/link';

export class RegisterCache {
  private readonly known = new Map<number, Registers>();
  /** How this target gives contexts; found out with the first one. */
  private form: ContextForm | undefined;

  /** At each resume. */
  clear(): void {
    this.known.clear();
  }

  /** For another target (restart). */
  forget(): void {
    this.known.clear();
    this.form = undefined;
  }

  /** The pc if the registers were read or written in this stop. */
  knownPc(processor: number): bigint | undefined {
    return this.known.get(processor)?.pc;
  }

  /** A copy of the registers. */
  async read(link: KdLink, architecture: Architecture, processor: number): Promise<Registers> {
    return (await this.load(link, architecture, processor)).clone();
  }

  /** Returns true when special registers (page tables among them) were written. */
  async write(link: KdLink, processor: number, registers: Registers): Promise<boolean> {
    // Targets accept a context only after they have given theirs.
    const old = await this.load(link, registers.architecture, processor);
    const copy = registers.clone();
    if (!sameBytes(old.context, copy.context)) {
      await setContext(link, processor, copy.context, this.form ?? 'whole');
      this.known.set(processor, new Registers(copy.architecture, copy.context, old.special));
    }
    if (!copy.special || !old.special || sameBytes(old.special, copy.special)) return false;
    await writeSpecialRegisters(link, processor, copy.special);
    this.known.set(processor, copy);
    return true;
  }

  private async load(link: KdLink, architecture: Architecture, processor: number): Promise<Registers> {
    const known = this.known.get(processor);
    if (known) return known;
    const { context, form } = await getContext(link, processor, architecture.contextSize, this.form);
    const special = await readSpecialRegisters(link, processor, architecture.specialSize);
    this.form = form;
    const registers = new Registers(architecture, context, special);
    this.known.set(processor, registers);
    return registers;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
