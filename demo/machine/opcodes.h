// The functions that execute instructions. Each looks at `insn` and changes `cpu`, or raises and changes nothing.
#pragma once

void op_alu_acc_imm(void), op_alu_reg_rm(void), op_alu_rm_reg(void), op_bit_imm(void), op_bit_reg(void);
void op_bsf(void), op_bsr(void), op_bswap(void), op_cache(void), op_call(void), op_clc(void), op_cld(void);
void op_cli(void), op_clts(void), op_cmc(void), op_cmov(void), op_cmps(void), op_cmpxchg(void);
void op_convert_acc(void), op_cpuid(void), op_enter(void), op_fwait(void), op_group1(void), op_group15(void);
void op_group3(void), op_group4(void), op_group5(void), op_group6(void), op_group7(void), op_group9(void);
void op_hlt(void), op_imul_reg_rm(void), op_imul_reg_rm_imm(void), op_in_dx(void), op_in_imm(void), op_ins(void);
void op_int(void), op_int1(void), op_int3(void), op_iret(void), op_jcc(void), op_jmp(void), op_lahf(void);
void op_lar(void), op_lea(void), op_leave(void), op_load_far(void), op_lods(void), op_loop(void), op_lsl(void);
void op_mov_acc_moffs(void), op_mov_cr_reg(void), op_mov_dr_reg(void), op_mov_moffs_acc(void);
void op_mov_reg_cr(void), op_mov_reg_dr(void), op_mov_reg_imm(void), op_mov_reg_rm(void), op_mov_rm_imm(void);
void op_mov_rm_reg(void), op_mov_rm_sreg(void), op_mov_sreg_rm(void), op_movnti(void), op_movs(void);
void op_movsx16(void), op_movsx8(void), op_movsxd(void), op_movzx16(void), op_movzx8(void), op_nop(void);
void op_nop_memory(void), op_out_dx(void), op_out_imm(void), op_outs(void), op_pop_fs(void), op_pop_gs(void);
void op_pop_reg(void), op_pop_rm(void), op_popcnt(void), op_popf(void), op_push_fs(void), op_push_gs(void);
void op_push_imm(void), op_push_reg(void), op_pushf(void), op_rdmsr(void), op_rdpmc(void), op_rdtsc(void), op_ret(void);
void op_retf(void), op_sahf(void), op_scas(void), op_setcc(void), op_shift_cl(void), op_shift_imm(void);
void op_shift_one(void), op_shld_cl(void), op_shld_imm(void), op_shrd_cl(void), op_shrd_imm(void);
void op_sign_to_dx(void), op_sse_mov_aligned(void), op_sse_mov_general(void), op_sse_mov_integer(void);
void op_sse_mov_stream(void), op_sse_mov_unaligned(void), op_sse_xor(void), op_stc(void), op_std(void);
void op_sti(void), op_stos(void), op_syscall(void), op_sysret(void), op_test_acc_imm(void), op_test_rm_reg(void);
void op_ud(void), op_wrmsr(void), op_x87(void), op_xadd(void), op_xchg_acc(void), op_xchg_rm_reg(void);
void op_xlat(void);
