// Control flow: jumps, calls, returns (near and far), loops, INT, IRET, SYSCALL, SYSRET.
#include "alu.h"

// A branch to a non-canonical address faults on the branch, not on its target.
static bool branch(u64 target) {
  if (UNLIKELY(!canonical(target))) return protection(0);
  insn.next = target;
  return true;
}

void op_jcc(void) {
  if (condition(insn.opcode & 15)) branch(insn.next + insn.imm);
}

void op_jmp(void) { branch(insn.next + insn.imm); }

static void call_to(u64 target) {
  if (UNLIKELY(!canonical(target))) protection(0);
  else if (push(8, insn.next)) insn.next = target;
}

void op_call(void) { call_to(insn.next + insn.imm); }

void op_ret(void) {
  u64 target;
  if (!stack_read(cpu.r[RSP], 8, &target) || !branch(target)) return;
  cpu.r[RSP] += 8 + (insn.opcode == 0xC2 ? insn.imm : 0);
}

// E0 LOOPNE, E1 LOOPE, E2 LOOP, E3 JRCXZ; the address size says how wide the counter is.
void op_loop(void) {
  u32 size = insn.address32 ? 4 : 8;
  u64 count = reg_get(RCX, size);
  bool taken;
  if (insn.opcode == 0xE3) {
    taken = count == 0;
  } else {
    count = (count - 1) & size_mask(size);
    taken = count != 0;
    if (insn.opcode == 0xE0) taken = taken && !(cpu.flags & ZF);
    if (insn.opcode == 0xE1) taken = taken && (cpu.flags & ZF);
  }
  if (taken && !branch(insn.next + insn.imm)) return;
  if (insn.opcode != 0xE3) reg_set(RCX, size, count);
}

// ---- far transfers. Call gates and task switches do not exist here: such a selector is #GP. ---------------

static void far_branch(bool call) {
  u64 offset, selector;
  u32 size = insn.size;
  Segment code;
  if (insn.mod == 3) {
    undefined();
    return;
  }
  if (!load(size, &offset)) return;
  if (!mem_read(insn.address + size, 2, &selector)) return;
  if (!code_segment_check((u32)selector, cpu.cpl, false, &code)) return;
  if (!canonical(offset)) {
    protection(0);
    return;
  }
  if (call) {
    u64 top = cpu.r[RSP];
    if (!mem_write_check(top - 2 * size, size) || !mem_write_check(top - size, size)) {
      stack_fault();
      return;
    }
    push(size, cpu.seg[CS].selector);
    push(size, insn.next);
  }
  code.selector = (u16)((code.selector & ~3) | cpu.cpl);
  cpu.seg[CS] = code;
  insn.next = offset;
}

// FE, FF.
void op_group4(void) {
  u32 operation = insn.reg & 7;
  if (operation == 0) inc_rm();
  else if (operation == 1) dec_rm();
  else undefined();
}

void op_group5(void) {
  u32 operation = insn.reg & 7;
  u64 target;
  if (insn.lock && operation > 1) {
    undefined();
    return;
  }
  switch (operation) {
  case 0: inc_rm(); break;
  case 1: dec_rm(); break;
  case 2:
    if (rm_get_sized(8, &target)) call_to(target);
    break;
  case 3: far_branch(true); break;
  case 4:
    if (rm_get_sized(8, &target)) branch(target);
    break;
  case 5: far_branch(false); break;
  case 6:
    if (!(insn.rex & 8) && !insn.data16) insn.size = 8;
    push_rm();
    break;
  default: undefined();
  }
}

// Selectors of data segments that the outer level must not keep.
static void drop_segments(void) {
  static const u8 indexes[] = {ES, DS, FS, GS};
  for (u32 i = 0; i < 4; i++) {
    Segment *s = &cpu.seg[indexes[i]];
    bool conforming_code = (s->attr & ATTR_CODE) && (s->attr & ATTR_CONFORMING);
    if ((s->selector & ~3) && !conforming_code && ATTR_DPL(s->attr) < cpu.cpl) *s = (Segment){0};
  }
}

// The common part of IRET and far RET: CS:RIP, and RSP and SS when `stack` is set or the privilege changes.
// `at` is where RIP was read; RSP and SS lie at `outer`.
static bool far_return(u64 rip, u32 cs, u64 outer, bool stack, u64 flat_rsp) {
  u32 rpl = cs & 3, size = insn.size;
  u64 rsp = flat_rsp, ss = 0, low;
  Segment code, data = {0};
  if (!(cs & ~3u)) return protection(0);
  if (!descriptor_read(cs, &low, GP_)) return false;
  if (rpl < cpu.cpl) return protection(cs & ~3u);
  if (!code_segment_check(cs, rpl, true, &code)) return false;
  bool load_stack = stack || rpl != cpu.cpl;
  if (load_stack) {
    if (!stack_read(outer, size, &rsp) || !stack_read(outer + size, size, &ss)) return false;
    u32 selector = (u32)ss & 0xFFFF;
    if (!(selector & ~3u)) {
      if (rpl == 3) return protection(0);
      data.selector = (u16)selector;
      data.attr = (u16)(rpl << 5);
    } else {
      if ((selector & 3) != rpl) return protection(selector & ~3u);
      if (!descriptor_read(selector, &low, GP_)) return false;
      data = descriptor_segment(selector, low);
      if (!(data.attr & ATTR_S) || (data.attr & ATTR_CODE) || !(data.attr & ATTR_WRITE) || ATTR_DPL(data.attr) != rpl)
        return protection(selector & ~3u);
      if (!(data.attr & ATTR_P)) {
        raise(SS_, selector & ~3u);
        return false;
      }
    }
  }
  if (!canonical(rip)) return protection(0);
  bool outward = rpl != cpu.cpl;
  cpu.seg[CS] = code;
  if (load_stack) cpu.seg[SS] = data;
  cpu.r[RSP] = rsp;
  set_cpl(rpl);
  if (outward) drop_segments();
  insn.next = rip;
  return true;
}

// CA, CB.
void op_retf(void) {
  u64 rip, cs, top = cpu.r[RSP], extra = insn.opcode == 0xCA ? insn.imm : 0;
  u32 size = insn.size;
  if (!stack_read(top, size, &rip) || !stack_read(top + size, size, &cs)) return;
  bool outward = (cs & 3) > cpu.cpl;
  u64 after = top + 2 * size + extra;
  if (far_return(rip, (u32)cs & 0xFFFF, after, false, after) && outward) cpu.r[RSP] += extra;
}

// CF. In 64-bit mode IRET always pops five values.
void op_iret(void) {
  u64 rip, cs, flags, top = cpu.r[RSP];
  u32 size = insn.size, cpl = cpu.cpl;
  if (cpu.flags & NT) {
    protection(0);
    return;
  }
  if (!stack_read(top, size, &rip) || !stack_read(top + size, size, &cs) || !stack_read(top + 2 * size, size, &flags))
    return;
  u64 change = ARITHMETIC | TF | DF | NT | RF | AC | ID;
  if (cpl == 0) change |= IOPL;
  if (cpl <= ((cpu.flags & IOPL) >> 12)) change |= IF;
  if (size == 2) change &= 0xFFFF;
  if (!far_return(rip, (u32)cs & 0xFFFF, top + 3 * size, true, 0)) return;
  flags_put(change, flags);
  insn.keep_rf = 1;
  attend();
}

void op_int3(void) { software_interrupt(BP_, true); }
void op_int(void) { software_interrupt((u32)insn.imm & 0xFF, true); }
void op_int1(void) { software_interrupt(DB_, false); }
void op_ud(void) { undefined(); }

// ---- fast system calls ------------------------------------------------------------------------------------

static Segment flat(u32 selector, u16 attr, u32 dpl) {
  return (Segment){0, 0xFFFFFFFF, (u16)(attr | ATTR_S | ATTR_P | dpl << 5 | ATTR_G | 0x0F00), (u16)selector};
}

void op_syscall(void) {
  if (!(cpu.efer & EFER_SCE)) {
    undefined();
    return;
  }
  u32 selector = (u32)(cpu.star >> 32) & 0xFFFC;
  cpu.r[RCX] = insn.next;
  cpu.r[11] = cpu.flags & ~(u64)RF;
  cpu.flags = (cpu.flags & ~cpu.fmask & ~(u64)RF) | 2;
  cpu.seg[CS] = flat(selector, ATTR_CODE | ATTR_WRITE | ATTR_ACCESSED | ATTR_L, 0);
  cpu.seg[SS] = flat(selector + 8, ATTR_WRITE | ATTR_ACCESSED | 0x4000, 0);
  set_cpl(0);
  insn.next = cpu.lstar;
  insn.late_tf = 1;
  attend();
}

// Only the return to 64-bit code; there is no compatibility mode here.
void op_sysret(void) {
  if (!(cpu.efer & EFER_SCE)) {
    undefined();
    return;
  }
  if (cpu.cpl || !canonical(cpu.r[RCX])) {
    protection(0);
    return;
  }
  if (!(insn.rex & 8)) {
    undefined();
    return;
  }
  u32 selector = (u32)(cpu.star >> 48);
  cpu.seg[CS] = flat((selector + 16) | 3, ATTR_CODE | ATTR_WRITE | ATTR_ACCESSED | ATTR_L, 3);
  cpu.seg[SS] = flat((selector + 8) | 3, ATTR_WRITE | ATTR_ACCESSED | 0x4000, 3);
  flags_put(ARITHMETIC | TF | IF | DF | IOPL | NT | AC | ID, cpu.r[11]);
  set_cpl(3);
  insn.next = cpu.r[RCX];
  insn.late_tf = 1;
  if (cpu.flags & TF) cpu.debug_pending |= DR6_BS; // as if the SYSCALL had just been stepped over
  attend();
}
