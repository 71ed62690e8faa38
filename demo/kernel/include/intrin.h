// Single processor instructions as inline functions. Everything here is GNU inline assembly in AT&T order.
#pragma once
#include "nttypes.h"

#define READ_REGISTER(name, instruction)                                                                         \
    static inline ULONG64 name(VOID) {                                                                           \
        ULONG64 value;                                                                                           \
        __asm__ volatile(instruction : "=r"(value) : : "memory");                                                \
        return value;                                                                                            \
    }
#define WRITE_REGISTER(name, instruction)                                                                        \
    static inline VOID name(ULONG64 value) {                                                                     \
        __asm__ volatile(instruction : : "r"(value) : "memory");                                                 \
    }

READ_REGISTER(ReadCr0, "mov %%cr0, %0")
READ_REGISTER(ReadCr2, "mov %%cr2, %0")
READ_REGISTER(ReadCr3, "mov %%cr3, %0")
READ_REGISTER(ReadCr4, "mov %%cr4, %0")
READ_REGISTER(ReadCr8, "mov %%cr8, %0")
READ_REGISTER(ReadDr0, "mov %%dr0, %0")
READ_REGISTER(ReadDr1, "mov %%dr1, %0")
READ_REGISTER(ReadDr2, "mov %%dr2, %0")
READ_REGISTER(ReadDr3, "mov %%dr3, %0")
READ_REGISTER(ReadDr6, "mov %%dr6, %0")
READ_REGISTER(ReadDr7, "mov %%dr7, %0")
WRITE_REGISTER(WriteCr0, "mov %0, %%cr0")
WRITE_REGISTER(WriteCr3, "mov %0, %%cr3")
WRITE_REGISTER(WriteCr4, "mov %0, %%cr4")
WRITE_REGISTER(WriteDr0, "mov %0, %%dr0")
WRITE_REGISTER(WriteDr1, "mov %0, %%dr1")
WRITE_REGISTER(WriteDr2, "mov %0, %%dr2")
WRITE_REGISTER(WriteDr3, "mov %0, %%dr3")
WRITE_REGISTER(WriteDr6, "mov %0, %%dr6")
WRITE_REGISTER(WriteDr7, "mov %0, %%dr7")

ULONG64 ReadEflags(VOID); // ke/switch.S: pushes, so it needs unwind data of its own

static inline USHORT ReadTr(VOID) {
    USHORT value;
    __asm__ volatile("str %w0" : "=r"(value));
    return value;
}

#define READ_SEGMENT(name, segment)                                                                              \
    static inline USHORT name(VOID) {                                                                            \
        ULONG value;                                                                                             \
        __asm__ volatile("movl %%" segment ", %0" : "=r"(value));                                                \
        return (USHORT)value;                                                                                    \
    }
READ_SEGMENT(ReadDs, "ds")
READ_SEGMENT(ReadEs, "es")
READ_SEGMENT(ReadFs, "fs")
READ_SEGMENT(ReadGs, "gs")

static inline ULONG64 ReadMsr(ULONG msr) {
    ULONG low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (ULONG64)high << 32 | low;
}

static inline VOID WriteMsr(ULONG msr, ULONG64 value) {
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((ULONG)value), "d"((ULONG)(value >> 32)) : "memory");
}

static inline ULONG64 ReadTsc(VOID) {
    ULONG low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (ULONG64)high << 32 | low;
}

static inline VOID Cpuid(ULONG leaf, ULONG out[4]) {
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}

static inline UCHAR InByte(USHORT port) {
    UCHAR value;
    __asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline VOID OutByte(USHORT port, UCHAR value) {
    __asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"(port));
}

static inline USHORT InWord(USHORT port) {
    USHORT value;
    __asm__ volatile("inw %w1, %w0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline VOID OutWord(USHORT port, USHORT value) {
    __asm__ volatile("outw %w0, %w1" : : "a"(value), "Nd"(port));
}

static inline ULONG InDword(USHORT port) {
    ULONG value;
    __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline VOID OutDword(USHORT port, ULONG value) {
    __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port));
}

static inline VOID DisableInterrupts(VOID) {
    __asm__ volatile("cli" : : : "memory");
}

static inline VOID EnableInterrupts(VOID) {
    __asm__ volatile("sti" : : : "memory");
}

static inline VOID YieldProcessor(VOID) {
    __asm__ volatile("pause" : : : "memory");
}

static inline VOID InvalidatePage(ULONG64 address) {
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

// Current processor's KPCR through GS:[0x18].
static inline PVOID ReadGsSelf(VOID) {
    PVOID value;
    __asm__ volatile("movq %%gs:0x18, %0" : "=r"(value));
    return value;
}

#define MSR_APIC_BASE 0x0000001B
#define MSR_EFER 0xC0000080
#define MSR_STAR 0xC0000081
#define MSR_LSTAR 0xC0000082
#define MSR_CSTAR 0xC0000083
#define MSR_FMASK 0xC0000084
#define MSR_GS_BASE 0xC0000101
#define MSR_KERNEL_GS_BASE 0xC0000102
