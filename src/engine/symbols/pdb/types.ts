/** Types as users see them: names, sizes, and the fields of classes, structs, unions and enums. */
import type { TypeIndex, TypeRecord, UdtRecord } from './typeRecords';
import { isUdtLeaf } from './typeRecords';
import type { TypeStream } from './typeStream';

export interface PdbField {
  readonly name: string;
  /** Bytes from the beginning of the type. */
  readonly offset: number;
  readonly type: TypeIndex;
  readonly typeName: string;
  /** Of a bit-field: how many, and the position of the lowest one in the value at `offset`. */
  readonly bits?: number;
  readonly bitPosition?: number;
}

export interface PdbType {
  readonly index: TypeIndex;
  readonly kind: UdtRecord['kind'];
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The data members, in the order of the source. */
  readonly fields: readonly PdbField[];
  /** Base classes; the name is that of the class. Virtual ones have no fixed place: `virtual`. */
  readonly bases: readonly {
    readonly name: string;
    readonly type: TypeIndex;
    readonly offset: number;
    readonly virtual: boolean;
  }[];
  /** Static data members. */
  readonly statics: readonly { readonly name: string; readonly type: TypeIndex; readonly typeName: string }[];
  /** Of an enum. */
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
}

/** Basic types by the low byte of their index: name and bytes. */
const basics: Readonly<Record<number, readonly [name: string, size: number]>> = {
  0x00: ['<none>', 0],
  0x03: ['void', 0],
  0x08: ['HRESULT', 4],
  0x10: ['signed char', 1],
  0x11: ['short', 2],
  0x12: ['long', 4],
  0x13: ['__int64', 8],
  0x14: ['__int128', 16],
  0x20: ['unsigned char', 1],
  0x21: ['unsigned short', 2],
  0x22: ['unsigned long', 4],
  0x23: ['unsigned __int64', 8],
  0x24: ['unsigned __int128', 16],
  0x30: ['bool', 1],
  0x31: ['bool16', 2],
  0x32: ['bool32', 4],
  0x33: ['bool64', 8],
  0x40: ['float', 4],
  0x41: ['double', 8],
  0x42: ['long double', 10],
  0x43: ['__float128', 16],
  0x44: ['__float48', 6],
  0x46: ['__half', 2],
  0x50: ['_Complex float', 8],
  0x51: ['_Complex double', 16],
  0x68: ['__int8', 1],
  0x69: ['unsigned __int8', 1],
  0x70: ['char', 1],
  0x71: ['wchar_t', 2],
  0x72: ['__int16', 2],
  0x73: ['unsigned __int16', 2],
  0x74: ['int', 4],
  0x75: ['unsigned int', 4],
  0x76: ['__int64', 8],
  0x77: ['unsigned __int64', 8],
  0x78: ['__int128', 16],
  0x79: ['unsigned __int128', 16],
  0x7a: ['char16_t', 2],
  0x7b: ['char32_t', 4],
  0x7c: ['char8_t', 1],
};

/** Bytes of a pointer by the mode in bits 8 to 11 of a basic type's index. */
const pointerModes = [0, 2, 4, 4, 4, 6, 8, 16] as const;

const MAX_DEPTH = 64;
const MAX_NAME = 4096;

export class Types {
  private readonly names = new Map<TypeIndex, string>();
  private readonly resolved = new Map<TypeIndex, TypeIndex>();
  private membersLeft: number;

  constructor(readonly stream: TypeStream) {
    // A real file shares few field lists; a hostile one could let every class have all of the same ones.
    this.membersLeft = 1_000_000 + 64 * (stream.end - stream.begin);
  }

  /** Every class, struct, union and enum that is defined, in the order of the file. */
  *all(): Generator<PdbType> {
    for (let index = this.stream.begin; index < this.stream.end; index++) {
      if (!isUdtLeaf(this.stream.leaf(index))) continue;
      const record = this.stream.definition(index);
      if (record) yield this.describe(index, record);
    }
  }

  /** By its full name, in this case. */
  byName(name: string): PdbType | undefined {
    const found = this.stream.find(name);
    return found && this.describe(found.index, found.record);
  }

  /** The definition of a forward reference; `index` itself for everything else. */
  resolve(index: TypeIndex): TypeIndex {
    if (!this.stream.has(index) || !isUdtLeaf(this.stream.leaf(index))) return index;
    let known = this.resolved.get(index);
    if (known === undefined) {
      const record = this.stream.record(index) as UdtRecord;
      known = record.forward ? (this.stream.find(record.uniqueName || record.name)?.index ?? index) : index;
      this.resolved.set(index, known);
    }
    return known;
  }

  /** In bytes; 0 for what has none. Throws PdbError when the record is broken. */
  size(index: TypeIndex, depth = 0): number {
    if (depth > MAX_DEPTH) this.stream.fail(index, 'it is nested too deep');
    if (index < this.stream.begin) return basicSize(index);
    const record = this.stream.record(this.resolve(index));
    switch (record.kind) {
      case 'pointer':
        return pointerSize(record.attributes);
      case 'modifier':
        return this.size(record.target, depth + 1);
      case 'bitfield':
        return this.size(record.type, depth + 1);
      case 'enum':
        return record.forward ? 0 : this.size(record.underlying, depth + 1);
      case 'array':
      case 'class':
      case 'struct':
      case 'interface':
      case 'union':
        return record.size;
      default:
        return 0;
    }
  }

  /** As in C, e.g. `unsigned long`, `_LIST_ENTRY *`, `wchar_t[8]`. */
  name(index: TypeIndex, depth = 0): string {
    if (index < 0x1000) return basicName(index);
    const known = this.names.get(index);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) return '...';
    let name = this.compose(this.stream.record(index), depth + 1);
    if (name.length > MAX_NAME) name = `${name.slice(0, MAX_NAME)}...`;
    this.names.set(index, name);
    return name;
  }

  private compose(record: TypeRecord, depth: number): string {
    switch (record.kind) {
      case 'modifier': {
        const words = ['const', 'volatile', '__unaligned'].filter((_, bit) => (record.flags >> bit) & 1);
        return [...words, this.name(record.target, depth)].join(' ');
      }
      case 'pointer':
        return this.name(record.target, depth) + pointerText(record.attributes);
      case 'array': {
        const element = this.size(record.element, depth);
        const text = this.name(record.element, depth);
        const count = `[${element === 0 ? '' : Math.floor(record.size / element)}]`;
        // The dimensions of an array of arrays follow from the outside in.
        const at = this.isArray(record.element) ? text.indexOf('[') : -1;
        return at < 0 ? text + count : text.slice(0, at) + count + text.slice(at);
      }
      case 'bitfield':
        return this.name(record.type, depth);
      case 'function':
        return `${this.name(record.result, depth)} (${this.argumentText(record.args, depth)})`;
      case 'arguments':
        return this.argumentNames(record.types, depth);
      case 'id':
      case 'class':
      case 'struct':
      case 'interface':
      case 'union':
      case 'enum':
        return record.name;
      case 'fields':
        return '<field list>';
      case 'other':
        return `<type kind 0x${record.leaf.toString(16)}>`;
    }
  }

  /** Stops where the text is too long anyway. */
  private argumentNames(types: readonly TypeIndex[], depth: number): string {
    let text = '';
    for (const type of types) {
      if (text.length > MAX_NAME) break;
      text += `${text === '' ? '' : ', '}${type === 0 ? '...' : this.name(type, depth)}`;
    }
    return text;
  }

  private isArray(index: TypeIndex): boolean {
    return this.stream.has(index) && this.stream.record(index).kind === 'array';
  }

  private argumentText(index: TypeIndex, depth: number): string {
    return index < 0x1000 ? '' : this.name(index, depth);
  }

  private describe(index: TypeIndex, record: UdtRecord): PdbType {
    const fields: PdbField[] = [];
    const bases: PdbType['bases'][number][] = [];
    const statics: PdbType['statics'][number][] = [];
    const values: PdbType['values'][number][] = [];
    for (const member of this.stream.members(record.fieldList)) {
      if (--this.membersLeft < 0) this.stream.fail(index, 'too many types share their field lists');
      if (member.kind === 'field') fields.push(this.field(member.name, member.type, member.offset));
      else if (member.kind === 'base' || member.kind === 'virtualBase') {
        const { type, offset, kind } = member;
        bases.push({ name: this.name(type), type, offset, virtual: kind === 'virtualBase' });
      } else if (member.kind === 'static') {
        statics.push({ name: member.name, type: member.type, typeName: this.name(member.type) });
      } else if (member.kind === 'enumerator') values.push({ name: member.name, value: member.value });
    }
    const size = record.kind === 'enum' ? this.size(record.underlying) : record.size;
    return { index, kind: record.kind, name: record.name, size, fields, bases, statics, values };
  }

  private field(name: string, type: TypeIndex, offset: number): PdbField {
    const field = { name, offset, type, typeName: this.name(type) };
    const record = this.stream.has(type) ? this.stream.record(type) : undefined;
    if (record?.kind !== 'bitfield') return field;
    return { ...field, bits: record.bits, bitPosition: record.position };
  }
}

function basicName(index: TypeIndex): string {
  const name = basics[index & 0xff]?.[0] ?? `<basic type 0x${index.toString(16)}>`;
  return index >= 0x100 ? `${name} *` : name;
}

function basicSize(index: TypeIndex): number {
  const mode = (index >> 8) & 15;
  return mode === 0 ? (basics[index & 0xff]?.[1] ?? 0) : (pointerModes[mode] ?? 0);
}

/** Bits 13 to 18 have the size in newer files; the kind in bits 0 to 4 has it always. */
function pointerSize(attributes: number): number {
  const size = (attributes >> 13) & 0x3f;
  if (size !== 0) return size;
  return (attributes & 0x1f) === 12 ? 8 : 4;
}

function pointerText(attributes: number): string {
  const mode = (attributes >> 5) & 7;
  const sign = mode === 1 ? ' &' : mode === 4 ? ' &&' : ' *';
  return (attributes >> 10) & 1 ? `${sign} const` : sign;
}
