/**
 * CodeView symbol records, as in cvinfo.h of microsoft-pdb. One table says how each kind is laid out; a kind that is
 * not in it keeps its bytes and is passed over by all who look for something else.
 */
import type { Cursor } from './cursor';

/** Record kinds that others ask for by name. */
export const kinds = {
  end: 0x0006,
  frameProc: 0x1012,
  block: 0x1103,
  label: 0x1105,
  constant: 0x1107,
  udt: 0x1108,
  localData: 0x110c,
  globalData: 0x110d,
  publicSymbol: 0x110e,
  localProcedure: 0x110f,
  globalProcedure: 0x1110,
  localThread: 0x1112,
  globalThread: 0x1113,
  procedureRef: 0x1125,
  dataRef: 0x1126,
  localProcedureRef: 0x1127,
  localProcedureId: 0x1146,
  globalProcedureId: 0x1147,
  inlineSite: 0x114d,
  inlineSiteEnd: 0x114e,
  procedureIdEnd: 0x114f,
  inlineSite2: 0x115d,
} as const;

type Width = 'u8' | 'u16' | 'u32' | 'i32';

type Field =
  | 'parent'
  | 'end'
  | 'next'
  | 'size'
  | 'debugStart'
  | 'debugEnd'
  | 'type'
  | 'offset'
  | 'section'
  | 'flags'
  | 'register'
  | 'baseRegister'
  | 'offsetInParent'
  | 'module'
  | 'record'
  | 'inlinee'
  | 'invocations'
  | 'frameBytes'
  | 'padBytes'
  | 'padOffset'
  | 'savedBytes'
  | 'handlerOffset'
  | 'handlerSection'
  | 'program'
  | 'rangeStart'
  | 'rangeSection'
  | 'rangeLength'
  | 'characteristics'
  | 'alignment'
  | 'ordinal'
  | 'thunkType'
  | 'thunkSection'
  | 'thunkOffset'
  | 'signature'
  | 'skipped';

/** What stands behind the fixed fields. */
type Tail = 'name' | 'numericAndName' | 'gaps' | 'annotations' | 'none';

interface Layout {
  readonly fields: readonly (readonly [Field, Width])[];
  readonly tail: Tail;
}

const u8 = (...names: Field[]) => names.map((name) => [name, 'u8'] as const);
const u16 = (...names: Field[]) => names.map((name) => [name, 'u16'] as const);
const u32 = (...names: Field[]) => names.map((name) => [name, 'u32'] as const);
const i32 = (...names: Field[]) => names.map((name) => [name, 'i32'] as const);
const range = [...u32('rangeStart'), ...u16('rangeSection', 'rangeLength')];

const procedure: Layout = {
  fields: [
    ...u32('parent', 'end', 'next', 'size', 'debugStart', 'debugEnd', 'type', 'offset'),
    ...u16('section'),
    ...u8('flags'),
  ],
  tail: 'name',
};
const data: Layout = { fields: [...u32('type', 'offset'), ...u16('section')], tail: 'name' };
const reference: Layout = { fields: [...u32('skipped', 'record'), ...u16('module')], tail: 'name' };

const layouts: Readonly<Record<number, Layout>> = {
  [kinds.frameProc]: {
    fields: [
      ...u32('frameBytes', 'padBytes', 'padOffset', 'savedBytes', 'handlerOffset'),
      ...u16('handlerSection'),
      ...u32('flags'),
    ],
    tail: 'none',
  },
  0x1101: { fields: u32('signature'), tail: 'name' }, // S_OBJNAME
  0x1102: {
    fields: [...u32('parent', 'end', 'next', 'offset'), ...u16('section', 'size'), ...u8('thunkType')],
    tail: 'name',
  }, // S_THUNK32
  [kinds.block]: {
    fields: [...u32('parent', 'end', 'size', 'offset'), ...u16('section')],
    tail: 'name',
  },
  [kinds.label]: { fields: [...u32('offset'), ...u16('section'), ...u8('flags')], tail: 'name' },
  0x1106: { fields: [...u32('type'), ...u16('register')], tail: 'name' }, // S_REGISTER
  [kinds.constant]: { fields: u32('type'), tail: 'numericAndName' },
  [kinds.udt]: { fields: u32('type'), tail: 'name' },
  0x110b: { fields: [...i32('offset'), ...u32('type')], tail: 'name' }, // S_BPREL32
  [kinds.localData]: data,
  [kinds.globalData]: data,
  [kinds.publicSymbol]: { fields: [...u32('flags', 'offset'), ...u16('section')], tail: 'name' },
  [kinds.localProcedure]: procedure,
  [kinds.globalProcedure]: procedure,
  [kinds.localProcedureId]: procedure,
  [kinds.globalProcedureId]: procedure,
  0x1111: { fields: [...i32('offset'), ...u32('type'), ...u16('register')], tail: 'name' }, // S_REGREL32
  [kinds.localThread]: data,
  [kinds.globalThread]: data,
  [kinds.procedureRef]: reference,
  [kinds.dataRef]: reference,
  [kinds.localProcedureRef]: reference,
  0x1124: { fields: [], tail: 'name' }, // S_UNAMESPACE
  0x112c: {
    fields: [...u16('thunkType', 'size'), ...u32('thunkOffset', 'offset'), ...u16('thunkSection', 'section')],
    tail: 'none',
  }, // S_TRAMPOLINE
  0x1136: {
    fields: [...u16('section'), ...u8('alignment', 'skipped'), ...u32('offset', 'size', 'characteristics')],
    tail: 'name',
  }, // S_SECTION
  0x1137: { fields: [...u32('size', 'characteristics', 'offset'), ...u16('section')], tail: 'name' }, // S_COFFGROUP
  0x1138: { fields: u16('ordinal', 'flags'), tail: 'name' }, // S_EXPORT
  0x1139: { fields: [...u32('offset'), ...u16('section', 'skipped'), ...u32('type')], tail: 'none' }, // S_CALLSITEINFO
  0x113e: { fields: [...u32('type'), ...u16('flags')], tail: 'name' }, // S_LOCAL
  0x113f: { fields: [...u32('program'), ...range], tail: 'gaps' }, // S_DEFRANGE
  0x1140: { fields: [...u32('program', 'offsetInParent'), ...range], tail: 'gaps' }, // S_DEFRANGE_SUBFIELD
  0x1141: { fields: [...u16('register', 'flags'), ...range], tail: 'gaps' }, // S_DEFRANGE_REGISTER
  0x1142: { fields: [...i32('offset'), ...range], tail: 'gaps' }, // S_DEFRANGE_FRAMEPOINTER_REL
  0x1143: { fields: [...u16('register', 'flags'), ...u32('offsetInParent'), ...range], tail: 'gaps' }, // ..._SUBFIELD_REGISTER
  0x1144: { fields: i32('offset'), tail: 'none' }, // S_DEFRANGE_FRAMEPOINTER_REL_FULL_SCOPE
  0x1145: { fields: [...u16('baseRegister', 'flags'), ...i32('offset'), ...range], tail: 'gaps' }, // S_DEFRANGE_REGISTER_REL
  [kinds.inlineSite]: { fields: u32('parent', 'end', 'inlinee'), tail: 'annotations' },
  [kinds.inlineSite2]: { fields: u32('parent', 'end', 'inlinee', 'invocations'), tail: 'annotations' },
  0x114c: { fields: u32('type'), tail: 'none' }, // S_BUILDINFO
  0x115e: { fields: [...u32('offset'), ...u16('section', 'size'), ...u32('type')], tail: 'none' }, // S_HEAPALLOCSITE
};

export interface SymbolRecord {
  readonly kind: number;
  /** Of the record in its stream; `parent`, `end` and references point to such offsets. */
  readonly at: number;
  /** Empty for kinds without one. */
  readonly name: string;
  readonly values: Readonly<Partial<Record<Field, number>>>;
  /** Of S_CONSTANT. */
  readonly constant?: bigint;
  /** Where a range does not hold: start in the range and length. */
  readonly gaps?: readonly (readonly [start: number, length: number])[];
  /** Binary annotations of an inline site. */
  readonly annotations?: Uint8Array;
}

/** The record at the cursor, which is left behind it. `base` is the offset of the cursor's bytes in the stream. */
export function readSymbol(cursor: Cursor, base = 0): SymbolRecord {
  const at = base + cursor.at;
  const { kind, end } = readSymbolHead(cursor);
  const layout = layouts[kind];
  const values: Partial<Record<Field, number>> = {};
  let rest: Omit<SymbolRecord, 'kind' | 'at' | 'values' | 'name'> & { name?: string } = {};
  if (layout) {
    for (const [field, width] of layout.fields) values[field] = cursor[width]();
    if (cursor.at > end) cursor.fail(`symbol record 0x${kind.toString(16)} at offset ${at} is too short`);
    rest = readTail(cursor, layout.tail, end);
    if (cursor.at > end) cursor.fail(`symbol record 0x${kind.toString(16)} at offset ${at} is too short`);
  }
  cursor.at = end;
  return { kind, at, name: '', values, ...rest };
}

/** Kind and end of the record at the cursor, which is left at its content. */
export function readSymbolHead(cursor: Cursor): { kind: number; end: number } {
  const length = cursor.u16();
  const end = cursor.at + length;
  if (length < 2 || length > cursor.remaining)
    cursor.fail(`a symbol record of ${length} bytes is impossible`);
  return { kind: cursor.u16(), end };
}

function readTail(cursor: Cursor, tail: Tail, end: number) {
  switch (tail) {
    case 'name':
      return { name: cursor.text() };
    case 'numericAndName':
      return { constant: cursor.numeric(), name: cursor.text() };
    case 'gaps': {
      const gaps: [number, number][] = [];
      while (cursor.at + 4 <= end) gaps.push([cursor.u16(), cursor.u16()]);
      return { gaps };
    }
    case 'annotations':
      return { annotations: cursor.bytes(end - cursor.at) };
    case 'none':
      return {};
  }
}

const procedureKinds: ReadonlySet<number> = new Set([
  kinds.localProcedure,
  kinds.globalProcedure,
  kinds.localProcedureId,
  kinds.globalProcedureId,
]);

export function isProcedure(kind: number): boolean {
  return procedureKinds.has(kind);
}

const dataKinds: ReadonlySet<number> = new Set([
  kinds.localData,
  kinds.globalData,
  kinds.localThread,
  kinds.globalThread,
]);

export function isData(kind: number): boolean {
  return dataKinds.has(kind);
}
