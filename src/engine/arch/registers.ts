import { UserError } from '../base/errors';
import type { Architecture, RegisterInfo } from './architecture';

/**
 * The saved registers of one processor: a CONTEXT record and, where the target gives it, KSPECIAL_REGISTERS, with
 * access by name through the architecture's table. Values are unsigned.
 */
export class Registers {
  constructor(
    readonly architecture: Architecture,
    readonly context: Uint8Array,
    readonly special: Uint8Array | undefined,
  ) {}

  /** The table's row, by name in any case; undefined when there is no such register. */
  static find(architecture: Architecture, name: string): RegisterInfo | undefined {
    return rowsByName(architecture).get(name.toLowerCase());
  }

  get(name: string): bigint {
    const info = this.row(name);
    const raw = readUnsigned(this.area(info), info.offset, info.size);
    return info.bit === undefined ? raw : (raw >> BigInt(info.bit)) & ((1n << BigInt(info.bits ?? 1)) - 1n);
  }

  /** Sets a register; writing a 32-bit part clears the upper half as the CPU does. Throws when the value is too wide. */
  set(name: string, value: bigint): void {
    const info = this.row(name);
    const width = BigInt(info.bit === undefined ? info.size * 8 : (info.bits ?? 1));
    if (value < 0n || value >> width !== 0n) {
      throw new UserError(
        `Value 0x${value.toString(16)} does not fit register '${info.name}' (${width} bits).`,
      );
    }
    const area = this.area(info);
    if (info.bit !== undefined) {
      const mask = ((1n << width) - 1n) << BigInt(info.bit);
      const old = readUnsigned(area, info.offset, info.size);
      writeUnsigned(area, info.offset, info.size, (old & ~mask) | (value << BigInt(info.bit)));
      return;
    }
    writeUnsigned(area, info.offset, info.size, value);
    const whole = info.partOf === undefined ? undefined : this.row(info.partOf);
    if (whole?.size === 8 && info.size === 4) writeUnsigned(area, info.offset + 4, 4, 0n);
  }

  get pc(): bigint {
    return this.get(this.architecture.instructionPointer);
  }

  get sp(): bigint {
    return this.get(this.architecture.stackPointer);
  }

  clone(): Registers {
    return new Registers(this.architecture, this.context.slice(), this.special?.slice());
  }

  private row(name: string): RegisterInfo {
    const info = Registers.find(this.architecture, name);
    if (!info) throw new UserError(`Bad register error at '${name}'`);
    return info;
  }

  private area(info: RegisterInfo): Uint8Array {
    const area = info.area === 'context' ? this.context : this.special;
    if (!area || info.offset + info.size > area.length) {
      throw new UserError(`Register '${info.name}' is not available from this target.`);
    }
    return area;
  }
}

const tables = new WeakMap<Architecture, Map<string, RegisterInfo>>();

function rowsByName(architecture: Architecture): Map<string, RegisterInfo> {
  let table = tables.get(architecture);
  if (!table) {
    table = new Map(architecture.registers.map((row) => [row.name, row]));
    tables.set(architecture, table);
  }
  return table;
}

function readUnsigned(bytes: Uint8Array, offset: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i] ?? 0);
  return value;
}

function writeUnsigned(bytes: Uint8Array, offset: number, size: number, value: bigint): void {
  for (let i = 0; i < size; i++) bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}
