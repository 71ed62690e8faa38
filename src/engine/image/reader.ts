/**
 * Where the bytes of an image come from: the target's memory or a file. Both answer by address (RVA) and may give
 * fewer bytes than asked when the rest is not there; nothing here trusts a length found in the image.
 */

/** Virtual memory of a target. The result ends before the first unreadable byte; it may be empty. */
export type MemoryReader = (address: bigint, length: number) => Promise<Uint8Array>;

/** An image by RVA, laid out as the loader maps it. */
export type ImageReader = (rva: number, length: number) => Promise<Uint8Array>;

export function imageInMemory(read: MemoryReader, base: bigint): ImageReader {
  return (rva, length) => read(BigInt.asUintN(64, base + BigInt(rva)), length);
}

export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The NUL-terminated 8-bit text at `offset`, at most `limit` bytes; ends where the bytes end. */
export function textAt(bytes: Uint8Array, offset: number, limit: number): string {
  let text = '';
  for (let i = offset; i < bytes.length && i < offset + limit; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
