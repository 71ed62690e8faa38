/** Memory that holds 8-byte words where they were written and images where they were put. */
export class SparseMemory {
  private readonly words = new Map<bigint, bigint>();
  private readonly images: { base: bigint; bytes: Uint8Array }[] = [];

  map(base: bigint, bytes: Uint8Array): void {
    this.images.push({ base, bytes });
  }

  write(address: bigint, value: bigint): void {
    this.words.set(BigInt.asUintN(64, address), BigInt.asUintN(64, value));
  }

  readonly read = async (address: bigint, length: number): Promise<Uint8Array> => {
    const image = this.images.find(
      ({ base, bytes }) => address >= base && address < base + BigInt(bytes.length),
    );
    if (image) {
      const offset = Number(address - image.base);
      return image.bytes.subarray(offset, offset + length);
    }
    const result = new Uint8Array(length);
    for (let at = 0; at < length; at += 8) {
      const word = this.words.get(BigInt.asUintN(64, address + BigInt(at)));
      if (word === undefined || at + 8 > length) return result.slice(0, at);
      new DataView(result.buffer).setBigUint64(at, word, true);
    }
    return result;
  };
}
