/** `vskd -symdump FILE.pdb`: what a PDB holds, as JSON lines on standard output. */
import { openLocalFile } from '../engine/symbols/pdb/localFile';
import type { PdbLine, PdbSymbol } from '../engine/symbols/pdb/pdb';
import { openPdb, type Pdb } from '../engine/symbols/pdb/pdb';
import type { PdbType } from '../engine/symbols/pdb/types';

/** Writes and resolves when there is room for more. */
export type Write = (text: string) => Promise<void>;

/** About as many characters are written at once. */
const CHUNK = 64 * 1024;

/** Resolves when all is written. Throws UserError, or the reason of `signal` when nobody reads any more. */
export async function dumpSymbols(path: string, write: Write, signal: AbortSignal): Promise<void> {
  const file = openLocalFile(path);
  try {
    let text = '';
    for (const line of jsonLines(openPdb(file))) {
      text += `${JSON.stringify(line)}\n`;
      if (text.length < CHUNK) continue;
      await write(text);
      signal.throwIfAborted();
      text = '';
    }
    await write(text);
  } finally {
    file.dispose();
  }
}

function* jsonLines(pdb: Pdb): Generator<object> {
  for (const symbol of pdb.publics()) yield symbolJson(symbol, pdb);
  for (const symbol of pdb.procedures()) yield symbolJson(symbol, pdb);
  for (const symbol of pdb.globals()) yield symbolJson(symbol, pdb);
  for (const type of pdb.types()?.all() ?? []) yield typeJson(type);
  for (const line of pdb.lines()) yield lineJson(line);
}

/** A symbol without a place in the image has no `rva`; `section` and `offset` are as in the PDB then. */
function symbolJson({ kind, name, rva, section, offset, size, type, typeIsId }: PdbSymbol, pdb: Pdb): object {
  const place = rva === undefined ? { section, offset } : { rva };
  if (kind === 'public') return { kind, name, ...place };
  if (kind === 'procedure') return { kind, name, ...place, size };
  const types = typeIsId ? undefined : pdb.types();
  return { kind, name, ...place, size: types?.size(type), type: types?.name(type) };
}

function typeJson({ kind, name, size, fields, bases, statics, values }: PdbType): object {
  return {
    kind: 'type',
    name,
    class: kind,
    size,
    fields: fields.map((field) => ({
      name: field.name,
      offset: field.offset,
      type: field.typeName,
      bits: field.bits,
      bitPosition: field.bitPosition,
    })),
    bases: bases.length > 0 ? bases.map((base) => ({ ...base, type: undefined })) : undefined,
    statics:
      statics.length > 0 ? statics.map((each) => ({ name: each.name, type: each.typeName })) : undefined,
    values:
      values.length > 0
        ? values.map((each) => ({ name: each.name, value: jsonNumber(each.value) }))
        : undefined,
  };
}

/** Text where a number would lose digits. */
function jsonNumber(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function lineJson({ rva, section, offset, size, file, line, endLine, isStatement, column }: PdbLine): object {
  const place = rva === undefined ? { section, offset } : { rva };
  return {
    kind: 'line',
    file: file.path,
    line,
    endLine: endLine === line ? undefined : endLine,
    column,
    ...place,
    size,
    statement: isStatement,
  };
}
