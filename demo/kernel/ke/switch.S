# Context switch, thread start, and the few instruction sequences that C cannot express.

        .text

        .macro FUNCTION name
        .globl  \name
        .def    \name; .scl 2; .type 32; .endef
        .p2align 4, 0xCC
\name:
        .endm

# VOID KiSwapContext(RCX old thread, RDX new thread)
# Leaves the nonvolatile registers on the old stack, KTHREAD.KernelStack (0x58) pointing at them. A debugger
# unwinds a waiting thread from there: RIP = the return address, which lies at
# KernelStack + 0x68, and RSP = KernelStack + 0x70 (struct _KSWITCH_FRAME in thread.c).
        .seh_proc KiSwapContext
        FUNCTION KiSwapContext
        pushq   %rbp
        .seh_pushreg %rbp
        pushq   %rbx
        .seh_pushreg %rbx
        pushq   %rdi
        .seh_pushreg %rdi
        pushq   %rsi
        .seh_pushreg %rsi
        pushq   %r12
        .seh_pushreg %r12
        pushq   %r13
        .seh_pushreg %r13
        pushq   %r14
        .seh_pushreg %r14
        pushq   %r15
        .seh_pushreg %r15
        subq    $0x28, %rsp
        .seh_stackalloc 0x28
        .seh_endprologue
        movq    %rsp, 0x58(%rcx)
        movq    0x58(%rdx), %rsp
        addq    $0x28, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rsi
        popq    %rdi
        popq    %rbx
        popq    %rbp
        retq
        .seh_endproc

# First code of a thread. KiInitializeThread left RBX = start routine, RSI = its context, RDI = the routine that
# runs it (PspSystemThreadStartup), and a zero return address above the home area, where a stack walk ends.
        .seh_proc KiThreadStartup
        FUNCTION KiThreadStartup
        subq    $0x28, %rsp
        .seh_stackalloc 0x28
        .seh_endprologue
        call    KiThreadEntered         # releases the dispatcher lock held across the switch, interrupts on
        movq    %rbx, %rcx
        movq    %rsi, %rdx
        call    *%rdi
        int3                            # does not return; keeps the return address inside this function
        addq    $0x28, %rsp
        retq
        .seh_endproc

# ULONG64 ReadEflags(VOID)
        .seh_proc ReadEflags
        FUNCTION ReadEflags
        pushfq
        .seh_stackalloc 8
        .seh_endprologue
        popq    %rax
        retq
        .seh_endproc

# VOID DbgBreakPoint(VOID)
        FUNCTION DbgBreakPoint
        int3
        retq

# VOID DbgBreakPointWithStatus(ECX status): why the kernel stops is in RCX
        FUNCTION DbgBreakPointWithStatus
        .globl  RtlpBreakWithStatusInstruction
RtlpBreakWithStatusInstruction:
        int3
        retq

# NTSTATUS DebugService(ECX service, RDX, R8, R9 arguments): the debugger's trap handler skips the int3
        FUNCTION DebugService
        movl    %ecx, %eax
        int     $0x2D
        int3
        retq

# VOID KiLoadDescriptorTables(RCX gdtr, RDX idtr, R8W task register). Not for stepping through: the far return
# at its end needs the stack in a shape that unwind data cannot tell.
        FUNCTION KiLoadDescriptorTables
        lgdt    (%rcx)
        lidt    (%rdx)
        ltr     %r8w
        movl    $0x18, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        popq    %rdx                    # reload CS by a far return
        pushq   $0x10
        pushq   %rdx
        lretq

# VOID KiStoreDescriptorTables(RCX gdtr, RDX idtr): each 10 bytes
        FUNCTION KiStoreDescriptorTables
        sgdt    (%rcx)
        sidt    (%rdx)
        retq

# VOID KiSaveFloatingState / KiRestoreFloatingState(RCX 512 bytes, 16-aligned)
        FUNCTION KiSaveFloatingState
        fxsave64 (%rcx)
        retq
        FUNCTION KiRestoreFloatingState
        fxrstor64 (%rcx)
        retq

# BOOLEAN KiReadMsrSafe(ECX msr, RDX value): FALSE when the processor has no such register. The general
# protection fault of the marked instructions resumes at KiMsrFault (ke/trap.c).
        FUNCTION KiReadMsrSafe
        movq    %rdx, %r8
        .globl  KiReadMsrInstruction
KiReadMsrInstruction:
        rdmsr
        shlq    $32, %rdx
        movl    %eax, %eax
        orq     %rdx, %rax
        movq    %rax, (%r8)
        movl    $1, %eax
        retq

# BOOLEAN KiWriteMsrSafe(ECX msr, RDX value)
        FUNCTION KiWriteMsrSafe
        movl    %edx, %eax
        shrq    $32, %rdx
        .globl  KiWriteMsrInstruction
KiWriteMsrInstruction:
        wrmsr
        movl    $1, %eax
        retq

        .globl  KiMsrFault
KiMsrFault:
        xorl    %eax, %eax
        retq
