// Builds x64 page tables inside the image.

export const PAGE = 4096;
export const PRESENT = 1n;
export const WRITE = 2n;
export const LARGE = 0x80n;
export const GLOBAL = 0x100n;
export const NO_EXECUTE = 1n << 63n;

/** Page-table pages, allocated through `allocate(bytes) -> {physical, buffer}`. */
export class PageTables {
  #allocate;
  #pages = new Map(); // physical address -> Buffer

  constructor(allocate) {
    this.#allocate = allocate;
  }

  newTable() {
    const { physical, buffer } = this.#allocate(PAGE);
    this.#pages.set(physical, buffer);
    return physical;
  }

  entry(table, index) {
    return this.#pages.get(table).readBigUInt64LE(index * 8);
  }

  setEntry(table, index, value) {
    this.#pages.get(table).writeBigUInt64LE(value, index * 8);
  }

  /** Index of a virtual address at a level: 3 = PML4, 0 = page table. */
  static index(va, level) {
    return Number((va >> BigInt(12 + 9 * level)) & 511n);
  }

  /** The next lower table for va, made when missing. */
  #next(table, va, level) {
    const index = PageTables.index(va, level);
    const value = this.entry(table, index);
    if (value & PRESENT) return Number(value & 0x000ffffffffff000n);
    const made = this.newTable();
    this.setEntry(table, index, BigInt(made) | PRESENT | WRITE);
    return made;
  }

  /**
   * Makes the tables for va from the top down to `level`: 3 only the top-level entry, so that page directories
   * copied later share what comes below; 1 everything but the page itself.
   */
  reserve(root, va, level = 3) {
    let table = root;
    for (let at = 3; at >= level; at--) table = this.#next(table, va, at);
  }

  map(root, va, physical, flags) {
    let table = root;
    for (let level = 3; level > 0; level--) table = this.#next(table, va, level);
    this.setEntry(table, PageTables.index(va, 0), BigInt(physical) | flags | PRESENT);
  }

  /** Maps one 2 MB page. */
  mapLarge(root, va, physical, flags) {
    let table = root;
    for (let level = 3; level > 1; level--) table = this.#next(table, va, level);
    this.setEntry(table, PageTables.index(va, 1), BigInt(physical) | flags | PRESENT | LARGE);
  }
}
