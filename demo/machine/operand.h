// Operands: registers of all sizes, the ModRM operand (register or memory), and the stack.
#pragma once
#include "mmu.h"

static inline u64 size_mask(u32 size) { return ~0ull >> (64 - 8 * size); }
static inline u64 sign_bit(u32 size) { return 1ull << (8 * size - 1); }
static inline i64 sign_extended(u64 value, u32 size) {
  u32 shift = 64 - 8 * size;
  return (i64)(value << shift) >> shift;
}

// Without a REX prefix the byte registers 4..7 are AH, CH, DH, BH.
static inline bool high_byte(u32 index, u32 size) { return size == 1 && !insn.rex && index >= 4; }

static inline u64 reg_get(u32 index, u32 size) {
  if (high_byte(index, size)) return (cpu.r[index - 4] >> 8) & 0xFF;
  return cpu.r[index] & size_mask(size);
}

static inline void reg_set(u32 index, u32 size, u64 value) {
  switch (size) {
  case 8: cpu.r[index] = value; break;
  case 4: cpu.r[index] = (u32)value; break; // clears the upper half
  case 2: cpu.r[index] = (cpu.r[index] & ~0xFFFFull) | (value & 0xFFFF); break;
  default:
    if (high_byte(index, 1)) cpu.r[index - 4] = (cpu.r[index - 4] & ~0xFF00ull) | ((value & 0xFF) << 8);
    else cpu.r[index] = (cpu.r[index] & ~0xFFull) | (value & 0xFF);
  }
}

// A stack access outside the canonical range is #SS(0), any other one #GP(0).
static inline bool stack_fault(void) {
  if (fault.vector == GP_) fault.vector = SS_;
  return false;
}

static inline bool load(u32 size, u64 *value) {
  return LIKELY(mem_read(insn.address, size, value)) || (insn.on_stack & 1 && stack_fault());
}
static inline bool store(u32 size, u64 value) {
  return LIKELY(mem_write(insn.address, size, value)) || (insn.on_stack & 1 && stack_fault());
}

static inline bool rm_get_sized(u32 size, u64 *value) {
  if (insn.mod != 3) return load(size, value);
  *value = reg_get(insn.rm, size);
  return true;
}
static inline bool rm_set_sized(u32 size, u64 value) {
  if (insn.mod != 3) return store(size, value);
  reg_set(insn.rm, size, value);
  return true;
}
static inline bool rm_get(u64 *value) { return rm_get_sized(insn.size, value); }
static inline bool rm_set(u64 value) { return rm_set_sized(insn.size, value); }

// Reading an operand that will be written: a page fault says "write", as the processor asks for both at once.
static inline bool rm_modify(u64 *value) {
  if (insn.mod != 3) {
    TlbEntry *entry = tlb_slot(insn.address);
    if (UNLIKELY(!tlb_hit(entry, insn.address, insn.size, WRITE)) && !mem_write_check(insn.address, insn.size))
      return insn.on_stack & 1 && stack_fault();
  }
  return rm_get(value);
}

static inline bool stack_read(u64 address, u32 size, u64 *value) {
  return LIKELY(mem_read(address, size, value)) || stack_fault();
}
static inline bool push(u32 size, u64 value) {
  u64 top = cpu.r[RSP] - size;
  if (UNLIKELY(!mem_write(top, size, value))) return stack_fault();
  cpu.r[RSP] = top;
  return true;
}
static inline bool pop(u32 size, u64 *value) {
  if (UNLIKELY(!mem_read(cpu.r[RSP], size, value))) return stack_fault();
  cpu.r[RSP] += size;
  return true;
}

static inline void flags_put(u64 which, u64 value) { cpu.flags = (cpu.flags & ~which) | (value & which); }
bool condition(u32 code); // the 16 conditions of Jcc, SETcc, CMOVcc
void push_rm(void);       // PUSH r/m

// ZF, SF and PF of a result; `value` is already cut to `size`. PF looks at the low byte only.
static inline u64 result_flags(u64 value, u32 size) {
  u64 flags = value ? 0 : ZF;
  flags |= (value >> (8 * size - 8)) & SF;
  flags |= (__builtin_popcountll(value & 0xFF) & 1) ? 0 : PF;
  return flags;
}
