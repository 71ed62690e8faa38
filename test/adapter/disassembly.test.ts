import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { disassembleRows } from '../../src/adapter/disassembly';
import type { InstructionRow } from '../../src/engine/session/protocol';
import { FakeSession } from '../support/fakeSession';

const base = 0x1000n;

/**
 * A made-up machine: the byte at an address is the length of an instruction that begins there. Going backwards is
 * a guess that starts `guess` bytes too early, as real ones are.
 */
function machine(lengths: number[], guess: number) {
  const session = new FakeSession();
  const lengthAt = (address: bigint): number => {
    const length = address >= base ? lengths[Number(address - base)] : undefined;
    return length ?? 1;
  };
  const row = (address: bigint, limit?: bigint): InstructionRow => {
    const most = limit === undefined ? 99n : limit - address;
    const length = BigInt(lengthAt(address)) > most ? Number(most) : lengthAt(address);
    return { address: `0x${address.toString(16)}`, bytes: '90'.repeat(length), text: `op${length}` };
  };
  session.answers.disassemble = ({ address, offset, count }) => {
    const at = BigInt(address);
    const rows: InstructionRow[] = [];
    if (offset < 0) {
      for (let next = at - BigInt(-offset * 3 + guess); next < at;) {
        const made = row(next, at);
        rows.push(made);
        next += BigInt(made.bytes.length / 2);
      }
      rows.splice(0, Math.max(0, rows.length + offset));
      while (rows.length < -offset)
        rows.unshift(row(BigInt(rows[0]?.address ?? at) - 1n, BigInt(rows[0]?.address ?? at)));
    }
    let next = at;
    for (let skip = offset; skip > 0; skip--) next += BigInt(lengthAt(next));
    while (rows.length < count) {
      const made = row(next);
      rows.push(made);
      next += BigInt(made.bytes.length / 2);
    }
    return { rows: rows.slice(0, count) };
  };
  return session;
}

const never = new AbortController().signal;

describe('disassembleRows', () => {
  it('gives exact counts, the asked row in its place, and never swallows a known start', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 400, maxLength: 400 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: -40, max: 40 }),
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.integer({ min: 100, max: 300 }), { maxLength: 3 }),
      async (lengths, guess, offset, count, known) => {
        const address = base + 200n;
        const starts = new Set(known.map((each) => base + BigInt(each)));
        const rows = await disassembleRows(
          machine(lengths, guess),
          { address, offset, count, starts },
          never,
        );
        expect(rows).toHaveLength(count);
        if (offset <= 0 && -offset < count) expect(rows[-offset]?.address).toBe(`0x${address.toString(16)}`);
        let previous: bigint | undefined;
        for (const row of rows) {
          const start = BigInt(row.address);
          if (previous !== undefined) expect(start).toBe(previous);
          previous = start + BigInt(row.bytes.length / 2);
          for (const each of starts) expect(start < each && each < previous).toBe(false);
        }
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it('fills up when the session gives too few rows', async () => {
    const session = new FakeSession();
    session.answers.disassemble = () => ({ rows: [{ address: '0x10', bytes: 'c3', text: 'ret' }] });
    const wanted = { address: 0x10n, offset: 0, count: 3, starts: new Set<bigint>() };
    const rows = await disassembleRows(session, wanted, never);
    expect(rows.map((row) => [row.address, row.text])).toEqual([
      ['0x10', 'ret'],
      ['0x11', '???'],
      ['0x12', '???'],
    ]);
  });
});
