// Memory as instructions see it: linear addresses, translated through a small direct-mapped TLB. The fast paths
// are here so that every file can inline them; the page walk and everything unusual is in mmu.c.
#pragma once
#include "machine.h"

enum { READ, WRITE, FETCH };
enum { TAG_SUPERVISOR = 1, TAG_USER = 3 }; // never 0, so that an empty entry matches nothing
#define PAGE_MASK 0xFFFull
#define TLB_ENTRIES 1024

// tag[access] is (page address | TAG_*) when that access is allowed without any further work: permissions
// checked, accessed and dirty bits already set, no data breakpoint in the page, and the page is RAM.
typedef struct {
  u64 tag[3];
  u64 frame; // physical address of the page
} TlbEntry;
extern TlbEntry tlb[TLB_ENTRIES];

void tlb_flush(void);
bool translate(u64 address, u32 access, u64 *physical);
bool mem_read_slow(u64 address, u32 size, u64 *value);
bool mem_write_slow(u64 address, u32 size, u64 value);
bool mem_write_check(u64 address, u32 size); // would a write be allowed? Raises what the write would raise
u64 phys_read(u64 physical, u32 size);
void phys_write(u64 physical, u32 size, u64 value);

// Accesses by the processor itself to descriptor tables and the TSS: supervisor rights whatever the CPL.
bool sys_read(u64 address, u32 size, u64 *value);
bool sys_write(u64 address, u32 size, u64 value);

typedef struct { u16 v; } __attribute__((packed)) Unaligned16;
typedef struct { u32 v; } __attribute__((packed)) Unaligned32;
typedef struct { u64 v; } __attribute__((packed)) Unaligned64;

static inline u64 host_load(const u8 *p, u32 size) {
  switch (size) {
  case 1: return *p;
  case 2: return ((const Unaligned16 *)p)->v;
  case 4: return ((const Unaligned32 *)p)->v;
  default: return ((const Unaligned64 *)p)->v;
  }
}

static inline void host_store(u8 *p, u32 size, u64 value) {
  switch (size) {
  case 1: *p = (u8)value; break;
  case 2: ((Unaligned16 *)p)->v = (u16)value; break;
  case 4: ((Unaligned32 *)p)->v = (u32)value; break;
  default: ((Unaligned64 *)p)->v = value; break;
  }
}

static inline TlbEntry *tlb_slot(u64 address) { return &tlb[(address >> 12) & (TLB_ENTRIES - 1)]; }

static inline bool tlb_hit(const TlbEntry *entry, u64 address, u32 size, u32 access) {
  return entry->tag[access] == ((address & ~PAGE_MASK) | cpu.access) && (address & PAGE_MASK) <= 4096 - size;
}

static inline bool mem_read(u64 address, u32 size, u64 *value) {
  const TlbEntry *entry = tlb_slot(address);
  if (UNLIKELY(!tlb_hit(entry, address, size, READ))) return mem_read_slow(address, size, value);
  *value = host_load(machine.ram + entry->frame + (address & PAGE_MASK), size);
  return true;
}

static inline bool mem_write(u64 address, u32 size, u64 value) {
  const TlbEntry *entry = tlb_slot(address);
  if (UNLIKELY(!tlb_hit(entry, address, size, WRITE))) return mem_write_slow(address, size, value);
  host_store(machine.ram + entry->frame + (address & PAGE_MASK), size, value);
  return true;
}

static inline bool canonical(u64 address) { return (u64)((i64)(address << 16) >> 16) == address; }
