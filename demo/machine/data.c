// Moving data: MOV in all forms, stack, exchange, conversion, conditional moves.
#include "operand.h"

bool condition(u32 code) {
  u64 f = cpu.flags;
  bool result;
  switch ((code >> 1) & 7) {
  case 0: result = f & OF; break;
  case 1: result = f & CF; break;
  case 2: result = f & ZF; break;
  case 3: result = f & (CF | ZF); break;
  case 4: result = f & SF; break;
  case 5: result = f & PF; break;
  case 6: result = !(f & SF) != !(f & OF); break;
  default: result = (f & ZF) || !(f & SF) != !(f & OF); break;
  }
  return result ^ (code & 1);
}

void op_mov_rm_reg(void) { rm_set(reg_get(insn.reg, insn.size)); }

void op_mov_reg_rm(void) {
  u64 value;
  if (rm_get(&value)) reg_set(insn.reg, insn.size, value);
}

// C6, C7: only /0 is MOV.
void op_mov_rm_imm(void) {
  if (insn.reg & 7) undefined();
  else rm_set(insn.imm & size_mask(insn.size));
}

void op_mov_reg_imm(void) {
  reg_set((insn.opcode & 7) | ((insn.rex & 1) << 3), insn.size, insn.imm);
}

void op_mov_acc_moffs(void) {
  u64 value;
  if (load(insn.size, &value)) reg_set(RAX, insn.size, value);
}
void op_mov_moffs_acc(void) { store(insn.size, reg_get(RAX, insn.size)); }

// 8C: a register receives the selector zero-extended, memory always 16 bits.
void op_mov_rm_sreg(void) {
  u32 index = insn.reg & 7; // REX.R is ignored
  if (index > GS) {
    undefined();
    return;
  }
  u64 selector = cpu.seg[index].selector;
  if (insn.mod == 3) reg_set(insn.rm, insn.size, selector);
  else store(2, selector);
}

void op_mov_sreg_rm(void) {
  u64 selector;
  u32 index = insn.reg & 7;
  if (index > GS || index == CS) undefined();
  else if (rm_get_sized(2, &selector)) load_data_segment(index, (u32)selector);
}

void op_lea(void) {
  if (insn.mod == 3) undefined();
  else reg_set(insn.reg, insn.size, insn.offset);
}

static void extend(u32 from, bool is_signed) {
  u64 value;
  if (!rm_get_sized(from, &value)) return;
  reg_set(insn.reg, insn.size, is_signed ? (u64)sign_extended(value, from) : value);
}

// The byte register of MOVZX/MOVSX r, r/m8 is AH..BH without REX as always.
void op_movzx8(void) { extend(1, false); }
void op_movzx16(void) { extend(2, false); }
void op_movsx8(void) { extend(1, true); }
void op_movsx16(void) { extend(2, true); }
void op_movsxd(void) { extend(insn.size == 2 ? 2 : 4, true); }

static u32 opcode_register(void) { return (insn.opcode & 7) | ((insn.rex & 1) << 3); }

void op_push_reg(void) { push(insn.size, reg_get(opcode_register(), insn.size)); }

void op_pop_reg(void) {
  u64 value;
  if (pop(insn.size, &value)) reg_set(opcode_register(), insn.size, value);
}

void op_push_imm(void) { push(insn.size, insn.imm); }

void push_rm(void) {
  u64 value;
  if (rm_get(&value)) push(insn.size, value);
}

// 8F /0. An address based on RSP uses RSP as it is after the pop.
void op_pop_rm(void) {
  u64 value, old = cpu.r[RSP];
  if (insn.reg & 7) {
    undefined();
    return;
  }
  if (!pop(insn.size, &value)) return;
  if (insn.mod != 3 && insn.on_stack & 2) insn.address += insn.size;
  if (!rm_set(value)) cpu.r[RSP] = old;
}

void op_push_fs(void) { push(insn.size, cpu.seg[FS].selector); }
void op_push_gs(void) { push(insn.size, cpu.seg[GS].selector); }

static void pop_segment(u32 index) {
  u64 value, old = cpu.r[RSP];
  if (pop(insn.size, &value) && !load_data_segment(index, (u32)value & 0xFFFF)) cpu.r[RSP] = old;
}
void op_pop_fs(void) { pop_segment(FS); }
void op_pop_gs(void) { pop_segment(GS); }

// ENTER size, level: `imm` holds both, the level in bits 16..20.
void op_enter(void) {
  u32 size = insn.size, bytes = (u32)insn.imm & 0xFFFF, level = (u32)(insn.imm >> 16) & 31;
  u64 frame = cpu.r[RSP] - size, bp = cpu.r[RBP], value;
  if (!mem_write(frame, size, bp)) {
    stack_fault();
    return;
  }
  for (u32 i = 1; i < level; i++) {
    if (!stack_read(bp - i * size, size, &value)) return;
    if (!mem_write(frame - i * size, size, value)) {
      stack_fault();
      return;
    }
  }
  u64 top = frame - (level > 1 ? (level - 1) * size : 0);
  if (level) {
    top -= size;
    if (!mem_write(top, size, frame)) {
      stack_fault();
      return;
    }
  }
  top -= bytes;
  if (!mem_write_check(top, size)) { // the new stack must be writable, as the SDM's pseudocode says
    stack_fault();
    return;
  }
  reg_set(RBP, size, frame);
  cpu.r[RSP] = top;
}

void op_leave(void) {
  u64 value;
  if (!stack_read(cpu.r[RBP], insn.size, &value)) return;
  cpu.r[RSP] = cpu.r[RBP] + insn.size;
  reg_set(RBP, insn.size, value);
}

void op_xchg_rm_reg(void) {
  u64 value;
  if (!rm_modify(&value)) return;
  u64 other = reg_get(insn.reg, insn.size);
  reg_set(insn.reg, insn.size, value);
  rm_set(other);
}

// 90: NOP, PAUSE, or with REX.B an exchange like 91..97.
void op_xchg_acc(void) {
  u32 index = opcode_register();
  if (index == RAX) return;
  u64 value = reg_get(index, insn.size);
  reg_set(index, insn.size, reg_get(RAX, insn.size));
  reg_set(RAX, insn.size, value);
}

void op_nop(void) {}

void op_nop_memory(void) {
  if (insn.mod == 3) undefined();
}

// 98: CBW, CWDE, CDQE.  99: CWD, CDQ, CQO.
void op_convert_acc(void) { reg_set(RAX, insn.size, (u64)sign_extended(cpu.r[RAX], insn.size / 2)); }
void op_sign_to_dx(void) { reg_set(RDX, insn.size, (u64)(sign_extended(cpu.r[RAX], insn.size) >> 63)); }

void op_cmov(void) {
  u64 value;
  if (!rm_get(&value)) return; // the load happens, and may fault, in either case
  reg_set(insn.reg, insn.size, condition(insn.opcode & 15) ? value : reg_get(insn.reg, insn.size));
}

void op_setcc(void) { rm_set(condition(insn.opcode & 15)); }

void op_bswap(void) {
  u32 index = opcode_register();
  if (insn.size == 8) cpu.r[index] = __builtin_bswap64(cpu.r[index]);
  else cpu.r[index] = __builtin_bswap32((u32)cpu.r[index]); // 16 bits: undefined, done as 32
}

void op_xlat(void) {
  u64 offset = cpu.r[RBX] + (cpu.r[RAX] & 0xFF), value;
  if (insn.address32) offset = (u32)offset;
  if (mem_read(offset + insn.segment, 1, &value)) reg_set(RAX, 1, value);
}

// ---- flags ------------------------------------------------------------------------------------------------

void op_lahf(void) {
  u64 ah = (cpu.flags & (SF | ZF | AF | PF | CF)) | 2;
  cpu.r[RAX] = (cpu.r[RAX] & ~0xFF00ull) | (ah << 8);
}
void op_sahf(void) { flags_put(SF | ZF | AF | PF | CF, cpu.r[RAX] >> 8); }
void op_cmc(void) { cpu.flags ^= CF; }
void op_clc(void) { flags_put(CF, 0); }
void op_stc(void) { flags_put(CF, CF); }
void op_cld(void) { flags_put(DF, 0); }
void op_std(void) { flags_put(DF, DF); }

void op_pushf(void) { push(insn.size, cpu.flags & ~(u64)(RF | VM)); }

void op_popf(void) {
  u64 value, change = ARITHMETIC | TF | DF | NT | AC | ID;
  if (!pop(insn.size, &value)) return;
  if (cpu.cpl == 0) change |= IOPL;
  if (cpu.cpl <= ((cpu.flags & IOPL) >> 12)) change |= IF;
  if (insn.size == 2) change &= 0xFFFF;
  flags_put(change | RF, value & change);
  attend();
}

// CLI and STI need CPL <= IOPL. The instruction after an STI that enables interrupts is protected from them.
static bool may_change_if(void) {
  return cpu.cpl <= ((cpu.flags & IOPL) >> 12) || protection(0);
}
void op_cli(void) {
  if (!may_change_if()) return;
  flags_put(IF, 0);
  attend();
}
void op_sti(void) {
  if (!may_change_if()) return;
  if (!(cpu.flags & IF)) cpu.shadow |= SHADOW_STI;
  flags_put(IF, IF);
  attend();
}
