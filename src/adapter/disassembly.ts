/**
 * Rows for the disassembly view. Going backwards in variable-length code is a guess, and a guess may swallow an
 * address that is known to begin an instruction (the pc, the frames on the stack). Such a row is cut there: the view
 * must be able to show the arrow and set a breakpoint.
 */
import type { InstructionRow } from '../engine/session/protocol';
import { formatAddress, parseAddress } from './references';
import type { SessionPort } from './sessionPort';

export interface RowsWanted {
  readonly address: bigint;
  /** The first row is this many instructions after (or before) the one at `address`. */
  readonly offset: number;
  readonly count: number;
  /** Addresses that begin an instruction for certain. */
  readonly starts: ReadonlySet<bigint>;
}

interface Row {
  readonly start: bigint;
  readonly end: bigint;
  readonly row: InstructionRow;
}

/** Cuts per answer; frames of one function are few, and the rest of a hostile list is left as it is. */
const mostCuts = 16;

/** Two ways of reading the same code meet again after a few instructions; nobody looks for it longer than this. */
const mostRealigned = 256;

/** Exactly `count` rows; with `offset` <= 0 the row at `address` is row `-offset`. */
export async function disassembleRows(
  session: SessionPort,
  wanted: RowsWanted,
  signal: AbortSignal,
): Promise<InstructionRow[]> {
  const { address, offset, count } = wanted;
  const view = new View(session, [...wanted.starts].sort(ascending), signal);
  const before = Math.max(0, -offset);
  const [back, ahead] = await Promise.all([
    before > 0 ? view.backward(address, before) : [],
    count > before ? view.forward(address, Math.max(0, offset), count - before) : [],
  ]);
  return [...back, ...ahead].slice(0, count).map(({ row }) => row);
}

class View {
  constructor(
    private readonly session: SessionPort,
    private readonly starts: readonly bigint[],
    private readonly signal: AbortSignal,
  ) {}

  async forward(address: bigint, offset: number, count: number): Promise<Row[]> {
    let rows = await this.decode(address, offset, count);
    for (let cuts = 0; cuts < mostCuts; cuts++) {
      const swallowed = this.swallowed(rows);
      if (!swallowed) break;
      const { index, start } = swallowed;
      const rest = index + 1 < count ? await this.decode(start, 0, count - index - 1) : [];
      rows = [...cutAt(rows, index, start), ...rest];
    }
    return rows;
  }

  /** The `count` rows that end where `address` begins. */
  async backward(address: bigint, count: number): Promise<Row[]> {
    let rows = endAt(await this.decode(address, -count, count), address);
    for (let cuts = 0; cuts < mostCuts; cuts++) {
      const swallowed = this.swallowed(rows);
      if (!swallowed) break;
      const { index, start } = swallowed;
      const bytes = Number(address - start);
      const fresh = await this.decode(start, 0, Math.min(bytes, mostRealigned));
      rows = [...cutAt(rows, index, start), ...endAt(meet(fresh, rows.slice(index + 1)), address)];
    }
    const missing = count - rows.length;
    if (missing > 0) rows = [...(await this.decode(rows[0]?.start ?? address, -missing, missing)), ...rows];
    return rows.slice(-count);
  }

  private async decode(address: bigint, offset: number, count: number): Promise<Row[]> {
    const { rows } = await this.session.request(
      'disassemble',
      { address: formatAddress(address), offset, count },
      this.signal,
    );
    return complete(rows.slice(0, count), address, count);
  }

  private swallowed(rows: readonly Row[]): { index: number; start: bigint } | undefined {
    for (const start of this.starts) {
      const index = rows.findIndex((row) => row.start < start && start < row.end);
      if (index >= 0) return { index, start };
    }
    return undefined;
  }
}

/** The rows up to `index`, of which the last ends at `end`: no instruction any more, only bytes. */
function cutAt(rows: readonly Row[], index: number, end: bigint): Row[] {
  const row = rows[index];
  if (!row) return [...rows];
  const bytes = row.row.bytes.slice(0, Number(end - row.start) * 2);
  return [...rows.slice(0, index), { start: row.start, end, row: { ...row.row, bytes, text: '???' } }];
}

/** Drops what is at or behind `address` and cuts a row that reaches into it. */
function endAt(rows: readonly Row[], address: bigint): Row[] {
  const kept = rows.filter((row) => row.start < address);
  const last = kept.at(-1);
  return last && last.end > address ? cutAt(kept, kept.length - 1, address) : kept;
}

/** `fresh` up to where it meets a row of `old`, then `old`. */
function meet(fresh: readonly Row[], old: readonly Row[]): Row[] {
  const positions = new Map(old.map((row, index) => [row.start, index]));
  for (const [index, row] of fresh.entries()) {
    const position = positions.get(row.start);
    if (position !== undefined) return [...fresh.slice(0, index), ...old.slice(position)];
  }
  const end = fresh.at(-1)?.end ?? 0n;
  return [...fresh, ...old.filter((row) => row.start >= end)];
}

/** The session promises the number of rows; a view that asked for so many must get them whatever happens. */
function complete(rows: readonly InstructionRow[], address: bigint, count: number): Row[] {
  const result: Row[] = [];
  for (const row of rows) {
    const start = parseAddress(row.address);
    if (start === undefined) continue;
    result.push({ start, end: start + BigInt(Math.max(1, row.bytes.length >> 1)), row });
  }
  while (result.length < count) {
    const start = BigInt.asUintN(64, result.at(-1)?.end ?? address);
    result.push({ start, end: start + 1n, row: { address: formatAddress(start), bytes: '', text: '???' } });
  }
  return result;
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
