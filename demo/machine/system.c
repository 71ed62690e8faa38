// System instructions: control and debug registers, MSRs, CPUID, descriptor tables, port I/O, HLT.
#include "operand.h"

static bool privileged(void) { return cpu.cpl == 0 || protection(0); }

// ---- control and debug registers --------------------------------------------------------------------------

#define CR0_WRITABLE (CR0_PE | CR0_MP | CR0_EM | CR0_TS | 0x20 | CR0_WP | 0x40000 | 0x60000000 | CR0_PG)
#define CR0_NW (1ull << 29)
#define CR0_CD (1ull << 30)
#define CR4_SUPPORTED 0x7FFull // VME .. OSXMMEXCPT
#define PHYSICAL_LIMIT (1ull << 40)

static bool write_cr0(u64 value) {
  bool leaves = (value & (CR0_PE | CR0_PG)) != (CR0_PE | CR0_PG); // long mode is all there is
  if (leaves || (value >> 32) || ((value & CR0_NW) && !(value & CR0_CD))) return protection(0);
  cpu.cr0 = (value & CR0_WRITABLE) | CR0_ET;
  tlb_flush();
  return true;
}

static bool write_control(u32 index, u64 value) {
  switch (index) {
  case 0: return write_cr0(value);
  case 2: cpu.cr2 = value; return true;
  case 3:
    if (value >= PHYSICAL_LIMIT) return protection(0);
    cpu.cr3 = value;
    tlb_flush();
    return true;
  case 4:
    if ((value & ~CR4_SUPPORTED) || !(value & CR4_PAE)) return protection(0);
    cpu.cr4 = value;
    tlb_flush();
    return true;
  case 8:
    if (value & ~15ull) return protection(0);
    cpu.cr8 = value;
    return true;
  default: return undefined();
  }
}

void op_mov_reg_cr(void) {
  u64 value;
  if (!privileged()) return;
  switch (insn.reg) {
  case 0: value = cpu.cr0; break;
  case 2: value = cpu.cr2; break;
  case 3: value = cpu.cr3; break;
  case 4: value = cpu.cr4; break;
  case 8: value = cpu.cr8; break;
  default: undefined(); return;
  }
  cpu.r[insn.rm] = value;
}

void op_mov_cr_reg(void) {
  if (privileged()) write_control(insn.reg, cpu.r[insn.rm]);
}

// DR4 and DR5 are DR6 and DR7 unless CR4.DE is set.
static bool debug_index(u32 *index) {
  if (!privileged()) return false;
  if (insn.reg > 7 || ((cpu.cr4 & CR4_DE) && (insn.reg == 4 || insn.reg == 5))) return undefined();
  *index = insn.reg == 4 || insn.reg == 5 ? insn.reg + 2 : insn.reg;
  return true;
}

void op_mov_reg_dr(void) {
  u32 index;
  if (debug_index(&index)) cpu.r[insn.rm] = cpu.dr[index];
}

void op_mov_dr_reg(void) {
  u32 index;
  if (!debug_index(&index)) return;
  u64 value = cpu.r[insn.rm];
  if (index >= 6 && value >> 32) {
    protection(0);
    return;
  }
  if (index == 6) value = (value & 0xE00F) | 0xFFFF0FF0;
  if (index == 7) value = (value & 0xFFFF23FF) | 0x400;
  cpu.dr[index] = value;
  tlb_flush(); // which pages are watched may have changed
  attend();
}

void op_clts(void) {
  if (privileged()) cpu.cr0 &= ~CR0_TS;
}

// ---- model-specific registers -----------------------------------------------------------------------------

// MSRs that are plain 64-bit storage; `address` ones take canonical values only.
typedef struct {
  u32 number;
  bool address;
  u64 *value;
} Msr;
static const Msr msrs[] = {
    {0x0000001B, false, &cpu.apic_base},     {0x00000277, false, &cpu.pat},
    {0xC0000081, false, &cpu.star},          {0xC0000082, true, &cpu.lstar},
    {0xC0000083, true, &cpu.cstar},          {0xC0000084, false, &cpu.fmask},
    {0xC0000100, true, &cpu.seg[FS].base},   {0xC0000101, true, &cpu.seg[GS].base},
    {0xC0000102, true, &cpu.kernel_gs_base}, {0xC0000103, false, &cpu.tsc_aux},
};
enum { MSR_TSC = 0x10, MSR_EFER = 0xC0000080 };

static u64 time_stamp(void) { // one tick per nanosecond of machine time
  clock_update();
  return machine.time + cpu.tsc_offset;
}

static bool read_msr(u32 number, u64 *value) {
  if (number == MSR_TSC) *value = time_stamp();
  else if (number == MSR_EFER) *value = cpu.efer;
  else {
    for (u32 i = 0; i < sizeof msrs / sizeof *msrs; i++) {
      if (msrs[i].number != number) continue;
      *value = *msrs[i].value;
      return true;
    }
    return protection(0);
  }
  return true;
}

static bool write_efer(u64 value) {
  u64 fixed = EFER_LME | EFER_LMA, known = EFER_SCE | EFER_NXE | fixed;
  if ((value & ~known) || (value & EFER_LME) != (cpu.efer & EFER_LME)) return protection(0);
  cpu.efer = (value & ~fixed) | (cpu.efer & fixed);
  tlb_flush();
  return true;
}

static bool write_msr(u32 number, u64 value) {
  if (number == MSR_EFER) return write_efer(value);
  if (number == MSR_TSC) {
    cpu.tsc_offset = value - (time_stamp() - cpu.tsc_offset);
    return true;
  }
  for (u32 i = 0; i < sizeof msrs / sizeof *msrs; i++) {
    if (msrs[i].number != number) continue;
    if (msrs[i].address && !canonical(value)) return protection(0);
    *msrs[i].value = value;
    return true;
  }
  return protection(0);
}

static void set_edx_eax(u64 value) {
  cpu.r[RAX] = (u32)value;
  cpu.r[RDX] = value >> 32;
}

void op_rdmsr(void) {
  u64 value;
  if (privileged() && read_msr((u32)cpu.r[RCX], &value)) set_edx_eax(value);
}

void op_wrmsr(void) {
  if (privileged()) write_msr((u32)cpu.r[RCX], (cpu.r[RDX] << 32) | (u32)cpu.r[RAX]);
}

static bool tsc_allowed(void) { return !(cpu.cr4 & CR4_TSD) || privileged(); }

void op_rdtsc(void) {
  if (tsc_allowed()) set_edx_eax(time_stamp());
}

void op_rdpmc(void) { protection(0); } // there are no counters

// Leaf, EAX, EBX, ECX, EDX. Family, model and vendor are those of QEMU's default processor, so that a kernel sees
// the same one in both; the features are what this machine has: no APIC, no x87, no SSE arithmetic.
static const u32 leaves[][5] = {
    {0x00000000, 1, 0x68747541, 0x444D4163, 0x69746E65},          // "AuthenticAMD"
    {0x00000001, 0x00060FB1, 0x00010800, 1u << 13, 0x0101A17C},  // CX16; DE PSE TSC MSR PAE CX8 PGE CMOV PAT FXSR
    {0x80000000, 0x80000008, 0x68747541, 0x444D4163, 0x69746E65},
    {0x80000001, 0x00060FB1, 0, 1, 0x2C100800},                  // LAHF; SYSCALL NX 1GB RDTSCP LM
    {0x80000002, 0x6F6D6544, 0x63616D20, 0x656E6968, 0x75706320}, // "Demo machine cpu"
    {0x80000003, 0, 0, 0, 0},
    {0x80000004, 0, 0, 0, 0},
    {0x80000008, 0x00003028, 0, 0, 0},                           // 40 physical, 48 linear address bits
};

void op_cpuid(void) {
  static const u32 none[5];
  const u32 *found = none;
  for (u32 i = 0; i < sizeof leaves / sizeof *leaves; i++)
    if (leaves[i][0] == (u32)cpu.r[RAX]) found = leaves[i];
  cpu.r[RAX] = found[1];
  cpu.r[RBX] = found[2];
  cpu.r[RCX] = found[3];
  cpu.r[RDX] = found[4];
}

// ---- descriptor tables ------------------------------------------------------------------------------------

static void load_table(Table *table) {
  u64 limit, base;
  if (!privileged() || !load(2, &limit) || !mem_read(insn.address + 2, 8, &base)) return;
  if (canonical(base)) *table = (Table){base, limit};
  else protection(0);
}

static void store_table(const Table *table) {
  if (store(2, table->limit)) mem_write(insn.address + 2, 8, table->base);
}

static void store_selector(u32 selector) {
  if (insn.mod == 3) reg_set(insn.rm, insn.size, selector);
  else store(2, selector);
}

// LAR, LSL, VERR, VERW look at a descriptor without faulting: false when it is not visible.
static bool visible(u32 selector, u64 *low) {
  Table table = selector & 4 ? (Table){cpu.ldt.base, cpu.ldt.attr & ATTR_P ? cpu.ldt.limit : 0} : cpu.gdt;
  *low = 0;
  if (!(selector & ~3u) || (selector & 0xFFF8) + 7 > table.limit) return false;
  if (!sys_read(table.base + (selector & 0xFFF8), 8, low)) return false;
  u32 attr = (u32)(*low >> 40), dpl = ATTR_DPL(attr);
  bool conforming = (attr & (ATTR_S | ATTR_CODE | ATTR_CONFORMING)) == (ATTR_S | ATTR_CODE | ATTR_CONFORMING);
  return conforming || (dpl >= cpu.cpl && dpl >= (selector & 3));
}

static void verify(bool write) {
  u64 selector, low;
  if (!rm_get_sized(2, &selector)) return;
  bool seen = visible((u32)selector, &low);
  if (fault.raised) return;
  u32 attr = (u32)(low >> 40);
  bool code = attr & ATTR_CODE, right = attr & ATTR_WRITE; // readable for code, writable for data
  bool good = seen && (attr & ATTR_S) && (write ? !code && right : !code || right);
  flags_put(ZF, good ? ZF : 0);
}

static void look_up(bool limit) {
  u64 selector, low;
  if (!rm_get_sized(2, &selector)) return;
  bool seen = visible((u32)selector, &low);
  if (fault.raised) return;
  u32 attr = (u32)(low >> 40), type = attr & 15;
  bool system_type = type == 2 || type == 9 || type == 11 || (type == 12 && !limit);
  bool good = seen && ((attr & ATTR_S) || system_type);
  flags_put(ZF, good ? ZF : 0);
  if (good) reg_set(insn.reg, insn.size, limit ? descriptor_segment(0, low).limit : (low >> 32) & 0x00F0FF00);
}
void op_lar(void) { look_up(false); }
void op_lsl(void) { look_up(true); }

// 0F 00.
void op_group6(void) {
  u64 selector;
  u32 operation = insn.reg & 7;
  switch (operation) {
  case 0: store_selector(cpu.ldt.selector); break;
  case 1: store_selector(cpu.task.selector); break;
  case 2:
  case 3:
    if (privileged() && rm_get_sized(2, &selector))
      load_system_segment((u32)selector, operation == 3, operation == 3 ? &cpu.task : &cpu.ldt);
    break;
  case 4: verify(false); break;
  case 5: verify(true); break;
  default: undefined();
  }
}

static void swapgs(void) {
  if (!privileged()) return;
  u64 base = cpu.seg[GS].base;
  cpu.seg[GS].base = cpu.kernel_gs_base;
  cpu.kernel_gs_base = base;
}

static void rdtscp(void) {
  if (!tsc_allowed()) return;
  set_edx_eax(time_stamp());
  cpu.r[RCX] = (u32)cpu.tsc_aux;
}

// 0F 01.
void op_group7(void) {
  u32 operation = insn.reg & 7;
  u64 value;
  bool memory = insn.mod != 3;
  if (operation == 4) {
    if (memory) store(2, cpu.cr0);
    else reg_set(insn.rm, insn.size, cpu.cr0);
  } else if (operation == 6) { // LMSW cannot clear PE
    if (privileged() && rm_get_sized(2, &value)) write_cr0((cpu.cr0 & ~14ull) | (value & 15) | CR0_PE);
  } else if (memory) {
    switch (operation) {
    case 0: store_table(&cpu.gdt); break;
    case 1: store_table(&cpu.idt); break;
    case 2: load_table(&cpu.gdt); break;
    case 3: load_table(&cpu.idt); break;
    case 7:
      if (privileged()) tlb_flush();
      break;
    default: undefined();
    }
  } else if (operation == 7 && (insn.rm & 7) == 0) {
    swapgs();
  } else if (operation == 7 && (insn.rm & 7) == 1) {
    rdtscp();
  } else {
    undefined();
  }
}

// LSS, LFS, LGS.
void op_load_far(void) {
  u64 offset, selector;
  u32 index = insn.opcode == 0xB2 ? SS : insn.opcode == 0xB4 ? FS : GS;
  if (insn.mod == 3) {
    undefined();
    return;
  }
  if (!load(insn.size, &offset) || !mem_read(insn.address + insn.size, 2, &selector)) return;
  if (load_data_segment(index, (u32)selector)) reg_set(insn.reg, insn.size, offset);
}

// ---- ports, cache, halt -----------------------------------------------------------------------------------

static void input(u32 port) {
  u32 size = insn.size == 8 ? 4 : insn.size;
  if (io_allowed(port, size)) reg_set(RAX, size, port_read(port, size));
}
static void output(u32 port) {
  u32 size = insn.size == 8 ? 4 : insn.size;
  if (io_allowed(port, size)) port_write(port, size, (u32)reg_get(RAX, size));
}
void op_in_imm(void) { input((u32)insn.imm & 0xFF); }
void op_in_dx(void) { input((u32)cpu.r[RDX] & 0xFFFF); }
void op_out_imm(void) { output((u32)insn.imm & 0xFF); }
void op_out_dx(void) { output((u32)cpu.r[RDX] & 0xFFFF); }

void op_cache(void) { privileged(); } // INVD, WBINVD: there is no cache

void op_hlt(void) {
  if (!privileged()) return;
  cpu.halted = 1;
  stop(STOP_HALT);
  attend();
}
