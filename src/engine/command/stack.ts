/** Call stacks as the user sees them. */
import type { Registers } from '../arch/registers';
import { formatAddress } from '../arch/format';
import type { Target } from '../target/target';
import type { X64Frame } from '../unwind/x64';
import { stackPointer, walkX64 } from '../unwind/x64';
import type { StackFrame } from './engine';
import type { ModuleList } from './moduleList';
import type { Symbolizer } from './symbolizer';

export const MAX_FRAMES = 1024;

/** By x64 register number. */
const numbered = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'].concat(
  [8, 9, 10, 11, 12, 13, 14, 15].map((n) => `r${n}`),
);

export function frameOf(registers: Registers): X64Frame {
  return { pc: registers.pc, registers: numbered.map((name) => registers.get(name)), interrupted: true };
}

export class StackWalker {
  constructor(
    private readonly target: Target,
    private readonly modules: ModuleList,
    private readonly symbols: Symbolizer,
  ) {}

  /** Frames from `first` outward. Never throws for what it finds in the target: ends early. */
  async frames(first: X64Frame, maxFrames: number, signal?: AbortSignal): Promise<StackFrame[]> {
    const count = Math.min(Math.max(maxFrames, 0), MAX_FRAMES);
    // One more than asked, whose pc is the last one's return address.
    const walked = await this.raw(first, count + 1, signal);
    const frames: StackFrame[] = [];
    for (const [index, frame] of walked.slice(0, count).entries()) {
      const place = await this.symbols.place(frame.pc);
      frames.push({
        index,
        childSp: stackPointer(frame),
        instruction: frame.pc,
        returnAddress: walked[index + 1]?.pc ?? 0n,
        callSite: place?.text ?? `0x${formatAddress(frame.pc)}`,
        module: place?.module.name,
      });
    }
    return frames;
  }

  async raw(first: X64Frame, maxFrames: number, signal?: AbortSignal): Promise<X64Frame[]> {
    const source = {
      read: (address: bigint, length: number) => this.target.readVirtual(address, length, signal),
      readTable: this.modules.readTable,
      functionAt: (address: bigint) => this.modules.functionAt(address),
    };
    return walkX64(first, source, maxFrames, signal);
  }
}
