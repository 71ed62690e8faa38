// Shifts and rotates. The count is taken modulo 32 (64 for 64-bit operands); with a count of zero neither operand
// nor flags change. Flags that the manuals leave undefined are set as the commonest emulators do.
#include "operand.h"

enum { ROL, ROR, RCL, RCR, SHL, SHR, SAL, SAR };

static u64 top_bit(u64 value, u32 size) { return (value >> (8 * size - 1)) & 1; }

// Rotates change CF and OF only.
static u64 rotate(u32 operation, u64 a, u32 count, u32 size) {
  u32 bits = 8 * size, n = count % bits;
  if (operation == ROR) n = (bits - n) % bits;
  u64 r = n ? ((a << n) | (a >> (bits - n))) & size_mask(size) : a;
  u64 carry = operation == ROL ? r & 1 : top_bit(r, size);
  u64 overflow = operation == ROL ? top_bit(r, size) ^ carry : carry ^ top_bit(r << 1, size);
  flags_put(CF | OF, carry | overflow * OF);
  return r;
}

// Through the carry: a rotation of bits + 1 bits, done one by one.
static u64 rotate_carry(u32 operation, u64 a, u32 count, u32 size) {
  u32 n = count % (8 * size + 1);
  u64 r = a, carry = cpu.flags & CF;
  if (n == 0) return a;
  for (; n; n--) {
    if (operation == RCL) {
      u64 out = top_bit(r, size);
      r = ((r << 1) | carry) & size_mask(size);
      carry = out;
    } else {
      u64 out = r & 1;
      r = (r >> 1) | (carry << (8 * size - 1));
      carry = out;
    }
  }
  flags_put(CF | OF, carry | top_bit(a ^ r, size) * OF);
  return r;
}

static u64 shift(u32 operation, u64 a, u32 count, u32 size) {
  u64 before, r, carry; // `before`: the operand shifted by one less
  if (operation == SHR) {
    before = a >> (count - 1);
    r = before >> 1;
    carry = before & 1;
  } else if (operation == SAR) {
    i64 s = sign_extended(a, size) >> (count - 1);
    before = (u64)s;
    r = (u64)(s >> 1);
    carry = before & 1;
  } else {
    before = a << (count - 1);
    r = before << 1;
    carry = top_bit(before, size);
  }
  r &= size_mask(size);
  flags_put(ARITHMETIC, carry | result_flags(r, size) | top_bit(before ^ r, size) * OF);
  return r;
}

static void group2(u32 count) {
  u32 operation = insn.reg & 7;
  u64 a;
  count &= insn.size == 8 ? 63 : 31;
  if (!rm_modify(&a)) return;
  if (count == 0) {
    rm_set(a); // a 32-bit register still loses its upper half
    return;
  }
  if (operation <= ROR) rm_set(rotate(operation, a, count, insn.size));
  else if (operation <= RCR) rm_set(rotate_carry(operation, a, count, insn.size));
  else rm_set(shift(operation, a, count, insn.size));
}

void op_shift_imm(void) { group2((u32)insn.imm & 0xFF); }
void op_shift_one(void) { group2(1); }
void op_shift_cl(void) { group2((u32)cpu.r[RCX] & 0xFF); }

// SHLD, SHRD: bits come in from the register. For 16-bit operands and counts above 16 the operand follows itself
// (A:B:A), as on Intel processors.
static void double_shift(u32 count, bool right) {
  u64 a, b = reg_get(insn.reg, insn.size), before, r;
  u32 bits = 8 * insn.size;
  count &= insn.size == 8 ? 63 : 31;
  if (!rm_modify(&a)) return;
  if (count == 0) {
    rm_set(a);
    return;
  }
  if (insn.size == 2) {
    u64 line = (a << 32) | (b << 16) | a;
    before = right ? line >> (count - 1) : (line << (count - 1)) >> 32;
    r = right ? before >> 1 : (line << count) >> 32;
  } else if (right) {
    before = a >> (count - 1);
    if (count > 1 && bits < 64) before |= b << (bits - count + 1); // matters to OF only, which is undefined then
    r = (a >> count) | (b << (bits - count));
  } else {
    before = (a << (count - 1)) | (count > 1 ? b >> (bits - count + 1) : 0);
    r = (a << count) | (b >> (bits - count));
  }
  r &= size_mask(insn.size);
  u64 carry = right ? before & 1 : top_bit(before, insn.size);
  u64 flags = carry | result_flags(r, insn.size) | top_bit(before ^ r, insn.size) * OF;
  if (rm_set(r)) flags_put(ARITHMETIC, flags);
}

void op_shld_imm(void) { double_shift((u32)insn.imm & 0xFF, false); }
void op_shld_cl(void) { double_shift((u32)cpu.r[RCX] & 0xFF, false); }
void op_shrd_imm(void) { double_shift((u32)insn.imm & 0xFF, true); }
void op_shrd_cl(void) { double_shift((u32)cpu.r[RCX] & 0xFF, true); }
