// The parts of SSE and x87 that kernel code needs without calculating: moves between XMM registers and memory, XOR,
// FXSAVE and FXRSTOR, the control words. Any other x87 or SSE instruction is #UD.
#include "operand.h"

typedef struct { u64 low, high; } Vector;

static bool sse_enabled(void) {
  if ((cpu.cr0 & CR0_EM) || !(cpu.cr4 & CR4_OSFXSR)) return undefined();
  if (!(cpu.cr0 & CR0_TS)) return true;
  raise(NM_, 0);
  return false;
}

static bool aligned16(void) { return !(insn.address & 15) || protection(0); }

// The mandatory prefix: 0 none, 1 is 66, 2 is F3, 3 is F2 (which win over 66).
static u32 prefix(void) { return insn.rep == 0xF3 ? 2 : insn.rep == 0xF2 ? 3 : insn.data16; }

// Loads `bytes` (4, 8, 16); from memory the rest becomes zero.
static bool vector_load(u32 bytes, bool aligned, Vector *v) {
  if (insn.mod == 3) {
    *v = (Vector){cpu.xmm[insn.rm][0], cpu.xmm[insn.rm][1]};
    return true;
  }
  *v = (Vector){0, 0};
  if (aligned && !aligned16()) return false;
  if (bytes < 16) return load(bytes, &v->low);
  return load(8, &v->low) && mem_read(insn.address + 8, 8, &v->high);
}

static void vector_set(u32 index, Vector v) {
  cpu.xmm[index][0] = v.low;
  cpu.xmm[index][1] = v.high;
}

// Moves whole registers, or the low `bytes` of them: between registers those leave the rest of the target alone.
static void move_load(u32 bytes, bool aligned) {
  Vector v;
  if (!vector_load(bytes, aligned, &v)) return;
  if (insn.mod == 3 && bytes < 16) {
    v.high = cpu.xmm[insn.reg][1];
    if (bytes == 4) v.low = (cpu.xmm[insn.reg][0] & ~0xFFFFFFFFull) | (u32)v.low;
  }
  vector_set(insn.reg, v);
}

static void move_store(u32 bytes, bool aligned) {
  u64 *from = cpu.xmm[insn.reg], *to = cpu.xmm[insn.rm];
  if (insn.mod == 3) {
    to[0] = bytes == 4 ? (to[0] & ~0xFFFFFFFFull) | (u32)from[0] : from[0];
    if (bytes == 16) to[1] = from[1];
  } else if (bytes < 16) {
    store(bytes, from[0]);
  } else if (!aligned || aligned16()) {
    if (mem_write_check(insn.address, 16) && store(8, from[0])) mem_write(insn.address + 8, 8, from[1]);
  }
}

// 10, 11: MOVUPS, MOVUPD, MOVSS, MOVSD.
void op_sse_mov_unaligned(void) {
  static const u8 bytes[] = {16, 16, 4, 8};
  if (!sse_enabled()) return;
  if (insn.opcode & 1) move_store(bytes[prefix()], false);
  else move_load(bytes[prefix()], false);
}

// 28, 29: MOVAPS, MOVAPD.
void op_sse_mov_aligned(void) {
  if (prefix() > 1) undefined();
  else if (!sse_enabled()) return;
  else if (insn.opcode & 1) move_store(16, true);
  else move_load(16, true);
}

// 6F, 7F: MOVDQA (66), MOVDQU (F3). Without a prefix they are MMX, which this machine does not have.
void op_sse_mov_integer(void) {
  u32 p = prefix();
  if (p != 1 && p != 2) undefined();
  else if (!sse_enabled()) return;
  else if (insn.opcode == 0x7F) move_store(16, p == 1);
  else move_load(16, p == 1);
}

// 2B, E7: MOVNTPS, MOVNTPD, MOVNTDQ.
void op_sse_mov_stream(void) {
  if (insn.mod == 3 || prefix() > 1 || (insn.opcode == 0xE7 && prefix() != 1)) undefined();
  else if (sse_enabled()) move_store(16, true);
}

// 57 XORPS, XORPD; EF PXOR.
void op_sse_xor(void) {
  Vector v;
  if (prefix() > 1 || (insn.opcode == 0xEF && prefix() != 1)) undefined();
  else if (sse_enabled() && vector_load(16, true, &v))
    vector_set(insn.reg, (Vector){cpu.xmm[insn.reg][0] ^ v.low, cpu.xmm[insn.reg][1] ^ v.high});
}

// 6E: MOVD, MOVQ xmm, r/m.  7E: the reverse (66), or MOVQ xmm, xmm/m64 (F3).  D6: MOVQ xmm/m64, xmm.
void op_sse_mov_general(void) {
  u32 p = prefix(), size = insn.rex & 8 ? 8 : 4;
  u64 value;
  Vector v;
  if (p != 1 && !(p == 2 && insn.opcode == 0x7E)) {
    undefined();
  } else if (!sse_enabled()) {
    return;
  } else if (insn.opcode == 0x6E) {
    if (rm_get_sized(size, &value)) vector_set(insn.reg, (Vector){value, 0});
  } else if (p == 2) {
    if (vector_load(8, false, &v)) vector_set(insn.reg, (Vector){v.low, 0});
  } else if (insn.opcode == 0x7E) {
    rm_set_sized(size, cpu.xmm[insn.reg][0]);
  } else if (insn.mod == 3) {
    vector_set(insn.rm, (Vector){cpu.xmm[insn.reg][0], 0});
  } else {
    store(8, cpu.xmm[insn.reg][0]);
  }
}

// C3: MOVNTI.
void op_movnti(void) {
  if (insn.mod == 3) undefined();
  else store(insn.rex & 8 ? 8 : 4, cpu.r[insn.reg]);
}

// ---- state ------------------------------------------------------------------------------------------------

static bool fpu_enabled(void) {
  if (!(cpu.cr0 & (CR0_EM | CR0_TS))) return true;
  raise(NM_, 0);
  return false;
}

#define MXCSR_MASK 0xFFFFu

// The FXSAVE area (Intel SDM volume 1, 10.5.1): control and status at 0, MXCSR at 24, its mask at 28, x87 registers at
// 32, XMM registers at 160.
static void fxsave(void) {
  if (!fpu_enabled() || !aligned16()) return;
  if (!mem_write_check(insn.address, 8) || !mem_write_check(insn.address + 504, 8)) return;
  u64 a = insn.address;
  mem_write(a, 8, cpu.fpu_control | (u64)cpu.fpu_status << 16);
  mem_write(a + 8, 8, 0);
  mem_write(a + 16, 8, 0);
  mem_write(a + 24, 8, cpu.mxcsr | (u64)MXCSR_MASK << 32);
  for (u32 i = 0; i < 16; i++) mem_write(a + 32 + 8 * i, 8, cpu.x87[i / 2][i & 1]);
  for (u32 i = 0; i < 32; i++) mem_write(a + 160 + 8 * i, 8, cpu.xmm[i / 2][i & 1]);
}

static void fxrstor(void) {
  u64 a = insn.address, control, mxcsr, probe;
  if (!fpu_enabled() || !aligned16()) return;
  if (!mem_read(a, 8, &control) || !mem_read(a + 24, 8, &mxcsr) || !mem_read(a + 504, 8, &probe)) return;
  if ((u32)mxcsr & ~MXCSR_MASK) {
    protection(0);
    return;
  }
  cpu.fpu_control = (u16)control;
  cpu.fpu_status = (u16)(control >> 16);
  cpu.mxcsr = (u32)mxcsr;
  for (u32 i = 0; i < 16; i++) mem_read(a + 32 + 8 * i, 8, &cpu.x87[i / 2][i & 1]);
  for (u32 i = 0; i < 32; i++) mem_read(a + 160 + 8 * i, 8, &cpu.xmm[i / 2][i & 1]);
}

// 0F AE.
void op_group15(void) {
  u32 operation = insn.reg & 7;
  u64 value;
  if (insn.mod == 3) {
    if (operation < 5 || insn.rep) undefined(); // LFENCE, MFENCE, SFENCE
    return;
  }
  switch (operation) {
  case 0: fxsave(); break;
  case 1: fxrstor(); break;
  case 2:
    if (!sse_enabled() || !load(4, &value)) return;
    if (value & ~(u64)MXCSR_MASK) protection(0);
    else cpu.mxcsr = (u32)value;
    break;
  case 3:
    if (sse_enabled()) store(4, cpu.mxcsr);
    break;
  case 7: load(1, &value); break; // CLFLUSH
  default: undefined();
  }
}

void op_fwait(void) {
  if ((cpu.cr0 & CR0_TS) && (cpu.cr0 & CR0_MP)) raise(NM_, 0);
}

// D8..DF: FNINIT, FNCLEX, FNSTSW AX, FLDCW, FNSTCW, FNSTSW.
void op_x87(void) {
  u32 operation = insn.reg & 7, low = insn.rm & 7;
  u64 value;
  if (!fpu_enabled()) return;
  if (insn.mod == 3) {
    if (insn.opcode == 0xDB && operation == 4 && low == 3) {
      cpu.fpu_control = 0x37F;
      cpu.fpu_status = 0;
    } else if (insn.opcode == 0xDB && operation == 4 && low == 2) {
      cpu.fpu_status &= 0x7F00;
    } else if (insn.opcode == 0xDF && operation == 4 && low == 0) {
      reg_set(RAX, 2, cpu.fpu_status);
    } else {
      undefined();
    }
  } else if (insn.opcode == 0xD9 && operation == 5) {
    if (load(2, &value)) cpu.fpu_control = (u16)value;
  } else if (insn.opcode == 0xD9 && operation == 7) {
    store(2, cpu.fpu_control);
  } else if (insn.opcode == 0xDD && operation == 7) {
    store(2, cpu.fpu_status);
  } else {
    undefined();
  }
}
