// Lays out demo.img, the physical memory both machines start from, loaded at 1 MB:
//
//   page 0   multiboot header, boot record at 0x40, 32-bit start code (demo/kernel/boot/start.S)
//   page 1   GDT, then the loader block at 0x100
//   ...      PE images in their mapped form, boot stack, page tables
//
// The constants repeat those of demo/kernel/include/ki.h.
import { parsePe, resolveImports } from './pe.mjs';
import { GLOBAL, NO_EXECUTE, PAGE, PageTables, WRITE } from './paging.mjs';

const LOAD_ADDRESS = 0x100000;
const MEMORY_SIZE = 32 << 20;
const LARGE_PAGE = 2 << 20;

const DIRECT_MAP = 0xffff800000000000n;
const PTE_BASE = 0xfffff68000000000n;
const SHARED_DATA = 0xfffff78000000000n;
const STACK_REGION = 0xfffff88000000000n;
const BOOT_STACK_LIMIT = 0xfffff88000001000n;
const BOOT_STACK_SIZE = 0x4000;
const HAL_REGION = 0xfffffffffffe0000n;

const CR0 = 0x80050033n; // PG AM WP NE ET MP PE
const CR4 = 0x6a8n; // DE PAE PGE OSFXSR OSXMMEXCPT
const EFER = 0xd01n; // SCE LME LMA NXE

const GDT = [
  0n,
  0n,
  0x00209b0000000000n, // 10 kernel code
  0x00cf93000000ffffn, // 18 kernel data
];
const LOADER_BLOCK_OFFSET = 0x100;
const LOADER_IMAGE_SIZE = 64;

/** Hands out consecutive pages of the image file. */
class Layout {
  chunks = [];
  size = 0;

  allocate(bytes) {
    const buffer = Buffer.alloc(Math.ceil(bytes / PAGE) * PAGE);
    const physical = LOAD_ADDRESS + this.size;
    this.chunks.push(buffer);
    this.size += buffer.length;
    return { physical, buffer };
  }
}

function mapImage(tables, root, image, physical) {
  for (let rva = 0; rva < image.size; rva += PAGE) {
    const section = image.sections.find((s) => rva >= s.rva && rva < s.rva + s.virtualSize);
    const write = section?.writable ? WRITE : 0n;
    const noExecute = section?.executable ? 0n : NO_EXECUTE;
    tables.map(root, image.base + BigInt(rva), physical + rva, GLOBAL | write | noExecute);
  }
}

function writeLoaderBlock(block, values, images) {
  let at = 0;
  for (const value of values) at = block.writeBigUInt64LE(BigInt(value), at);
  at = block.writeUInt32LE(images.length, at);
  at = block.writeUInt32LE(0, at);
  images.forEach(({ image, physical, boot }, index) => {
    const entry = block.subarray(at + index * LOADER_IMAGE_SIZE, at + (index + 1) * LOADER_IMAGE_SIZE);
    entry.writeBigUInt64LE(image.base, 0);
    entry.writeBigUInt64LE(BigInt(physical), 8);
    entry.writeUInt32LE(image.size, 16);
    entry.writeUInt32LE(boot ? 1 : 0, 20);
    entry.writeBigUInt64LE(image.base + BigInt(image.entryRva), 24);
    entry.write(image.name, 32, 31, 'latin1');
  });
}

/**
 * The bytes of demo.img.
 * @param bootPage bytes of the assembled first page
 * @param files list of {name, bytes, boot}: the kernel first, then drivers; boot = mapped from the start
 */
export function layoutImage(bootPage, files) {
  const layout = new Layout();
  const first = layout.allocate(PAGE).buffer;
  const second = layout.allocate(PAGE);
  if (bootPage.length > PAGE)
    throw new Error(`the boot page has ${bootPage.length} bytes, more than ${PAGE}`);
  bootPage.copy(first);

  const images = files.map(({ name, bytes, boot }) => ({ image: parsePe(name, bytes), boot }));
  for (const { image } of images) {
    resolveImports(
      image,
      images.map((i) => i.image),
    );
  }
  for (const entry of images) {
    const { physical, buffer } = layout.allocate(entry.image.mapped.length);
    entry.image.mapped.copy(buffer);
    entry.physical = physical;
  }
  const stack = layout.allocate(BOOT_STACK_SIZE);

  const tables = new PageTables((bytes) => layout.allocate(bytes));
  const root = tables.newTable();
  for (let at = 0; at < MEMORY_SIZE; at += LARGE_PAGE) {
    tables.mapLarge(root, DIRECT_MAP + BigInt(at), at, WRITE | GLOBAL | NO_EXECUTE);
  }
  for (const region of [SHARED_DATA, STACK_REGION]) tables.reserve(root, region);
  // Complete: a machine without a local APIC must not differ in what the kernel allocates later.
  tables.reserve(root, HAL_REGION, 1);
  for (const { image, physical, boot } of images) if (boot) mapImage(tables, root, image, physical);
  for (let at = 0; at < BOOT_STACK_SIZE; at += PAGE) {
    tables.map(root, BOOT_STACK_LIMIT + BigInt(at), stack.physical + at, WRITE | GLOBAL | NO_EXECUTE);
  }
  tables.setEntry(root, PageTables.index(PTE_BASE, 3), BigInt(root) | WRITE | 1n | NO_EXECUTE);

  // The boot directory: the same, and RAM at its physical addresses.
  const bootRoot = tables.newTable();
  for (let i = 256; i < 512; i++) tables.setEntry(bootRoot, i, tables.entry(root, i));
  for (let at = 0; at < MEMORY_SIZE; at += LARGE_PAGE) tables.mapLarge(bootRoot, BigInt(at), at, WRITE);

  GDT.forEach((descriptor, index) => second.buffer.writeBigUInt64LE(descriptor, index * 8));
  const imageEnd = LOAD_ADDRESS + layout.size;
  const stackBase = BOOT_STACK_LIMIT + BigInt(BOOT_STACK_SIZE);
  writeLoaderBlock(
    second.buffer.subarray(LOADER_BLOCK_OFFSET),
    [MEMORY_SIZE, imageEnd, root, bootRoot, stackBase, BOOT_STACK_LIMIT, stack.physical],
    images,
  );

  const kernel = images[0].image;
  const record = [
    BigInt(bootRoot),
    kernel.base + BigInt(kernel.entryRva),
    stackBase - 0x28n, // home area and a zero return address above: where stack walks end
    DIRECT_MAP + BigInt(second.physical),
    BigInt(GDT.length * 8 - 1),
    DIRECT_MAP + BigInt(second.physical + LOADER_BLOCK_OFFSET),
    BigInt(imageEnd),
    CR0,
    CR4,
    EFER,
  ];
  record.forEach((value, index) => first.writeBigUInt64LE(value, 0x48 + index * 8));
  return Buffer.concat(layout.chunks);
}
