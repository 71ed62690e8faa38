/**
 * The function table of one x64 image (.pdata), read in blocks and only where the search goes: a kernel's table is
 * hundreds of kilobytes, and a serial line brings ten a second.
 */
import type { ImageReader } from '../image/reader';
import { dataView } from '../image/reader';

/** RUNTIME_FUNCTION: image-relative addresses of a function's code, [begin, end), and of its UNWIND_INFO. */
export interface RuntimeFunction {
  readonly begin: number;
  readonly end: number;
  readonly unwind: number;
}

export const RUNTIME_FUNCTION_SIZE = 12;
const BLOCK_ENTRIES = 85;
const BLOCK_SIZE = BLOCK_ENTRIES * RUNTIME_FUNCTION_SIZE;
const MAX_TABLE = 64 << 20;
/** Interpolation finds the block in one or two reads; after this many the search only halves. */
const INTERPOLATION_STEPS = 4;

export function parseRuntimeFunction(bytes: Uint8Array, offset: number): RuntimeFunction | undefined {
  if (offset + RUNTIME_FUNCTION_SIZE > bytes.length) return undefined;
  const view = dataView(bytes);
  const begin = view.getUint32(offset, true);
  const end = view.getUint32(offset + 4, true);
  return end > begin ? { begin, end, unwind: view.getUint32(offset + 8, true) } : undefined;
}

export class FunctionTable {
  private readonly blocks = new Map<number, readonly RuntimeFunction[]>();
  private readonly size: number;

  constructor(
    private readonly read: ImageReader,
    private readonly rva: number,
    size: number,
    /** RVA where the code ends at the latest; only a hint for the search. */
    private readonly codeEnd: number,
  ) {
    this.size = Math.min(size, MAX_TABLE);
  }

  /** The entry whose code contains `rva`; undefined for leaf functions and where the table cannot be read. */
  async find(rva: number): Promise<RuntimeFunction | undefined> {
    let low = 0;
    let high = Math.ceil(this.size / BLOCK_SIZE) - 1;
    // What is known of the addresses in blocks low..high, for interpolation.
    let lowRva = 0;
    let highRva = this.codeEnd;
    for (let step = 0; low <= high; step++) {
      const share = highRva > lowRva ? (rva - lowRva) / (highRva - lowRva) : 0.5;
      const guess =
        step < INTERPOLATION_STEPS ? low + Math.floor(share * (high - low + 1)) : (low + high) >> 1;
      const middle = Math.min(Math.max(guess, low), high);
      const block = await this.block(middle);
      const first = block[0];
      const last = block[block.length - 1];
      if (!first || !last) return undefined;
      if (rva < first.begin) {
        high = middle - 1;
        highRva = first.begin;
      } else if (rva >= last.end) {
        low = middle + 1;
        lowRva = last.end;
      } else {
        return block.find((entry) => rva >= entry.begin && rva < entry.end);
      }
    }
    return undefined;
  }

  private async block(index: number): Promise<readonly RuntimeFunction[]> {
    const known = this.blocks.get(index);
    if (known) return known;
    const offset = index * BLOCK_SIZE;
    const bytes = await this.read(this.rva + offset, Math.min(BLOCK_SIZE, this.size - offset));
    const entries: RuntimeFunction[] = [];
    for (let at = 0; at + RUNTIME_FUNCTION_SIZE <= bytes.length; at += RUNTIME_FUNCTION_SIZE) {
      const entry = parseRuntimeFunction(bytes, at);
      if (entry) entries.push(entry);
    }
    // A failed read is not remembered: the page may come back.
    if (entries.length > 0) this.blocks.set(index, entries);
    return entries;
  }
}
