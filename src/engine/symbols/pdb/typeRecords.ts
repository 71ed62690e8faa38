/** CodeView type records (TPI and IPI), as in cvinfo.h of microsoft-pdb. Kinds that nobody asks for stay `other`. */
import type { Cursor } from './cursor';

/** A type by number: below 0x1000 a basic type, else a record. */
export type TypeIndex = number;

export interface UdtRecord {
  readonly kind: 'class' | 'struct' | 'interface' | 'union' | 'enum';
  readonly name: string;
  /** The decorated name; empty when there is none. */
  readonly uniqueName: string;
  /** A forward reference: only the name is told. */
  readonly forward: boolean;
  /** Within a function: other types may have the same name. */
  readonly scoped: boolean;
  readonly fieldList: TypeIndex;
  /** In bytes; of an enum 0, its size is that of `underlying`. */
  readonly size: number;
  /** Of an enum. */
  readonly underlying: TypeIndex;
}

export type TypeRecord =
  | UdtRecord
  | { readonly kind: 'modifier'; readonly target: TypeIndex; readonly flags: number }
  | { readonly kind: 'pointer'; readonly target: TypeIndex; readonly attributes: number }
  | { readonly kind: 'array'; readonly element: TypeIndex; readonly index: TypeIndex; readonly size: number }
  | { readonly kind: 'bitfield'; readonly type: TypeIndex; readonly bits: number; readonly position: number }
  | {
      readonly kind: 'function';
      readonly result: TypeIndex;
      readonly owner: TypeIndex;
      readonly args: TypeIndex;
    }
  | { readonly kind: 'arguments'; readonly types: readonly TypeIndex[] }
  | { readonly kind: 'id'; readonly type: TypeIndex; readonly scope: TypeIndex; readonly name: string }
  | { readonly kind: 'fields' }
  | { readonly kind: 'other'; readonly leaf: number };

export type Member =
  | { readonly kind: 'field'; readonly name: string; readonly type: TypeIndex; readonly offset: number }
  | { readonly kind: 'base'; readonly type: TypeIndex; readonly offset: number }
  | {
      readonly kind: 'virtualBase';
      readonly type: TypeIndex;
      /** Of the table's pointer. */
      readonly offset: number;
    }
  | { readonly kind: 'static' | 'nested' | 'method'; readonly name: string; readonly type: TypeIndex }
  | { readonly kind: 'enumerator'; readonly name: string; readonly value: bigint }
  | { readonly kind: 'vfptr'; readonly type: TypeIndex }
  /** The list goes on in another record. */
  | { readonly kind: 'continued'; readonly type: TypeIndex };

export const leaves = {
  modifier: 0x1001,
  pointer: 0x1002,
  procedure: 0x1008,
  memberFunction: 0x1009,
  arguments: 0x1201,
  fieldList: 0x1203,
  bitfield: 0x1205,
  array: 0x1503,
  class: 0x1504,
  struct: 0x1505,
  union: 0x1506,
  enum: 0x1507,
  interface: 0x1519,
  functionId: 0x1601,
  memberFunctionId: 0x1602,
  stringId: 0x1605,
} as const;

const FORWARD = 0x80;
const SCOPED = 0x100;
const HAS_UNIQUE_NAME = 0x200;

/** True for the leaves that define or refer to a class, struct, union, enum. */
export function isUdtLeaf(leaf: number): boolean {
  return (leaf >= leaves.class && leaf <= leaves.enum) || leaf === leaves.interface;
}

/** `cursor` holds the content of the record, behind its kind. */
export function readTypeRecord(leaf: number, cursor: Cursor): TypeRecord {
  switch (leaf) {
    case leaves.modifier:
      return { kind: 'modifier', target: cursor.u32(), flags: cursor.u16() };
    case leaves.pointer:
      return { kind: 'pointer', target: cursor.u32(), attributes: cursor.u32() };
    case leaves.array:
      return { kind: 'array', element: cursor.u32(), index: cursor.u32(), size: cursor.count() };
    case leaves.bitfield:
      return { kind: 'bitfield', type: cursor.u32(), bits: cursor.u8(), position: cursor.u8() };
    case leaves.procedure: {
      const result = cursor.u32();
      cursor.skip(4);
      return { kind: 'function', result, owner: 0, args: cursor.u32() };
    }
    case leaves.memberFunction: {
      const result = cursor.u32();
      const owner = cursor.u32();
      cursor.skip(8);
      return { kind: 'function', result, owner, args: cursor.u32() };
    }
    case leaves.arguments: {
      const count = cursor.u32();
      if (count > cursor.remaining / 4) cursor.fail(`${count} arguments do not fit`);
      return { kind: 'arguments', types: Array.from({ length: count }, () => cursor.u32()) };
    }
    case leaves.functionId:
    case leaves.memberFunctionId: {
      const scope = cursor.u32();
      return { kind: 'id', scope, type: cursor.u32(), name: cursor.text() };
    }
    case leaves.stringId:
      return { kind: 'id', scope: cursor.u32(), type: 0, name: cursor.text() };
    case leaves.fieldList:
      return { kind: 'fields' };
    case leaves.class:
    case leaves.struct:
    case leaves.interface:
    case leaves.union:
    case leaves.enum:
      return readUdt(leaf, cursor);
    default:
      return { kind: 'other', leaf };
  }
}

function readUdt(leaf: number, cursor: Cursor): UdtRecord {
  cursor.skip(2);
  const options = cursor.u16();
  let underlying = 0;
  let size = 0;
  if (leaf === leaves.enum) underlying = cursor.u32();
  const fieldList = cursor.u32();
  if (leaf !== leaves.enum) {
    if (leaf !== leaves.union) cursor.skip(8);
    size = cursor.count();
  }
  const name = cursor.text();
  return {
    kind: udtKind(leaf),
    name,
    uniqueName: (options & HAS_UNIQUE_NAME) !== 0 ? cursor.text() : '',
    forward: (options & FORWARD) !== 0,
    scoped: (options & SCOPED) !== 0,
    fieldList,
    size,
    underlying,
  };
}

function udtKind(leaf: number): UdtRecord['kind'] {
  if (leaf === leaves.class) return 'class';
  if (leaf === leaves.struct) return 'struct';
  if (leaf === leaves.union) return 'union';
  return leaf === leaves.enum ? 'enum' : 'interface';
}

/** The members of one LF_FIELDLIST record. Throws PdbError at a kind that is not known: its length is not told. */
export function* readMembers(cursor: Cursor): Generator<Member> {
  while (cursor.remaining > 0) {
    const member = readMember(cursor.u16(), cursor);
    if (member) yield member;
    skipPadding(cursor);
  }
}

/** Padding bytes 0xF1 to 0xFF: the low digit says how many there are. */
function skipPadding(cursor: Cursor): void {
  while (cursor.remaining > 0) {
    const byte = cursor.u8();
    if (byte <= 0xf0) {
      cursor.at -= 1;
      return;
    }
    cursor.skip(Math.min((byte & 15) - 1, cursor.remaining));
  }
}

function readMember(leaf: number, cursor: Cursor): Member | undefined {
  const attributes = cursor.u16();
  switch (leaf) {
    case 0x1400: // LF_BCLASS
    case 0x151a: // LF_BINTERFACE
      return { kind: 'base', type: cursor.u32(), offset: cursor.count() };
    case 0x1401: // LF_VBCLASS
    case 0x1402: {
      // LF_IVBCLASS
      const type = cursor.u32();
      cursor.skip(4);
      const offset = Number(cursor.numeric());
      cursor.numeric();
      return { kind: 'virtualBase', type, offset };
    }
    case 0x1404: // LF_INDEX
      return { kind: 'continued', type: cursor.u32() };
    case 0x1409: // LF_VFUNCTAB
      return { kind: 'vfptr', type: cursor.u32() };
    case 0x140c: // LF_VFUNCOFF
      cursor.skip(8);
      return undefined;
    case 0x150a: // LF_FRIENDCLS
      cursor.skip(4);
      return undefined;
    case 0x150c: // LF_FRIENDFCN
      cursor.skip(4);
      cursor.text();
      return undefined;
    case 0x1502: // LF_ENUMERATE
      return { kind: 'enumerator', value: cursor.numeric(), name: cursor.text() };
    case 0x150d: {
      // LF_MEMBER
      const type = cursor.u32();
      const offset = cursor.count();
      return { kind: 'field', type, offset, name: cursor.text() };
    }
    case 0x150e: // LF_STMEMBER
      return { kind: 'static', type: cursor.u32(), name: cursor.text() };
    case 0x150f: // LF_METHOD
      return { kind: 'method', type: cursor.u32(), name: cursor.text() };
    case 0x1510: // LF_NESTTYPE
    case 0x1512: // LF_NESTTYPEEX
      return { kind: 'nested', type: cursor.u32(), name: cursor.text() };
    case 0x1511: {
      // LF_ONEMETHOD
      const type = cursor.u32();
      const property = (attributes >> 2) & 7;
      // One that introduces a virtual function says where it is in the table.
      if (property === 4 || property === 6) cursor.skip(4);
      return { kind: 'method', type, name: cursor.text() };
    }
    default:
      return cursor.fail(`unknown member kind 0x${leaf.toString(16)}`);
  }
}
