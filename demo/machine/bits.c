// Single bits: BT, BTS, BTR, BTC, BSF, BSR, POPCNT.
#include "operand.h"

enum { BT, BTS, BTR, BTC };

static void bit_operation(u32 operation, u32 bit) {
  u64 a;
  if (!(operation == BT ? rm_get(&a) : rm_modify(&a))) return;
  u64 mask = 1ull << bit;
  u64 result = operation == BTS ? a | mask : operation == BTR ? a & ~mask : a ^ mask;
  if (operation == BT || rm_set(result)) flags_put(CF, a & mask ? CF : 0);
}

// With a register as bit number and a memory operand, the number reaches beyond the operand, both ways.
void op_bit_reg(void) {
  u32 bits = 8 * insn.size;
  u64 number = reg_get(insn.reg, insn.size);
  if (insn.mod != 3) {
    i64 element = sign_extended(number, insn.size) >> (insn.size == 8 ? 6 : insn.size == 4 ? 5 : 4);
    insn.offset += (u64)element * insn.size;
    if (insn.address32) insn.offset = (u32)insn.offset;
    insn.address = insn.offset + insn.segment;
  }
  u32 operation = (insn.opcode >> 3) & 3; // A3, AB, B3, BB
  if (operation == BT && insn.lock) undefined();
  else bit_operation(operation, (u32)number & (bits - 1));
}

// 0F BA.
void op_bit_imm(void) {
  u32 operation = insn.reg & 7;
  if (operation < 4 || (operation == 4 && insn.lock)) undefined();
  else bit_operation(operation - 4, (u32)insn.imm & (8 * insn.size - 1));
}

// A zero operand leaves the destination as it is (but a 32-bit one still loses its upper half).
static void bit_scan(bool reverse) {
  u64 a;
  if (!rm_get(&a)) return;
  flags_put(ARITHMETIC, result_flags(a, insn.size));
  u64 found = reg_get(insn.reg, insn.size);
  if (a) found = reverse ? 63u - (u32)__builtin_clzll(a) : (u32)__builtin_ctzll(a);
  reg_set(insn.reg, insn.size, found);
}
void op_bsf(void) { bit_scan(false); }
void op_bsr(void) { bit_scan(true); }

void op_popcnt(void) {
  u64 a;
  if (insn.rep != 0xF3) {
    undefined();
    return;
  }
  if (!rm_get(&a)) return;
  flags_put(ARITHMETIC, a ? 0 : ZF);
  reg_set(insn.reg, insn.size, (u64)__builtin_popcountll(a));
}
