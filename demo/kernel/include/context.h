// Processor state as NT lays it out on x64: CONTEXT, special registers, trap and exception frames.
// The KD protocol carries CONTEXT and KSPECIAL_REGISTERS byte for byte, so the offsets are asserted.
#pragma once
#include "nttypes.h"

#define CONTEXT_AMD64 0x00100000
#define CONTEXT_CONTROL (CONTEXT_AMD64 | 0x01)
#define CONTEXT_INTEGER (CONTEXT_AMD64 | 0x02)
#define CONTEXT_SEGMENTS (CONTEXT_AMD64 | 0x04)
#define CONTEXT_FLOATING_POINT (CONTEXT_AMD64 | 0x08)
#define CONTEXT_DEBUG_REGISTERS (CONTEXT_AMD64 | 0x10)
#define CONTEXT_ALL (CONTEXT_AMD64 | 0x1F)

#define EFLAGS_TF 0x100
#define EFLAGS_IF 0x200
#define EFLAGS_RF 0x10000

typedef struct _M128A {
    ULONGLONG Low;
    LONGLONG High;
} __attribute__((aligned(16))) M128A;

typedef struct _XSAVE_FORMAT { // what FXSAVE writes
    USHORT ControlWord;
    USHORT StatusWord;
    UCHAR TagWord;
    UCHAR Reserved1;
    USHORT ErrorOpcode;
    ULONG ErrorOffset;
    USHORT ErrorSelector;
    USHORT Reserved2;
    ULONG DataOffset;
    USHORT DataSelector;
    USHORT Reserved3;
    ULONG MxCsr;
    ULONG MxCsr_Mask;
    M128A FloatRegisters[8];
    M128A XmmRegisters[16];
    UCHAR Reserved4[96];
} XSAVE_FORMAT;
C_ASSERT(sizeof(XSAVE_FORMAT) == 512);

typedef struct _CONTEXT {
    ULONG64 P1Home, P2Home, P3Home, P4Home, P5Home, P6Home;
    ULONG ContextFlags;
    ULONG MxCsr;
    USHORT SegCs, SegDs, SegEs, SegFs, SegGs, SegSs;
    ULONG EFlags;
    ULONG64 Dr0, Dr1, Dr2, Dr3, Dr6, Dr7;
    ULONG64 Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi;
    ULONG64 R8, R9, R10, R11, R12, R13, R14, R15;
    ULONG64 Rip;
    XSAVE_FORMAT FltSave;
    M128A VectorRegister[26];
    ULONG64 VectorControl;
    ULONG64 DebugControl;
    ULONG64 LastBranchToRip, LastBranchFromRip;
    ULONG64 LastExceptionToRip, LastExceptionFromRip;
} CONTEXT, *PCONTEXT;
ASSERT_OFFSET(CONTEXT, ContextFlags, 0x30);
ASSERT_OFFSET(CONTEXT, Dr0, 0x48);
ASSERT_OFFSET(CONTEXT, Rax, 0x78);
ASSERT_OFFSET(CONTEXT, Rip, 0xF8);
ASSERT_OFFSET(CONTEXT, FltSave, 0x100);
C_ASSERT(sizeof(CONTEXT) == 0x4D0);

typedef struct _KDESCRIPTOR { // SGDT/SIDT write at Limit
    USHORT Pad[3];
    USHORT Limit;
    PVOID Base;
} KDESCRIPTOR;

typedef struct _KSPECIAL_REGISTERS {
    ULONG64 Cr0, Cr2, Cr3, Cr4;
    ULONG64 KernelDr0, KernelDr1, KernelDr2, KernelDr3, KernelDr6, KernelDr7;
    KDESCRIPTOR Gdtr, Idtr;
    USHORT Tr, Ldtr;
    ULONG MxCsr;
    ULONG64 DebugControl;
    ULONG64 LastBranchToRip, LastBranchFromRip, LastExceptionToRip, LastExceptionFromRip;
    ULONG64 Cr8;
    ULONG64 MsrGsBase, MsrGsSwap, MsrStar, MsrLStar, MsrCStar, MsrSyscallMask;
    ULONG64 Xcr0;
} KSPECIAL_REGISTERS, *PKSPECIAL_REGISTERS;
ASSERT_OFFSET(KSPECIAL_REGISTERS, Gdtr, 0x50);
ASSERT_OFFSET(KSPECIAL_REGISTERS, Tr, 0x70);
ASSERT_OFFSET(KSPECIAL_REGISTERS, Cr8, 0xA0);
C_ASSERT(sizeof(KSPECIAL_REGISTERS) == 0xE0);

typedef struct _KPROCESSOR_STATE {
    KSPECIAL_REGISTERS SpecialRegisters;
    CONTEXT ContextFrame;
} KPROCESSOR_STATE, *PKPROCESSOR_STATE;

// Volatile registers and the hardware frame, built by every trap and interrupt stub (ke/traps.S).
typedef struct _KTRAP_FRAME {
    ULONG64 P1Home, P2Home, P3Home, P4Home, P5;
    CHAR PreviousMode;
    KIRQL PreviousIrql;
    UCHAR FaultIndicator;
    UCHAR ExceptionActive;
    ULONG MxCsr;
    ULONG64 Rax, Rcx, Rdx, R8, R9, R10, R11;
    ULONG64 GsBase;
    M128A Xmm0, Xmm1, Xmm2, Xmm3, Xmm4, Xmm5; // unused: kernel code keeps off the XMM registers
    ULONG64 FaultAddress;
    ULONG64 Dr0, Dr1, Dr2, Dr3, Dr6, Dr7;
    ULONG64 DebugControl, LastBranchToRip, LastBranchFromRip, LastExceptionToRip, LastExceptionFromRip;
    USHORT SegDs, SegEs, SegFs, SegGs;
    ULONG64 TrapFrame;
    ULONG64 Rbx, Rdi, Rsi, Rbp;
    ULONG64 ErrorCode;
    ULONG64 Rip; // pushed by the processor from here on
    USHORT SegCs;
    UCHAR Fill0[6];
    ULONG EFlags;
    ULONG Fill2;
    ULONG64 Rsp;
    USHORT SegSs;
    UCHAR Fill3[6];
} KTRAP_FRAME, *PKTRAP_FRAME;
ASSERT_OFFSET(KTRAP_FRAME, Rax, 0x30);
ASSERT_OFFSET(KTRAP_FRAME, FaultAddress, 0xD0);
ASSERT_OFFSET(KTRAP_FRAME, SegDs, 0x130);
ASSERT_OFFSET(KTRAP_FRAME, Rbx, 0x140);
ASSERT_OFFSET(KTRAP_FRAME, Rbp, 0x158);
ASSERT_OFFSET(KTRAP_FRAME, Rip, 0x168);
ASSERT_OFFSET(KTRAP_FRAME, Rsp, 0x180);
C_ASSERT(sizeof(KTRAP_FRAME) == 0x190);

// The rest of the nonvolatile registers, directly below the trap frame on the stack.
typedef struct _KEXCEPTION_FRAME {
    ULONG64 P1Home, P2Home, P3Home, P4Home, P5;
    ULONG64 InitialStack;
    M128A Xmm6, Xmm7, Xmm8, Xmm9, Xmm10, Xmm11, Xmm12, Xmm13, Xmm14, Xmm15; // unused, see above
    ULONG64 TrapFrame;
    ULONG64 OutputBuffer, OutputLength, Spare1;
    ULONG64 MxCsr;
    ULONG64 Rbp, Rbx, Rdi, Rsi, R12, R13, R14, R15;
    ULONG64 Return;
} KEXCEPTION_FRAME, *PKEXCEPTION_FRAME;
ASSERT_OFFSET(KEXCEPTION_FRAME, R12, 0x118);
C_ASSERT(sizeof(KEXCEPTION_FRAME) == 0x140);

#define EXCEPTION_MAXIMUM_PARAMETERS 15
typedef struct _EXCEPTION_RECORD {
    NTSTATUS ExceptionCode;
    ULONG ExceptionFlags;
    struct _EXCEPTION_RECORD *ExceptionRecord;
    PVOID ExceptionAddress;
    ULONG NumberParameters;
    ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;
C_ASSERT(sizeof(EXCEPTION_RECORD) == 152);
