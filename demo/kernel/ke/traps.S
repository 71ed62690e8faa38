# Entry points of exceptions and interrupts.
#
# Every stub builds, from high to low addresses, the rest of a KTRAP_FRAME below what the processor pushed and
# a KEXCEPTION_FRAME below that, calls its C handler, and restores everything, so a handler (or a debugger) may
# change any register. The unwind directives describe the same stores, starting with the machine frame: a stack
# walk goes through a trap into the code it interrupted.

#define EF_SIZE 0x140
#define TF_REST 0x158                   /* KTRAP_FRAME below the pushed RBP */
#define FRAME   (EF_SIZE + TF_REST)
#define TF(x)   (EF_SIZE + (x))         /* field of the trap frame, from RSP */

        .text

        .macro ENTRY name, vector, code, handler
        .globl  \name
        .def    \name; .scl 2; .type 32; .endef
        .p2align 4, 0xCC
        .seh_proc \name
\name:
        .if \code
        .seh_pushframe @code
        .else
        .seh_pushframe
        pushq   $0                      # no error code from the processor: keep the frame's shape
        .seh_stackalloc 8
        .endif
        pushq   %rbp
        .seh_pushreg %rbp
        subq    $FRAME, %rsp
        .seh_stackalloc FRAME
        movq    %rbx, TF(0x140)(%rsp)
        .seh_savereg %rbx, TF(0x140)
        movq    %rdi, TF(0x148)(%rsp)
        .seh_savereg %rdi, TF(0x148)
        movq    %rsi, TF(0x150)(%rsp)
        .seh_savereg %rsi, TF(0x150)
        movq    %r12, 0x118(%rsp)
        .seh_savereg %r12, 0x118
        movq    %r13, 0x120(%rsp)
        .seh_savereg %r13, 0x120
        movq    %r14, 0x128(%rsp)
        .seh_savereg %r14, 0x128
        movq    %r15, 0x130(%rsp)
        .seh_savereg %r15, 0x130
        .seh_endprologue
        movq    %rax, TF(0x30)(%rsp)
        movq    %rcx, TF(0x38)(%rsp)
        movq    %rdx, TF(0x40)(%rsp)
        movq    %r8, TF(0x48)(%rsp)
        movq    %r9, TF(0x50)(%rsp)
        movq    %r10, TF(0x58)(%rsp)
        movq    %r11, TF(0x60)(%rsp)
        cld
        leaq    TF(0)(%rsp), %rcx
        movq    %rsp, %rdx
        movl    $\vector, %r8d
        call    \handler
        movq    TF(0x30)(%rsp), %rax
        movq    TF(0x38)(%rsp), %rcx
        movq    TF(0x40)(%rsp), %rdx
        movq    TF(0x48)(%rsp), %r8
        movq    TF(0x50)(%rsp), %r9
        movq    TF(0x58)(%rsp), %r10
        movq    TF(0x60)(%rsp), %r11
        movq    TF(0x140)(%rsp), %rbx
        movq    TF(0x148)(%rsp), %rdi
        movq    TF(0x150)(%rsp), %rsi
        movq    TF(0x158)(%rsp), %rbp
        movq    0x118(%rsp), %r12
        movq    0x120(%rsp), %r13
        movq    0x128(%rsp), %r14
        movq    0x130(%rsp), %r15
        addq    $(FRAME + 16), %rsp     # the frames, RBP and the error code
        .seh_endproc
        # From here on the stack holds the machine frame only: unwind data of its own.
        .seh_proc \name\()Return
\name\()Return:
        .seh_pushframe
        .seh_endprologue
        iretq
        .seh_endproc
        .endm

        # Exceptions: vector, 1 when the processor pushes an error code
        ENTRY KiDivideErrorFault,        0, 0, KiTrapDispatch
        ENTRY KiDebugTrapOrFault,        1, 0, KiTrapDispatch
        ENTRY KiNmiInterrupt,            2, 0, KiNmiDispatch
        ENTRY KiBreakpointTrap,          3, 0, KiTrapDispatch
        ENTRY KiOverflowTrap,            4, 0, KiTrapDispatch
        ENTRY KiBoundFault,              5, 0, KiTrapDispatch
        ENTRY KiInvalidOpcodeFault,      6, 0, KiTrapDispatch
        ENTRY KiNpxNotAvailableFault,    7, 0, KiTrapDispatch
        ENTRY KiDoubleFaultAbort,        8, 1, KiTrapDispatch
        ENTRY KiInvalidTssFault,        10, 1, KiTrapDispatch
        ENTRY KiSegmentNotPresentFault, 11, 1, KiTrapDispatch
        ENTRY KiStackFault,             12, 1, KiTrapDispatch
        ENTRY KiGeneralProtectionFault, 13, 1, KiTrapDispatch
        ENTRY KiPageFault,              14, 1, KiTrapDispatch
        ENTRY KiFloatingErrorFault,     16, 0, KiTrapDispatch
        ENTRY KiAlignmentFault,         17, 1, KiTrapDispatch
        ENTRY KiMcheckAbort,            18, 0, KiTrapDispatch
        ENTRY KiXmmException,           19, 0, KiTrapDispatch
        # int 2Dh: print and load-symbols requests to the debugger
        ENTRY KiDebugServiceTrap,     0x2D, 0, KiTrapDispatch
        # Interrupts
        ENTRY KiClockInterrupt,       0x30, 0, KiClockDispatch
        ENTRY KiSpuriousInterrupt,    0x37, 0, KiSpuriousDispatch
        ENTRY KiSlaveInterrupt,       0x38, 0, KiSpuriousDispatch
        ENTRY KiClockIpiInterrupt,    0xD1, 0, KiClockIpiDispatch
        ENTRY KiApicSpuriousInterrupt,0xFF, 0, KiSpuriousDispatch
