// Processor state to and from the structures a debugger sees.
#include "../include/ki.h"

VOID KeContextFromKframes(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, PCONTEXT c) {
    RtlZeroMemory(c, sizeof(*c));
    c->ContextFlags = CONTEXT_ALL;
    c->SegCs = tf->SegCs;
    c->SegSs = tf->SegSs;
    c->SegDs = ReadDs();
    c->SegEs = ReadEs();
    c->SegFs = ReadFs();
    c->SegGs = ReadGs();
    c->EFlags = tf->EFlags;
    c->Rax = tf->Rax;
    c->Rcx = tf->Rcx;
    c->Rdx = tf->Rdx;
    c->Rbx = tf->Rbx;
    c->Rsp = tf->Rsp;
    c->Rbp = tf->Rbp;
    c->Rsi = tf->Rsi;
    c->Rdi = tf->Rdi;
    c->R8 = tf->R8;
    c->R9 = tf->R9;
    c->R10 = tf->R10;
    c->R11 = tf->R11;
    c->R12 = ef->R12;
    c->R13 = ef->R13;
    c->R14 = ef->R14;
    c->R15 = ef->R15;
    c->Rip = tf->Rip;
    KiSaveFloatingState(&c->FltSave);
    c->FltSave.MxCsr_Mask = 0xFFFF; // processors differ in what they report here
    c->MxCsr = c->FltSave.MxCsr;
}

VOID KeContextToKframes(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, PCONTEXT c) {
    tf->EFlags = (c->EFlags & 0x003F7FD7) | 2; // reserved bits would fault in IRETQ
    tf->Rax = c->Rax;
    tf->Rcx = c->Rcx;
    tf->Rdx = c->Rdx;
    tf->Rbx = c->Rbx;
    tf->Rsp = c->Rsp;
    tf->Rbp = c->Rbp;
    tf->Rsi = c->Rsi;
    tf->Rdi = c->Rdi;
    tf->R8 = c->R8;
    tf->R9 = c->R9;
    tf->R10 = c->R10;
    tf->R11 = c->R11;
    ef->R12 = c->R12;
    ef->R13 = c->R13;
    ef->R14 = c->R14;
    ef->R15 = c->R15;
    tf->Rip = c->Rip;
    c->FltSave.MxCsr = c->MxCsr & 0xFFFF;
    KiRestoreFloatingState(&c->FltSave);
}

// Reads the control registers and switches the debug registers off while the debugger works.
VOID KiSaveProcessorControlState(PKPROCESSOR_STATE state) {
    PKSPECIAL_REGISTERS s = &state->SpecialRegisters;
    RtlZeroMemory(s, sizeof(*s));
    s->Cr0 = ReadCr0();
    s->Cr2 = ReadCr2();
    s->Cr3 = ReadCr3();
    s->Cr4 = ReadCr4();
    s->Cr8 = ReadCr8();
    s->KernelDr0 = ReadDr0();
    s->KernelDr1 = ReadDr1();
    s->KernelDr2 = ReadDr2();
    s->KernelDr3 = ReadDr3();
    s->KernelDr6 = ReadDr6();
    s->KernelDr7 = ReadDr7();
    WriteDr7(0x400);
    KiStoreDescriptorTables(&s->Gdtr.Limit, &s->Idtr.Limit);
    s->Tr = ReadTr();
    s->MxCsr = KeGetCurrentPrcb()->MxCsr;
    s->MsrGsBase = ReadMsr(MSR_GS_BASE);
    s->MsrGsSwap = ReadMsr(MSR_KERNEL_GS_BASE);
    s->MsrStar = ReadMsr(MSR_STAR);
    s->MsrLStar = ReadMsr(MSR_LSTAR);
    s->MsrCStar = ReadMsr(MSR_CSTAR);
    s->MsrSyscallMask = ReadMsr(MSR_FMASK);
}

// Loads what a debugger may have changed. Descriptor tables, TR and GS base stay: changing them under a
// running kernel could only crash it.
VOID KiRestoreProcessorControlState(PKPROCESSOR_STATE state) {
    PKSPECIAL_REGISTERS s = &state->SpecialRegisters;
    if (s->Cr0 != ReadCr0()) WriteCr0(s->Cr0);
    if (s->Cr4 != ReadCr4()) WriteCr4(s->Cr4);
    if (s->Cr3 != ReadCr3()) WriteCr3(s->Cr3);
    WriteDr0(s->KernelDr0);
    WriteDr1(s->KernelDr1);
    WriteDr2(s->KernelDr2);
    WriteDr3(s->KernelDr3);
    WriteDr6((s->KernelDr6 & 0xE00F) | 0xFFFF0FF0);
    WriteDr7((s->KernelDr7 & 0xFFFF03FF) | 0x400);
    KiWriteMsrSafe(MSR_KERNEL_GS_BASE, s->MsrGsSwap);
    KiWriteMsrSafe(MSR_STAR, s->MsrStar);
    KiWriteMsrSafe(MSR_LSTAR, s->MsrLStar);
    KiWriteMsrSafe(MSR_CSTAR, s->MsrCStar);
    KiWriteMsrSafe(MSR_FMASK, s->MsrSyscallMask);
}
