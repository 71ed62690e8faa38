/**
 * Byte layouts as tables: `struct(size, { field: [offset, type] })` gives a typed decoder and encoder for a
 * little-endian record. Everything on a KD link is described with it.
 */

type IntegerType = 'u8' | 'u16' | 'u32' | 'u64';
type Field = readonly [offset: number, type: IntegerType];
export type Fields = Readonly<Record<string, Field>>;

type ValueOf<F extends Field> = F[1] extends 'u64' ? bigint : number;
export type Values<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> };

/** A record was shorter than its layout. */
export class ShortRecordError extends Error {
  override readonly name = 'ShortRecordError';
}

export interface Struct<F extends Fields> {
  readonly size: number;
  /** Reads the record at `at`; throws `ShortRecordError` when `bytes` ends before it does. */
  decode(bytes: Uint8Array, at?: number): Values<F>;
  /** A fresh record; fields left out are zero. Numbers are cut to the field's width. */
  encode(values: Partial<Values<F>>): Uint8Array;
  /** Overwrites the given fields of the record at `at`. */
  write(bytes: Uint8Array, values: Partial<Values<F>>, at?: number): void;
}

export type StructValues<S> = S extends Struct<infer F> ? Values<F> : never;

export function struct<const F extends Fields>(size: number, fields: F): Struct<F> {
  const rows = Object.entries<Field>(fields);
  const write = (bytes: Uint8Array, values: Partial<Values<F>>, at = 0) => {
    const view = viewOf(bytes, at, size);
    for (const [name, [offset, type]] of rows) {
      const value: number | bigint | undefined = values[name as keyof F];
      if (value === undefined) continue;
      if (type === 'u64') view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
      else if (type === 'u32') view.setUint32(offset, Number(value), true);
      else if (type === 'u16') view.setUint16(offset, Number(value), true);
      else view.setUint8(offset, Number(value));
    }
  };
  return {
    size,
    decode(bytes, at = 0) {
      const view = viewOf(bytes, at, size);
      const values: Record<string, number | bigint> = {};
      for (const [name, [offset, type]] of rows) {
        if (type === 'u64') values[name] = view.getBigUint64(offset, true);
        else if (type === 'u32') values[name] = view.getUint32(offset, true);
        else if (type === 'u16') values[name] = view.getUint16(offset, true);
        else values[name] = view.getUint8(offset);
      }
      return values as Values<F>;
    },
    encode(values) {
      const bytes = new Uint8Array(size);
      write(bytes, values);
      return bytes;
    },
    write,
  };
}

function viewOf(bytes: Uint8Array, at: number, size: number): DataView {
  if (at < 0 || at + size > bytes.length) {
    throw new ShortRecordError(`${bytes.length - at} bytes where a record of ${size} is expected`);
  }
  return new DataView(bytes.buffer, bytes.byteOffset + at, size);
}
