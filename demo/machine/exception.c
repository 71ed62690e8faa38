// Exceptions and interrupts (Intel SDM volume 3, chapter 6) and the debug registers (chapter 17).
#include "mmu.h"

Fault fault;

void raise(u32 vector, u32 error) {
  if (!fault.raised) fault = (Fault){true, vector, error};
}
bool undefined(void) {
  raise(UD_, 0);
  return false;
}
bool protection(u32 error) {
  raise(GP_, error);
  return false;
}

static bool has_error_code(u32 vector) { return vector == DF_ || (vector >= TS_ && vector <= PF_) || vector == AC_; }

// RFLAGS.RF is set in the image pushed for a fault, so that returning does not meet the same execute breakpoint.
static bool restarts(u32 vector) {
  return vector != DB_ && vector != BP_ && vector != OF_ && vector != DF_ && vector != MC_;
}

typedef struct {
  u32 vector;
  bool software; // INT n: the gate's DPL counts, and errors do not carry the EXT bit
  bool pushes_error;
  u32 error;
  u64 rip;       // what is pushed
  bool set_rf;
} Entry;

// Goes through the gate, or raises and changes nothing.
static bool enter_gate(const Entry *entry) {
  u64 low, high, rsp = cpu.r[RSP];
  u32 external = entry->software ? 0 : 1, error = entry->vector * 8 + 2 + external;
  if (entry->vector * 16 + 15 > cpu.idt.limit) return protection(error);
  if (!sys_read(cpu.idt.base + entry->vector * 16, 8, &low)) return false;
  if (!sys_read(cpu.idt.base + entry->vector * 16 + 8, 8, &high)) return false;
  u32 type = (u32)(low >> 40) & 0x1F, gate_dpl = (u32)(low >> 45) & 3, stack = (u32)(low >> 32) & 7;
  if (type != 14 && type != 15) return protection(error);
  if (entry->software && gate_dpl < cpu.cpl) return protection(error);
  if (!(low >> 47 & 1)) {
    raise(NP_, error);
    return false;
  }
  u64 target = (low & 0xFFFF) | ((low >> 32) & 0xFFFF0000) | (high << 32);

  u32 selector = (u32)(low >> 16) & 0xFFFF, code_error = (selector & 0xFFFC) | external;
  u64 descriptor;
  if (!(selector & ~3u)) return protection(external);
  if (!descriptor_read(selector, &descriptor, GP_)) {
    fault.error |= fault.vector == GP_ ? external : 0;
    return false;
  }
  Segment code = descriptor_segment(selector, descriptor);
  u32 dpl = ATTR_DPL(code.attr);
  if (!(code.attr & ATTR_S) || !(code.attr & ATTR_CODE) || !(code.attr & ATTR_L) || dpl > cpu.cpl)
    return protection(code_error);
  if (!(code.attr & ATTR_P)) {
    raise(NP_, code_error);
    return false;
  }
  u32 cpl = code.attr & ATTR_CONFORMING ? cpu.cpl : dpl;
  bool inward = cpl < cpu.cpl;
  if (stack || inward) { // TSS: RSP0..2 at 4, IST1..7 at 36
    u32 at = stack ? 36 + 8 * (stack - 1) : 4 + 8 * cpl;
    if (at + 7 > cpu.task.limit) {
      raise(TS_, (cpu.task.selector & 0xFFFCu) | external);
      return false;
    }
    if (!sys_read(cpu.task.base + at, 8, &rsp)) return false;
    if (!canonical(rsp)) {
      raise(SS_, external);
      return false;
    }
  }
  rsp &= ~15ull;

  u64 image = cpu.flags | (entry->set_rf ? RF : 0);
  u64 frame[6] = {entry->error, entry->rip, cpu.seg[CS].selector, image, cpu.r[RSP], cpu.seg[SS].selector};
  u32 first = entry->pushes_error ? 0 : 1;
  u32 saved = cpu.access;
  cpu.access = cpl == 3 ? TAG_USER : TAG_SUPERVISOR;
  for (u32 i = 6; i-- > first;) {
    rsp -= 8;
    if (!mem_write(rsp, 8, frame[i])) {
      if (fault.vector == GP_) fault = (Fault){true, SS_, external};
      cpu.access = saved;
      return false;
    }
  }
  if (inward) {
    cpu.seg[SS] = (Segment){0};
    cpu.seg[SS].selector = (u16)cpl;
    cpu.seg[SS].attr = (u16)(cpl << 5);
  }
  code.selector = (u16)((selector & ~3u) | cpl);
  code.base = 0;
  cpu.seg[CS] = code;
  set_cpl(cpl);
  cpu.r[RSP] = rsp;
  cpu.rip = target;
  cpu.flags &= ~(u64)(TF | NT | RF | VM | (type == 14 ? IF : 0));
  return true;
}

static bool contributory(u32 vector) { return vector == DE_ || (vector >= TS_ && vector <= GP_); }

// Delivers an entry; a fault on the way is delivered instead, or becomes a double and at last a triple fault.
static void deliver(Entry entry, bool is_exception) {
  u64 rip = cpu.rip;
  cpu.halted = 0;
  cpu.shadow = 0;
  for (;;) {
    fault.raised = false;
    if (enter_gate(&entry)) break;
    u32 first = is_exception ? entry.vector : ~0u, second = fault.vector;
    if (first == DF_) { // triple fault: the processor shuts down, which resets the machine
      stop(STOP_RESET);
      break;
    }
    bool twice = (contributory(first) && contributory(second)) ||
                 (first == PF_ && (second == PF_ || contributory(second)));
    entry = (Entry){twice ? DF_ : second, false, true, twice ? 0 : fault.error, rip, false};
    entry.set_rf = restarts(entry.vector);
    entry.pushes_error = has_error_code(entry.vector);
    is_exception = true;
  }
  fault.raised = false;
  attend();
}

void deliver_fault(void) {
  cpu.debug_pending = 0; // the instruction will be done again
  u32 vector = fault.vector;
  deliver((Entry){vector, false, has_error_code(vector), fault.error, cpu.rip, restarts(vector)}, true);
}

void external_interrupt(u32 vector) { deliver((Entry){vector, false, false, 0, cpu.rip, false}, false); }

// A failing INT n is a fault of the instruction itself; the run loop delivers what was raised.
bool software_interrupt(u32 vector, bool privileged_check) {
  Entry entry = {vector, privileged_check, false, 0, insn.next, false};
  if (!enter_gate(&entry)) return false;
  insn.next = cpu.rip;
  cpu.debug_pending &= ~(u32)DR6_BS;
  insn.late_tf = 1; // entering cleared TF
  attend();
  return true;
}

// ---- debug registers --------------------------------------------------------------------------------------

static u32 debug_type(u32 i) { return (u32)(cpu.dr[7] >> (16 + 4 * i)) & 3; }
static bool debug_enabled(u32 i) { return (cpu.dr[7] >> (2 * i)) & 3; }
static u32 debug_length(u32 i) {
  static const u8 lengths[] = {1, 2, 8, 4};
  return lengths[(cpu.dr[7] >> (18 + 4 * i)) & 3];
}

bool code_breakpoint(void) {
  u32 hits = 0;
  for (u32 i = 0; i < 4; i++)
    if (debug_enabled(i) && debug_type(i) == 0 && cpu.dr[i] == cpu.rip) hits |= 1u << i;
  if (!hits) return false;
  cpu.debug_pending |= hits;
  return true;
}

static bool is_data(u32 i) { return debug_enabled(i) && (debug_type(i) & 1); } // 1: writes, 3: reads and writes

bool watched_page(u64 page) {
  for (u32 i = 0; i < 4; i++)
    if (is_data(i) && ((cpu.dr[i] ^ page) & ~PAGE_MASK) == 0) return true;
  return false;
}

void watch_access(u64 address, u32 size, bool write) {
  if (LIKELY(!(cpu.dr[7] & 0xFF))) return;
  for (u32 i = 0; i < 4; i++) {
    if (!is_data(i) || (!write && debug_type(i) == 1)) continue;
    u32 length = debug_length(i);
    u64 start = cpu.dr[i] & ~(u64)(length - 1);
    if (address < start + length && start < address + size) {
      cpu.debug_pending |= 1u << i;
      cpu.attention = 1;
    }
  }
}

void debug_trap(void) {
  cpu.dr[6] = (cpu.dr[6] & ~0xFull) | cpu.debug_pending;
  cpu.dr[7] &= ~(u64)DR7_GD;
  cpu.debug_pending = 0;
  deliver((Entry){DB_, false, false, 0, cpu.rip, false}, true);
}

void attend(void) {
  bool code = false;
  if (cpu.dr[7] & 0xFF)
    for (u32 i = 0; i < 4; i++) code |= debug_enabled(i) && debug_type(i) == 0;
  cpu.attention = (cpu.flags & (TF | RF)) || code || cpu.halted || cpu.shadow || cpu.debug_pending ||
                  ((cpu.flags & IF) && pic_waiting());
}
