import type { DebugProtocol } from '@vscode/debugprotocol';
import { disassembleRows } from '../disassembly';
import type { Body, Handler } from '../handler';
import { parseAddress } from '../references';
import { memoryArgument } from './common';

/** As many as a session gives at once. */
const mostRows = 4096;

/** Exactly as many rows as asked for; no row begins before the pc and ends after it. */
export const disassemble: Handler<Body<DebugProtocol.DisassembleResponse>> = {
  capabilities: { supportsDisassembleRequest: true },
  needsStop: true,
  async run({ live }, args, { signal }) {
    const count = args.integer('instructionCount', { min: 0, max: mostRows });
    const offset = args.optionalInteger('instructionOffset', { min: -mostRows, max: mostRows }) ?? 0;
    const { address } = await memoryArgument(live, args, 'memoryReference', signal);
    if (count === 0) return { instructions: [] };
    const starts = new Set(live.instructionStarts);
    const pc = parseAddress(live.stop?.pc ?? '');
    if (pc !== undefined) starts.add(pc);
    const rows = await disassembleRows(live.session, { address, offset, count, starts }, signal);
    const symbols = args.boolean('resolveSymbols') ?? true;
    return { instructions: rows.map((row) => dapInstruction(row, symbols)) };
  },
};

function dapInstruction(
  row: { address: string; bytes: string; text: string; symbol?: string | undefined },
  symbols: boolean,
): DebugProtocol.DisassembledInstruction {
  return {
    address: row.address,
    instructionBytes: row.bytes.replace(/(..)(?=.)/g, '$1 '),
    instruction: row.text,
    // Only where a function begins: on every row the same name is noise.
    ...(symbols && row.symbol !== undefined && !row.symbol.includes('+') ? { symbol: row.symbol } : {}),
    ...(row.text.startsWith('???') ? { presentationHint: 'invalid' as const } : {}),
  };
}
