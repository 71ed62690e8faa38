/** Disassembly of target memory, forwards and backwards, with names. */
import type { Architecture, Instruction } from '../arch/architecture';
import type { Target } from '../target/target';
import type { DisassembledRow } from './engine';
import type { ModuleList } from './moduleList';
import type { Symbolizer } from './symbolizer';

const MAX_READ = 0x10000;
/** How far before an address a function may begin for its start to be used as a place to decode from. */
const MAX_BACK = 0x4000;
/** How many neighbouring bytes are tried as the start of an instruction. */
const MAX_STARTS = 64;

export class Disassembler {
  constructor(
    private readonly target: Target,
    private readonly modules: ModuleList,
    private readonly symbols: Symbolizer,
  ) {}

  /** See Engine.disassemble. */
  async rows(address: bigint, offset: number, count: number): Promise<DisassembledRow[]> {
    const architecture = this.target.architecture;
    if (!architecture || count <= 0) return [];
    let rows: Instruction[];
    if (offset >= 0) {
      rows = (await this.decode(architecture, address, offset + count)).slice(offset);
    } else {
      const before = await this.before(architecture, address, -offset);
      const after = count + offset > 0 ? await this.decode(architecture, address, count + offset) : [];
      rows = [...before, ...after].slice(0, count);
    }
    return this.name(architecture, rows);
  }

  /** The rows of `from`..`to` exclusive, at most `limit`; what overlaps the end is included. */
  async range(from: bigint, to: bigint, limit: number): Promise<DisassembledRow[]> {
    const architecture = this.target.architecture;
    if (!architecture) return [];
    const length = Number(BigInt.asUintN(64, to - from));
    const rows = await this.decode(architecture, from, Math.min(limit, length));
    return this.name(
      architecture,
      rows.filter((row) => BigInt.asUintN(64, row.address - from) < BigInt(length)),
    );
  }

  /** Exactly `count` rows; one `???` per byte that is unreadable or no instruction. */
  private async decode(architecture: Architecture, address: bigint, count: number): Promise<Instruction[]> {
    const rows: Instruction[] = [];
    let at = BigInt.asUintN(64, address);
    while (rows.length < count) {
      const wanted = Math.min((count - rows.length) * architecture.maxInstructionLength, MAX_READ);
      const code = await this.target.readVirtual(at, wanted);
      const decoded = architecture.disassemble(code, at, count - rows.length);
      rows.push(...decoded);
      const used = decoded.reduce((sum, row) => sum + row.bytes.length, 0);
      at = BigInt.asUintN(64, at + BigInt(used));
      if (rows.length >= count || (code.length === wanted && used > 0)) continue;
      // The memory ends here, perhaps in the middle of an instruction: bytes that are there, then those that are not.
      for (const byte of code.subarray(used)) rows.push(unknown(at++, Uint8Array.of(byte)));
      while (rows.length < count) rows.push(unknown(BigInt.asUintN(64, at++), new Uint8Array()));
    }
    return rows.slice(0, count);
  }

  /** The `count` rows that end at `address`; where code cannot be told, single bytes. */
  private async before(architecture: Architecture, address: bigint, count: number): Promise<Instruction[]> {
    const start = await this.functionStart(address);
    if (start !== undefined && start < address && address - start <= BigInt(MAX_BACK)) {
      const rows = await this.decodeTo(architecture, start, address);
      // Data in the code may have thrown decoding off; then the other way is as good.
      if (rows && rows.length >= count) return rows.slice(-count);
      if (rows) {
        const earlier = await this.backwards(architecture, start, count - rows.length);
        return [...earlier, ...rows];
      }
    }
    return this.backwards(architecture, address, count);
  }

  /** Without a known start: decodes from many places and takes the longest run that meets `address`. */
  private async backwards(
    architecture: Architecture,
    address: bigint,
    count: number,
  ): Promise<Instruction[]> {
    if (count <= 0) return [];
    const margin = 2 * architecture.maxInstructionLength;
    const length = Math.min(count * architecture.maxInstructionLength + margin, MAX_READ);
    const code = await this.tail(address, length);
    const base = address - BigInt(code.length);
    let best: Instruction[] = [];
    // From the farthest on: wrong starts fall in step with the right ones after a few instructions.
    for (let skip = 0; skip < code.length && best.length < count; skip += skip < MAX_STARTS ? 1 : margin) {
      const rows = architecture.disassemble(code.subarray(skip), base + BigInt(skip), length);
      const used = rows.reduce((sum, row) => sum + row.bytes.length, 0);
      if (skip + used !== code.length) continue;
      const good = rows.slice(rows.map((row) => row.flow).lastIndexOf('invalid') + 1).slice(-count);
      if (good.length > best.length) best = good;
    }
    const rows: Instruction[] = [];
    const end = best[0]?.address ?? address;
    for (let back = count - best.length; back > 0; back--) {
      const at = BigInt.asUintN(64, end - BigInt(back));
      const index = Number(at - base);
      rows.push(
        unknown(at, index >= 0 && index < code.length ? code.slice(index, index + 1) : new Uint8Array()),
      );
    }
    return [...rows, ...best];
  }

  /** Up to `length` readable bytes that end at `address`. */
  private async tail(address: bigint, length: number): Promise<Uint8Array> {
    const page = BigInt(this.target.architecture?.pageSize ?? 0x1000);
    for (let size = length; size > 0;) {
      const from = BigInt.asUintN(64, address - BigInt(size));
      const bytes = await this.target.readVirtual(from, size);
      if (bytes.length === size) return bytes;
      // Unreadable somewhere: try again from the next page on.
      const next = (from / page + 1n) * page;
      size = next < address ? Number(address - next) : 0;
    }
    return new Uint8Array();
  }

  private async decodeTo(
    architecture: Architecture,
    from: bigint,
    to: bigint,
  ): Promise<Instruction[] | undefined> {
    const length = Number(to - from);
    const code = await this.target.readVirtual(from, length);
    if (code.length < length) return undefined;
    const rows = architecture.disassemble(code, from, length);
    const used = rows.reduce((sum, row) => sum + row.bytes.length, 0);
    return used === length ? rows : undefined;
  }

  private async functionStart(address: bigint): Promise<bigint | undefined> {
    // The instruction before the first of a function belongs to the one before.
    const found = await this.modules.functionAt(address - 1n);
    return found?.entry && found.imageBase + BigInt(found.entry.begin);
  }

  private async name(architecture: Architecture, rows: readonly Instruction[]): Promise<DisassembledRow[]> {
    const names = new Map<bigint, string | undefined>();
    const result: DisassembledRow[] = [];
    for (const row of rows) {
      // Once to learn which addresses occur, and again with their names.
      const mentioned: bigint[] = [];
      architecture.disassemble(row.bytes, row.address, 1, (address) => {
        mentioned.push(address);
        return undefined;
      });
      for (const address of [row.address, ...mentioned]) {
        if (!names.has(address)) names.set(address, (await this.symbols.place(address))?.text);
      }
      const named =
        mentioned.length > 0
          ? architecture.disassemble(row.bytes, row.address, 1, (address) => names.get(address))[0]
          : row;
      result.push({ ...(named ?? row), symbol: names.get(row.address) });
    }
    return result;
  }
}

function unknown(address: bigint, bytes: Uint8Array): Instruction {
  return { address, bytes, mnemonic: '???', operands: '', flow: 'invalid' };
}
