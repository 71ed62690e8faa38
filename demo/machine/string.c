// String instructions. Each iteration is complete in itself: when one faults, or when the run loop has something
// to look at (single step, a data breakpoint, an interrupt), RIP stays and the rest is done when it comes back.
#include "alu.h"

typedef bool (*Iteration)(u32 size);

static u32 address_size(void) { return insn.address32 ? 4 : 8; }

static u64 source(void) {
  u64 offset = insn.address32 ? (u32)cpu.r[RSI] : cpu.r[RSI];
  return offset + insn.segment;
}
static u64 destination(void) { return insn.address32 ? (u32)cpu.r[RDI] : cpu.r[RDI]; }

static void advance(u32 index, u32 size) {
  u64 step = cpu.flags & DF ? 0 - (u64)size : size;
  reg_set(index, address_size(), cpu.r[index] + step);
}

static bool movs(u32 size) {
  u64 value;
  if (!mem_read(source(), size, &value) || !mem_write(destination(), size, value)) return false;
  advance(RSI, size);
  advance(RDI, size);
  return true;
}

static bool stos(u32 size) {
  if (!mem_write(destination(), size, reg_get(RAX, size))) return false;
  advance(RDI, size);
  return true;
}

static bool lods(u32 size) {
  u64 value;
  if (!mem_read(source(), size, &value)) return false;
  reg_set(RAX, size, value);
  advance(RSI, size);
  return true;
}

static bool cmps(u32 size) {
  u64 a, b;
  if (!mem_read(destination(), size, &b) || !mem_read(source(), size, &a)) return false;
  alu(CMP, a, b, size);
  advance(RSI, size);
  advance(RDI, size);
  return true;
}

static bool scas(u32 size) {
  u64 b;
  if (!mem_read(destination(), size, &b)) return false;
  alu(CMP, reg_get(RAX, size), b, size);
  advance(RDI, size);
  return true;
}

static bool ins(u32 size) {
  if (!mem_write_check(destination(), size)) return false; // before the device loses its data
  u32 port = (u32)cpu.r[RDX] & 0xFFFF;
  if (!mem_write(destination(), size, port_read(port, size))) return false;
  advance(RDI, size);
  return true;
}

static bool outs(u32 size) {
  u64 value;
  if (!mem_read(source(), size, &value)) return false;
  port_write((u32)cpu.r[RDX] & 0xFFFF, size, (u32)value);
  advance(RSI, size);
  return true;
}

// `compares`: F3 repeats while equal, F2 while not equal.
static void repeat(Iteration iteration, bool compares) {
  if (!insn.rep) {
    iteration(insn.size);
    return;
  }
  u32 width = address_size();
  u64 count = reg_get(RCX, width);
  while (count) {
    if (!iteration(insn.size)) return;
    reg_set(RCX, width, --count);
    if (compares && !(cpu.flags & ZF) == (insn.rep == 0xF3)) return;
    if (count && (cpu.attention || machine.stop || --machine.left <= 0)) {
      insn.next = cpu.rip;
      insn.keep_rf = 1;
      return;
    }
  }
}

void op_movs(void) { repeat(movs, false); }
void op_stos(void) { repeat(stos, false); }
void op_lods(void) { repeat(lods, false); }
void op_cmps(void) { repeat(cmps, true); }
void op_scas(void) { repeat(scas, true); }

// The widest port access is 32 bits.
static bool port_string(void) {
  if (insn.size == 8) insn.size = 4;
  return io_allowed((u32)cpu.r[RDX] & 0xFFFF, insn.size);
}
void op_ins(void) {
  if (port_string()) repeat(ins, false);
}
void op_outs(void) {
  if (port_string()) repeat(outs, false);
}
