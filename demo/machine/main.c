// Boot, the run loop, and the functions the host calls.
#include "decode.h"
#include "mmu.h"

#define EXPORT(name) __attribute__((export_name(#name)))

Cpu cpu;
Machine machine;

void stop(u32 reason) {
  machine.stop |= reason;
  machine.chunk -= machine.left; // end the chunk; `chunk - left` stays what was executed
  machine.left = 0;
}

// Machine time follows the host's clock, but a pause of the host (or of this machine) counts as little.
void clock_update(void) {
  static double last;
  const double longest = 100e6;
  double now = host_nanoseconds(), passed = now - last;
  last = now;
  if (passed > 0) machine.time += (u64)(passed < longest ? passed : longest);
}

// ---- running ----------------------------------------------------------------------------------------------

static inline void execute_one(void) {
  Execute execute = decode();
  if (LIKELY(execute != 0)) execute();
  if (UNLIKELY(fault.raised)) deliver_fault();
  else cpu.rip = insn.next;
}

// One instruction when something may have to happen around it; false when the processor sleeps.
// The order is that of the SDM, volume 3, table 6-2: traps, interrupts, execute breakpoints, the instruction.
static bool execute_carefully(void) {
  u32 shadow = cpu.shadow;
  if (cpu.debug_pending && !(shadow & SHADOW_SS)) {
    debug_trap();
    return true;
  }
  if ((cpu.flags & IF) && !shadow && pic_waiting()) {
    external_interrupt(pic_acknowledge());
    return true;
  }
  if (cpu.halted) {
    stop(STOP_HALT);
    return false;
  }
  if (!(cpu.flags & RF) && !(shadow & SHADOW_SS) && code_breakpoint()) {
    debug_trap();
    return true;
  }
  u64 step = cpu.flags & TF;
  cpu.shadow = 0;
  Execute execute = decode();
  if (execute) execute();
  if (fault.raised) {
    deliver_fault();
    return true;
  }
  cpu.rip = insn.next;
  if (!insn.keep_rf) cpu.flags &= ~(u64)RF;
  if (insn.late_tf) step = cpu.flags & TF;
  if (step && !(cpu.shadow & SHADOW_SS)) cpu.debug_pending |= DR6_BS;
  attend();
  return true;
}

// Runs about `budget` instructions, or until there is a reason to stop; returns the STOP_* bits (0: budget used up).
EXPORT(run) u32 run(u32 budget) {
  enum { CHUNK = 2000 }; // the clock is looked at this often
  machine.stop = 0;
  while (budget && !machine.stop) {
    clock_update();
    pit_advance();
    machine.left = machine.chunk = (i32)(budget < CHUNK ? budget : CHUNK);
    while (machine.left > 0) {
      machine.left--;
      if (UNLIKELY(cpu.attention)) {
        if (!execute_carefully()) break;
      } else {
        execute_one();
      }
    }
    u32 done = (u32)(machine.chunk - machine.left);
    machine.instructions += done;
    machine.chunk = machine.left = 0;
    budget -= done < budget ? done : budget;
  }
  return machine.stop;
}

// Nanoseconds until the next timer interrupt, -1 when none will come. For a processor that sleeps.
EXPORT(idle_time) double idle_time(void) {
  clock_update();
  if (!(cpu.flags & IF)) return -1;
  u64 next = pit_next();
  return next == ~0ull ? -1 : (double)next;
}

// ---- power and boot ---------------------------------------------------------------------------------------

#define IMAGE_BASE 0x100000ull
#define BOOT_RECORD (IMAGE_BASE + 0x40)
#define PAGE_WASM 65536u

// Allocates RAM (rounded up to 64 KB); returns its address in this module's memory, 0 when there is not enough.
EXPORT(create) u8 *create(u32 bytes) {
  u32 pages = (bytes + PAGE_WASM - 1) / PAGE_WASM;
  u32 before = (u32)__builtin_wasm_memory_grow(0, pages + 1); // one more: the decoder may look a little too far
  if (machine.ram || before == ~0u) return 0;
  machine.ram = (u8 *)(before * PAGE_WASM);
  machine.ram_size = (u64)pages * PAGE_WASM;
  return machine.ram;
}

// Clears RAM and all devices. The host then copies the image to IMAGE_BASE and calls boot().
EXPORT(reset) void reset(void) {
  __builtin_memset(machine.ram, 0, machine.ram_size);
  cpu = (Cpu){0};
  fault = (Fault){0};
  machine.stop = 0;
  machine.time = 0;
  tlb_flush();
  pic_reset();
  pit_reset();
  uart_reset();
  ports_reset();
}

// The boot record at offset 40 (hex) of the image: what the processor's state is when the kernel starts.
enum {
  MAGIC, START_CR3, START_RIP, START_RSP, GDT_BASE, GDT_LIMIT, LOADER_BLOCK, IMAGE_END, START_CR0, START_CR4,
  START_EFER,
};
static u64 record(u32 field) { return phys_read(BOOT_RECORD + 8 * field, 8); }

// False when there is no boot record.
EXPORT(boot) bool boot(void) {
  if (record(MAGIC) != 0x31474D494F4D4544ull) return false; // "DEMOIMG1"
  cpu.cr0 = record(START_CR0) | CR0_PE | CR0_PG | CR0_ET;
  cpu.cr3 = record(START_CR3);
  cpu.cr4 = record(START_CR4) | CR4_PAE;
  cpu.efer = (record(START_EFER) & (EFER_SCE | EFER_NXE)) | EFER_LME | EFER_LMA;
  cpu.rip = record(START_RIP);
  cpu.r[RSP] = record(START_RSP);
  cpu.r[RCX] = record(LOADER_BLOCK);
  cpu.gdt = (Table){record(GDT_BASE), record(GDT_LIMIT)};
  cpu.flags = 2;
  cpu.dr[6] = 0xFFFF0FF0;
  cpu.dr[7] = 0x400;
  cpu.mxcsr = 0x1F80;
  cpu.fpu_control = 0x37F;
  cpu.pat = 0x0007040600070406ull;
  cpu.apic_base = 0xFEE00900;
  for (u32 i = 0; i < 6; i++) {
    u16 attr = i == CS ? 0xA09B : 0xC093;
    cpu.seg[i] = (Segment){0, 0xFFFFFFFF, attr, i == CS ? 0x10 : i == FS || i == GS ? 0 : 0x18};
  }
  cpu.ldt = (Segment){0, 0xFFFF, 0x82, 0}; // these three as after power-on
  cpu.task = (Segment){0, 0xFFFF, 0x8B, 0};
  cpu.idt = (Table){0, 0xFFFF};
  set_cpl(0);
  attend();
  return true;
}

// The processor's state, laid out as in machine.h; for tests.
EXPORT(cpu_state) Cpu *cpu_state(void) { return &cpu; }
EXPORT(executed) double executed(void) { return (double)instruction_count(); }
