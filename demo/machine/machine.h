// The embedded x86-64 machine: one processor in long mode, RAM, and the few PC devices the demo kernel needs.
// This header is the map of the whole: the state of the processor, the instruction being executed, and what
// each file offers the others.
//
//   main.c       boot, the run loop, and the functions the host calls
//   decode.c     bytes -> `insn` (prefixes, ModRM, SIB, displacement, immediate)
//   opcodes.c    the two opcode maps: what follows each opcode byte, and which function executes it
//   alu.c shift.c bits.c data.c flow.c string.c sse.c system.c     the instructions, by theme
//   segment.c    descriptors and selectors        mmu.c      paging and the TLB
//   exception.c  exceptions, interrupts, #DB      uart.c pic.c pit.c ports.c     devices
//
// How an instruction fails: a function that meets a fault calls raise() and returns without changing any
// register. RIP moves on only when nothing was raised, so the instruction can be restarted.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef _Bool bool;
#define true 1
#define false 0
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// ---- registers --------------------------------------------------------------------------------------------

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { ES, CS, SS, DS, FS, GS };

enum { // RFLAGS
  CF = 1 << 0, PF = 1 << 2, AF = 1 << 4, ZF = 1 << 6, SF = 1 << 7, TF = 1 << 8, IF = 1 << 9, DF = 1 << 10,
  OF = 1 << 11, IOPL = 3 << 12, NT = 1 << 14, RF = 1 << 16, VM = 1 << 17, AC = 1 << 18, ID = 1 << 21,
  ARITHMETIC = CF | PF | AF | ZF | SF | OF,
};

#define CR0_PE (1ull << 0)
#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_ET (1ull << 4)
#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)
#define CR4_TSD (1ull << 2)
#define CR4_DE (1ull << 3)
#define CR4_PAE (1ull << 5)
#define CR4_OSFXSR (1ull << 9)
#define EFER_SCE (1ull << 0)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

#define DR6_BS (1u << 14)
#define DR7_GD (1u << 13)

// Descriptor attributes as in bits 40..55 of a descriptor: type, S, DPL, P, (limit 19:16), AVL, L, D, G.
enum {
  ATTR_ACCESSED = 1, ATTR_WRITE = 2, ATTR_CONFORMING = 4, ATTR_CODE = 8, ATTR_S = 0x10, ATTR_P = 0x80,
  ATTR_L = 0x2000, ATTR_G = 0x8000,
};
#define ATTR_DPL(attr) (((attr) >> 5) & 3)

typedef struct {
  u64 base;
  u32 limit;
  u16 attr;
  u16 selector;
} Segment;

typedef struct {
  u64 base;
  u64 limit;
} Table;

// The first 18 words are read by the host (tests): keep `r`, `rip`, `flags` first.
typedef struct {
  u64 r[16];
  u64 rip;
  u64 flags;
  u64 cr0, cr2, cr3, cr4, cr8;
  u64 dr[8];
  u64 efer, star, lstar, cstar, fmask, kernel_gs_base, tsc_aux, pat, apic_base, tsc_offset;
  Segment seg[6];
  Segment ldt, task;
  Table gdt, idt;
  u64 x87[8][2]; // only kept for FXSAVE and FXRSTOR
  u64 xmm[16][2];
  u32 mxcsr;
  u16 fpu_control, fpu_status;
  u32 cpl;
  u32 access;        // TAG_SUPERVISOR or TAG_USER: whose rights memory accesses have now (see mmu.h)
  u32 attention;     // non-zero: the run loop must look before the next instruction (see attend())
  u32 halted;        // after HLT, until an interrupt
  u32 shadow;        // SHADOW_*: the next instruction is protected from interrupts
  u32 debug_pending; // bits for DR6 of a #DB that is due after the instruction: B0..B3, BS
} Cpu;
extern Cpu cpu;

enum { SHADOW_STI = 1, SHADOW_SS = 2 };

// ---- the instruction being executed -----------------------------------------------------------------------

typedef struct {
  u64 next;     // address of the next instruction; a branch writes it
  u64 offset;   // effective address without segment base
  u64 address;  // linear address of the memory operand
  u64 imm;      // immediate, sign-extended to 64 bits
  u64 segment;  // base of the memory operand's segment
  u32 opcode;   // last opcode byte
  u32 size;     // operand size in bytes: 1, 2, 4, 8
  u32 reg, rm;  // ModRM fields with their REX bits; `rm` is a register only when `mod` is 3
  u32 mod;
  u32 rex;      // the whole REX byte or 0
  u32 rep;      // 0, 0xF2 or 0xF3
  u32 data16;   // prefix 66 seen
  u32 lock;     // prefix F0 seen
  u32 address32;// prefix 67 seen
  u32 on_stack; // bit 0: addressed through RSP or RBP (#SS instead of #GP); bit 1: through RSP
  u32 keep_rf;  // IRETQ: RF was just loaded and covers the next instruction
  u32 late_tf;  // SYSCALL, SYSRET: single step looks at TF after the instruction
} Insn;
extern Insn insn;

// ---- faults -----------------------------------------------------------------------------------------------

enum { DE_, DB_, NMI_, BP_, OF_, BR_, UD_, NM_, DF_, TS_ = 10, NP_, SS_, GP_, PF_, MF_ = 16, AC_, MC_, XM_ };

typedef struct {
  u32 raised;
  u32 vector;
  u32 error;
} Fault;
extern Fault fault;

void raise(u32 vector, u32 error);    // the first one of an instruction wins
bool undefined(void);                 // raise #UD; returns false, for `return undefined();`
bool protection(u32 error);           // raise #GP(error); returns false
void deliver_fault(void);             // exception.c: enter the handler of `fault`, or reset
bool software_interrupt(u32 vector, bool privileged_check); // INT n, INT3, INT1
void external_interrupt(u32 vector);
void debug_trap(void);                // enter #DB for cpu.debug_pending
bool code_breakpoint(void);           // is there an enabled execute breakpoint at RIP? Sets DR6
void watch_access(u64 address, u32 size, bool write); // data breakpoints
bool watched_page(u64 page);          // does an enabled data breakpoint touch this page?
void attend(void);                    // recompute cpu.attention

// ---- segments (segment.c) ---------------------------------------------------------------------------------

bool descriptor_read(u32 selector, u64 *low, u32 vector);
Segment descriptor_segment(u32 selector, u64 low);
bool load_data_segment(u32 index, u32 selector);
bool code_segment_check(u32 selector, u32 cpl, bool returning, Segment *out); // for far branches and returns
void set_cpl(u32 cpl);
bool load_system_segment(u32 selector, bool task, Segment *out);
bool io_allowed(u32 port, u32 size);

// ---- devices ----------------------------------------------------------------------------------------------

u32 port_read(u32 port, u32 size);
void port_write(u32 port, u32 size, u32 value);
void pic_reset(void);
u32 pic_read(u32 port);
void pic_write(u32 port, u32 value);
void pic_set(u32 line, bool high);
bool pic_masked(u32 line);
bool pic_waiting(void);    // an interrupt asks for the processor
u32 pic_acknowledge(void); // its vector
void pit_reset(void);
u32 pit_read(u32 port);
void pit_write(u32 port, u32 value);
void pit_advance(void);
u64 pit_next(void);        // nanoseconds until the next IRQ 0, or ~0 when there is none to come
bool pit_output2(void);
void pit_gate2(bool on);
void uart_reset(void);
u32 uart_read(u32 port);
void uart_write(u32 port, u32 value);
void ports_reset(void);

// ---- the machine (main.c) ---------------------------------------------------------------------------------

typedef struct {
  u8 *ram;
  u64 ram_size;
  u64 time;         // nanoseconds of virtual time since power-on
  u64 instructions; // executed before the current chunk
  i32 left;         // instructions left in the current chunk
  i32 chunk;
  u32 stop;         // STOP_*: why run() must return
} Machine;
extern Machine machine;

enum { STOP_RESET = 1, STOP_HALT = 2, STOP_POLL = 4, STOP_OUTPUT = 8 };
void stop(u32 reason);
void clock_update(void);
static inline u64 instruction_count(void) {
  return machine.instructions + (u64)(machine.chunk - machine.left);
}

// Imported from the host.
__attribute__((import_module("host"), import_name("nanoseconds"))) double host_nanoseconds(void); // monotonic
__attribute__((import_module("host"), import_name("utc"))) double host_utc(void); // seconds since 1970, UTC
