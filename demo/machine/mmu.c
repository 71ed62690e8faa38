// Four-level paging (Intel SDM volume 3, chapter 4): the page walk with its permission checks, accessed and dirty
// bits, page-fault error codes, and the accesses that the fast paths of mmu.h cannot do.
#include "mmu.h"

TlbEntry tlb[TLB_ENTRIES];

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80 };
enum { ERROR_P = 1, ERROR_W = 2, ERROR_U = 4, ERROR_RESERVED = 8, ERROR_FETCH = 16 };
#define PTE_NX (1ull << 63)
#define FRAME 0x000000FFFFFFF000ull    // MAXPHYADDR is 40
#define RESERVED 0x000FFF0000000000ull // the address bits above it

void tlb_flush(void) {
  for (u32 i = 0; i < TLB_ENTRIES; i++) tlb[i].tag[READ] = tlb[i].tag[WRITE] = tlb[i].tag[FETCH] = 0;
}

// Physical memory outside RAM reads as zero and ignores writes, like QEMU's unassigned memory.
u64 phys_read(u64 physical, u32 size) {
  if (physical > machine.ram_size - size) return 0;
  return host_load(machine.ram + physical, size);
}

void phys_write(u64 physical, u32 size, u64 value) {
  if (physical <= machine.ram_size - size) host_store(machine.ram + physical, size, value);
}

static bool page_fault(u64 address, u32 error) {
  cpu.cr2 = address;
  raise(PF_, error);
  return false;
}

bool translate(u64 address, u32 access, u64 *physical) {
  TlbEntry *entry = tlb_slot(address);
  u64 tag = (address & ~PAGE_MASK) | cpu.access;
  if (entry->tag[access] == tag) {
    *physical = entry->frame | (address & PAGE_MASK);
    return true;
  }
  if (!canonical(address)) return protection(0);

  bool user = cpu.access == TAG_USER, nxe = (cpu.efer & EFER_NXE) != 0;
  u32 error = (access == WRITE ? ERROR_W : 0) | (user ? ERROR_U : 0) | (access == FETCH && nxe ? ERROR_FETCH : 0);
  u64 rights = PTE_W | PTE_U, no_execute = 0; // what all levels together allow
  u64 where[4], value[4];
  u64 table = cpu.cr3 & FRAME;
  u32 level = 0, shift = 39;
  for (;; level++, shift -= 9) {
    where[level] = table + ((address >> shift) & 0x1FF) * 8;
    u64 pte = value[level] = phys_read(where[level], 8);
    if (!(pte & PTE_P)) return page_fault(address, error);
    u64 reserved = RESERVED | (nxe ? 0 : PTE_NX);
    bool large = (pte & PTE_PS) && (level == 1 || level == 2);
    if (level == 0) reserved |= PTE_PS;
    if (large) reserved |= ((1ull << shift) - 1) & FRAME & ~0x1000ull; // bit 12 is PAT
    if (pte & reserved) return page_fault(address, error | ERROR_P | ERROR_RESERVED);
    rights &= pte;
    no_execute |= pte & PTE_NX;
    if (large || level == 3) break;
    table = pte & FRAME;
  }
  bool may_write = (rights & PTE_W) || (!user && !(cpu.cr0 & CR0_WP));
  if ((user && !(rights & PTE_U)) || (access == WRITE && !may_write) || (access == FETCH && no_execute))
    return page_fault(address, error | ERROR_P);

  for (u32 i = 0; i <= level; i++) {
    u64 wanted = value[i] | PTE_A | (i == level && access == WRITE ? PTE_D : 0);
    if (wanted != value[i]) phys_write(where[i], 8, wanted);
    value[i] = wanted;
  }
  u64 inside = (1ull << shift) - 1;
  u64 frame = ((value[level] & FRAME & ~inside) | (address & inside)) & ~PAGE_MASK;
  *physical = frame | (address & PAGE_MASK);

  if (frame + 4096 <= machine.ram_size) {
    bool watched = watched_page(address & ~PAGE_MASK);
    entry->tag[READ] = watched ? 0 : tag;
    entry->tag[WRITE] = !watched && may_write && (value[level] & PTE_D) ? tag : 0;
    entry->tag[FETCH] = no_execute ? 0 : tag;
    entry->frame = frame;
  }
  return true;
}

// An operand that crosses a page is two pieces; both are translated before either is touched.
static bool pieces(u64 address, u32 size, u32 access, u64 physical[2], u32 *first) {
  u32 room = 4096 - (u32)(address & PAGE_MASK);
  *first = size < room ? size : room;
  if (!translate(address, access, &physical[0])) return false;
  return *first == size || translate(address + *first, access, &physical[1]);
}

bool mem_read_slow(u64 address, u32 size, u64 *value) {
  u64 physical[2];
  u32 first;
  if (!pieces(address, size, READ, physical, &first)) return false;
  if (first == size) {
    *value = phys_read(physical[0], size);
  } else {
    u64 result = 0;
    for (u32 i = 0; i < size; i++)
      result |= phys_read(i < first ? physical[0] + i : physical[1] + (i - first), 1) << (8 * i);
    *value = result;
  }
  watch_access(address, size, false);
  return true;
}

bool mem_write_slow(u64 address, u32 size, u64 value) {
  u64 physical[2];
  u32 first;
  if (!pieces(address, size, WRITE, physical, &first)) return false;
  if (first == size) {
    phys_write(physical[0], size, value);
  } else {
    for (u32 i = 0; i < size; i++)
      phys_write(i < first ? physical[0] + i : physical[1] + (i - first), 1, value >> (8 * i));
  }
  watch_access(address, size, true);
  return true;
}

bool mem_write_check(u64 address, u32 size) {
  u64 physical[2];
  u32 first;
  return pieces(address, size, WRITE, physical, &first);
}

bool sys_read(u64 address, u32 size, u64 *value) {
  u32 saved = cpu.access;
  cpu.access = TAG_SUPERVISOR;
  bool done = mem_read(address, size, value);
  cpu.access = saved;
  return done;
}

bool sys_write(u64 address, u32 size, u64 value) {
  u32 saved = cpu.access;
  cpu.access = TAG_SUPERVISOR;
  bool done = mem_write(address, size, value);
  cpu.access = saved;
  return done;
}
