// Selectors and descriptors. In 64-bit mode segments have no limits and only FS and GS have a base, but loading a
// selector still checks its descriptor (Intel SDM volume 3, chapters 3 and 5).
#include "mmu.h"

void set_cpl(u32 cpl) {
  cpu.cpl = cpl;
  cpu.access = cpl == 3 ? TAG_USER : TAG_SUPERVISOR;
}

static const Table *table_of(u32 selector, Table *local) {
  if (!(selector & 4)) return &cpu.gdt;
  *local = (Table){cpu.ldt.base, cpu.ldt.attr & ATTR_P ? cpu.ldt.limit : 0};
  return local;
}

// Reads the first 8 bytes of a descriptor; a selector beyond its table raises `vector` with the selector.
bool descriptor_read(u32 selector, u64 *low, u32 vector) {
  Table local;
  const Table *table = table_of(selector, &local);
  if ((selector & 0xFFF8) + 7 > table->limit) {
    raise(vector, selector & 0xFFFC);
    return false;
  }
  return sys_read(table->base + (selector & 0xFFF8), 8, low);
}

// Sets a bit of the descriptor's access byte (accessed, busy).
static bool descriptor_mark(u32 selector, u64 low, u32 bit) {
  Table local;
  if ((low >> 40) & bit) return true;
  return sys_write(table_of(selector, &local)->base + (selector & 0xFFF8) + 5, 1, ((low >> 40) & 0xFF) | bit);
}

Segment descriptor_segment(u32 selector, u64 low) {
  Segment s;
  s.base = ((low >> 16) & 0xFFFFFF) | ((low >> 32) & 0xFF000000);
  s.limit = (u32)((low & 0xFFFF) | ((low >> 32) & 0xF0000));
  s.attr = (u16)(low >> 40);
  if (s.attr & ATTR_G) s.limit = (s.limit << 12) | 0xFFF;
  s.selector = (u16)selector;
  return s;
}

bool load_data_segment(u32 index, u32 selector) {
  u64 low;
  if (!(selector & ~3u)) { // null: allowed, for SS only outside CPL 3 and with RPL = CPL
    if (index == SS && (cpu.cpl == 3 || (selector & 3) != cpu.cpl)) return protection(0);
    cpu.seg[index] = (Segment){0, 0, (u16)(index == SS ? cpu.cpl << 5 : 0), (u16)selector};
  } else {
    u32 error = selector & 0xFFFC, rpl = selector & 3;
    if (!descriptor_read(selector, &low, GP_)) return false;
    Segment s = descriptor_segment(selector, low);
    u32 dpl = ATTR_DPL(s.attr);
    if (!(s.attr & ATTR_S)) return protection(error);
    if (index == SS) {
      if ((s.attr & ATTR_CODE) || !(s.attr & ATTR_WRITE) || rpl != cpu.cpl || dpl != cpu.cpl) return protection(error);
    } else {
      if ((s.attr & ATTR_CODE) && !(s.attr & ATTR_WRITE)) return protection(error); // execute-only
      bool conforming = (s.attr & ATTR_CODE) && (s.attr & ATTR_CONFORMING);
      if (!conforming && (dpl < rpl || dpl < cpu.cpl)) return protection(error);
    }
    if (!(s.attr & ATTR_P)) {
      raise(index == SS ? SS_ : NP_, error);
      return false;
    }
    if (!descriptor_mark(selector, low, ATTR_ACCESSED)) return false;
    if (index != FS && index != GS) s.base = 0;
    cpu.seg[index] = s;
  }
  if (index == SS) { // the instruction after it is protected, so that it can load RSP
    cpu.shadow |= SHADOW_SS;
    attend();
  }
  return true;
}

// `cpl` is the level the code will run at. Only 64-bit code segments exist for this machine.
bool code_segment_check(u32 selector, u32 cpl, bool returning, Segment *out) {
  u64 low;
  u32 error = selector & 0xFFFC, rpl = selector & 3;
  if (!(selector & ~3u)) return protection(0);
  if (!descriptor_read(selector, &low, GP_)) return false;
  Segment s = descriptor_segment(selector, low);
  u32 dpl = ATTR_DPL(s.attr);
  if (!(s.attr & ATTR_S) || !(s.attr & ATTR_CODE) || !(s.attr & ATTR_L)) return protection(error);
  if (s.attr & ATTR_CONFORMING ? dpl > cpl : dpl != cpl) return protection(error);
  if (!returning && !(s.attr & ATTR_CONFORMING) && rpl > cpl) return protection(error);
  if (!(s.attr & ATTR_P)) {
    raise(NP_, error);
    return false;
  }
  if (!descriptor_mark(selector, low, ATTR_ACCESSED)) return false;
  s.base = 0;
  *out = s;
  return true;
}

// LTR, LLDT: descriptors of 16 bytes in the GDT.
bool load_system_segment(u32 selector, bool task, Segment *out) {
  u64 low, high;
  u32 error = selector & 0xFFFC;
  if (!(selector & ~3u)) {
    if (task) return protection(0);
    *out = (Segment){0};
    out->selector = (u16)selector;
    return true;
  }
  if ((selector & 4) || (selector & 0xFFF8) + 15 > cpu.gdt.limit) return protection(error);
  if (!descriptor_read(selector, &low, GP_)) return false;
  if (!sys_read(cpu.gdt.base + (selector & 0xFFF8) + 8, 8, &high)) return false;
  Segment s = descriptor_segment(selector, low);
  u32 type = s.attr & 0x1F;
  if (type != (task ? 9 : 2)) return protection(error); // an available TSS, an LDT
  if (!(s.attr & ATTR_P)) {
    raise(NP_, error);
    return false;
  }
  s.base |= high << 32;
  if (!canonical(s.base)) return protection(error);
  if (task) {
    if (!descriptor_mark(selector, low, 2)) return false; // busy
    s.attr |= 2;
  }
  *out = s;
  return true;
}

// Above IOPL a port is allowed when its bits in the TSS's map are clear.
bool io_allowed(u32 port, u32 size) {
  u64 map, bits;
  if (cpu.cpl <= ((cpu.flags & IOPL) >> 12)) return true;
  if (!(cpu.task.attr & ATTR_P) || cpu.task.limit < 103) return protection(0);
  if (!sys_read(cpu.task.base + 102, 2, &map)) return false;
  map += port >> 3;
  if (map + 1 > cpu.task.limit) return protection(0);
  if (!sys_read(cpu.task.base + map, 2, &bits)) return false;
  return ((bits >> (port & 7)) & ((1u << size) - 1)) == 0 || protection(0);
}
