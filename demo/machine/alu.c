// Arithmetic and logic. Flags are computed from operands and result by bit formulas: for an addition, the carry
// out of each bit is (a & b) | ((a | b) & ~result); for a subtraction the borrow is (~a & b) | ((~a | b) & result).
#include "alu.h"

static u64 add(u64 a, u64 b, u64 carry, u32 size) {
  u64 r = (a + b + carry) & size_mask(size);
  u64 carries = (a & b) | ((a | b) & ~r);
  u32 top = 8 * size - 1;
  flags_put(ARITHMETIC, ((carries >> top) & CF) | ((a ^ b ^ r) & AF) | result_flags(r, size) |
                            ((((a ^ r) & (b ^ r)) >> top) & 1) * OF);
  return r;
}

static u64 subtract(u64 a, u64 b, u64 borrow, u32 size) {
  u64 r = (a - b - borrow) & size_mask(size);
  u64 borrows = (~a & b) | ((~a | b) & r);
  u32 top = 8 * size - 1;
  flags_put(ARITHMETIC, ((borrows >> top) & CF) | ((a ^ b ^ r) & AF) | result_flags(r, size) |
                            ((((a ^ b) & (a ^ r)) >> top) & 1) * OF);
  return r;
}

static u64 logic(u64 r, u32 size) {
  flags_put(ARITHMETIC, result_flags(r, size));
  return r;
}

u64 alu(u32 operation, u64 a, u64 b, u32 size) {
  switch (operation) {
  case ADD: return add(a, b, 0, size);
  case OR: return logic(a | b, size);
  case ADC: return add(a, b, cpu.flags & CF, size);
  case SBB: return subtract(a, b, cpu.flags & CF, size);
  case AND: return logic(a & b, size);
  case XOR: return logic(a ^ b, size);
  default: return subtract(a, b, 0, size); // SUB, CMP
  }
}

// 00..3F: the operation is in bits 3..5 of the opcode, the operands' direction in bits 0..2.
void op_alu_rm_reg(void) {
  u32 operation = (insn.opcode >> 3) & 7;
  u64 a, b = reg_get(insn.reg, insn.size);
  if (operation == CMP) {
    if (rm_get(&a)) alu(CMP, a, b, insn.size);
    return;
  }
  if (!rm_modify(&a)) return;
  u64 result = alu(operation, a, b, insn.size);
  rm_set(result);
}

void op_alu_reg_rm(void) {
  u32 operation = (insn.opcode >> 3) & 7;
  u64 b;
  if (!rm_get(&b)) return;
  u64 result = alu(operation, reg_get(insn.reg, insn.size), b, insn.size);
  if (operation != CMP) reg_set(insn.reg, insn.size, result);
}

void op_alu_acc_imm(void) {
  u32 operation = (insn.opcode >> 3) & 7;
  u64 result = alu(operation, reg_get(RAX, insn.size), insn.imm & size_mask(insn.size), insn.size);
  if (operation != CMP) reg_set(RAX, insn.size, result);
}

// 80, 81, 83: the operation is in ModRM.reg.
void op_group1(void) {
  u32 operation = insn.reg & 7;
  u64 a, b = insn.imm & size_mask(insn.size);
  if (operation == CMP) {
    if (insn.lock) undefined();
    else if (rm_get(&a)) alu(CMP, a, b, insn.size);
    return;
  }
  if (!rm_modify(&a)) return;
  u64 result = alu(operation, a, b, insn.size);
  rm_set(result);
}

void op_test_rm_reg(void) {
  u64 a;
  if (rm_get(&a)) logic(a & reg_get(insn.reg, insn.size), insn.size);
}

void op_test_acc_imm(void) { logic(reg_get(RAX, insn.size) & insn.imm, insn.size); }

// INC and DEC leave CF alone.
static void step_by_one(u32 operation) {
  u64 a, carry = cpu.flags & CF;
  if (!rm_modify(&a)) return;
  u64 result = alu(operation, a, 1, insn.size);
  flags_put(CF, carry);
  rm_set(result);
}
void inc_rm(void) { step_by_one(ADD); }
void dec_rm(void) { step_by_one(SUB); }

// ---- multiplication and division: 64 x 64 -> 128 bits and back --------------------------------------------

typedef struct { u64 low, high; } Wide;

static Wide multiply(u64 a, u64 b) {
  u64 al = (u32)a, ah = a >> 32, bl = (u32)b, bh = b >> 32;
  u64 low = al * bl, middle = ah * bl + (low >> 32), other = al * bh + (u32)middle;
  return (Wide){(other << 32) | (u32)low, ah * bh + (middle >> 32) + (other >> 32)};
}

static Wide negate(Wide v) { return (Wide){0 - v.low, ~v.high + (v.low == 0)}; }

static Wide multiply_signed(u64 a, u64 b) {
  Wide v = multiply(a, b);
  if ((i64)a < 0) v.high -= b;
  if ((i64)b < 0) v.high -= a;
  return v;
}

// Bit by bit; false when the quotient does not fit 64 bits (which includes division by zero).
static bool divide(Wide n, u64 d, u64 *quotient, u64 *remainder) {
  if (n.high >= d) return false;
  if (n.high == 0) {
    *quotient = n.low / d;
    *remainder = n.low % d;
    return true;
  }
  u64 rest = n.high, q = 0;
  for (i32 bit = 63; bit >= 0; bit--) {
    bool carry = rest >> 63;
    rest = (rest << 1) | ((n.low >> bit) & 1);
    if (carry || rest >= d) {
      rest -= d;
      q |= 1ull << bit;
    }
  }
  *quotient = q;
  *remainder = rest;
  return true;
}

// The double-width accumulator: AX for bytes, else (R/E)DX:(R/E)AX.
static Wide accumulator(u32 size, bool is_signed) {
  u64 high = cpu.r[RDX], low = cpu.r[RAX];
  if (size == 8) return (Wide){low, high};
  u64 value = size == 1 ? low & 0xFFFF : ((high & size_mask(size)) << (8 * size)) | (low & size_mask(size));
  if (!is_signed) return (Wide){value, 0};
  u64 extended = (u64)sign_extended(value, 2 * size);
  return (Wide){extended, (i64)extended < 0 ? ~0ull : 0};
}

static void set_double(u32 size, u64 low, u64 high) {
  if (size == 1) {
    reg_set(RAX, 2, (low & 0xFF) | (high << 8));
  } else {
    reg_set(RAX, size, low);
    reg_set(RDX, size, high);
  }
}

// CF = OF = the upper half matters. The other flags are undefined; here as after a test of the lower half.
static void multiply_flags(u64 low, bool overflow, u32 size) {
  flags_put(ARITHMETIC, result_flags(low & size_mask(size), size) | (overflow ? CF | OF : 0));
}

static void mul_acc(u64 b, bool is_signed) {
  u32 size = insn.size;
  u64 a = reg_get(RAX, size), low, high;
  bool overflow;
  if (size == 8) {
    Wide v = is_signed ? multiply_signed(a, b) : multiply(a, b);
    low = v.low;
    high = v.high;
    overflow = high != (is_signed && (i64)low < 0 ? ~0ull : 0);
  } else {
    low = is_signed ? (u64)(sign_extended(a, size) * sign_extended(b, size)) : a * b;
    high = low >> (8 * size);
    overflow = is_signed ? (i64)low != sign_extended(low, size) : high != 0;
  }
  set_double(size, low, high);
  multiply_flags(low, overflow, size);
}

static u64 imul_two(u64 a, u64 b, u32 size) {
  u64 low;
  bool overflow;
  if (size == 8) {
    Wide v = multiply_signed(a, b);
    low = v.low;
    overflow = v.high != ((i64)low < 0 ? ~0ull : 0);
  } else {
    low = (u64)(sign_extended(a, size) * sign_extended(b, size));
    overflow = (i64)low != sign_extended(low, size);
  }
  multiply_flags(low, overflow, size);
  return low;
}

static void div_acc(u64 divisor) {
  u64 q, r;
  if (!divide(accumulator(insn.size, false), divisor, &q, &r) || q > size_mask(insn.size)) {
    raise(DE_, 0);
    return;
  }
  set_double(insn.size, q, r);
}

static void idiv_acc(u64 divisor) {
  u32 size = insn.size;
  Wide n = accumulator(size, true);
  i64 d = sign_extended(divisor, size);
  bool n_negative = (i64)n.high < 0, q_negative = n_negative != (d < 0);
  u64 q, r;
  if (!divide(n_negative ? negate(n) : n, d < 0 ? 0 - (u64)d : (u64)d, &q, &r) ||
      q > sign_bit(size) - (q_negative ? 0 : 1)) { // the most negative quotient has no positive twin
    raise(DE_, 0);
    return;
  }
  set_double(size, q_negative ? 0 - q : q, n_negative ? 0 - r : r);
}

// F6, F7.
void op_group3(void) {
  u64 a;
  u32 operation = insn.reg & 7;
  if (insn.lock && operation != 2 && operation != 3) {
    undefined();
    return;
  }
  if (operation == 2 || operation == 3) {
    if (!rm_modify(&a)) return;
    if (operation == 2) rm_set(~a);
    else rm_set(subtract(0, a, 0, insn.size));
    return;
  }
  if (!rm_get(&a)) return;
  switch (operation) {
  case 4: mul_acc(a, false); break;
  case 5: mul_acc(a, true); break;
  case 6: div_acc(a); break;
  case 7: idiv_acc(a); break;
  default: logic(a & insn.imm & size_mask(insn.size), insn.size); break; // TEST
  }
}

void op_imul_reg_rm(void) {
  u64 b;
  if (rm_get(&b)) reg_set(insn.reg, insn.size, imul_two(reg_get(insn.reg, insn.size), b, insn.size));
}

void op_imul_reg_rm_imm(void) {
  u64 b;
  if (rm_get(&b)) reg_set(insn.reg, insn.size, imul_two(b, insn.imm, insn.size));
}

// ---- read, compare, write ---------------------------------------------------------------------------------

void op_cmpxchg(void) {
  u64 current;
  if (!rm_modify(&current)) return;
  bool equal = reg_get(RAX, insn.size) == current;
  alu(CMP, reg_get(RAX, insn.size), current, insn.size);
  // Memory is written in either case; a register that does not take the new value is not touched at all.
  if (equal || insn.mod != 3) rm_set(equal ? reg_get(insn.reg, insn.size) : current);
  if (!equal) reg_set(RAX, insn.size, current);
}

void op_xadd(void) {
  u64 old;
  if (!rm_modify(&old)) return;
  u64 sum = add(old, reg_get(insn.reg, insn.size), 0, insn.size);
  reg_set(insn.reg, insn.size, old);
  rm_set(sum);
}

// 0F C7 /1: CMPXCHG8B, CMPXCHG16B.
void op_group9(void) {
  if ((insn.reg & 7) != 1 || insn.mod == 3) {
    undefined();
    return;
  }
  u32 half = insn.rex & 8 ? 8 : 4;
  u64 address = insn.address, low, high;
  if (half == 8 && (address & 15)) {
    protection(0);
    return;
  }
  if (!mem_write_check(address, half) || !mem_write_check(address + half, half)) return;
  if (!mem_read(address, half, &low) || !mem_read(address + half, half, &high)) return;
  bool equal = low == reg_get(RAX, half) && high == reg_get(RDX, half);
  mem_write(address, half, equal ? reg_get(RBX, half) : low);
  mem_write(address + half, half, equal ? reg_get(RCX, half) : high);
  flags_put(ZF, equal ? ZF : 0);
  if (!equal) {
    reg_set(RAX, half, low);
    reg_set(RDX, half, high);
  }
}
