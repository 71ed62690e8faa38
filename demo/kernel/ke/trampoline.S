# Start of a further processor. The boot processor copies this to physical 0x8000 and fills the data block;
# a start-up IPI begins here in real mode with CS = 0x0800.

#define BASE 0x8000
#define REL(label) ((label) - KiTrampolineStart)

        .section .rdata, "dr"
        .globl  KiTrampolineStart, KiTrampolineEnd, KiTrampolineData
        .p2align 4
        .code16
KiTrampolineStart:
        cli
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   REL(gdtr)
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $8, $(BASE + REL(protected))

        .code32
protected:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %ss
        movl    BASE + REL(cr4), %eax
        movl    %eax, %cr4
        movl    BASE + REL(cr3), %eax
        movl    %eax, %cr3
        movl    $0xC0000080, %ecx
        movl    BASE + REL(efer), %eax
        xorl    %edx, %edx
        wrmsr
        movl    BASE + REL(cr0), %eax
        movl    %eax, %cr0
        ljmpl   $0x18, $(BASE + REL(long))

        .code64
long:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movq    BASE + REL(entry), %rax
        jmpq    *%rax

        .p2align 3
gdt:
        .quad   0
        .quad   0x00CF9A000000FFFF      # 08 32-bit code
        .quad   0x00CF92000000FFFF      # 10 data
        .quad   0x00AF9A000000FFFF      # 18 64-bit code
gdtr:
        .word   31
        .long   BASE + REL(gdt)
        .p2align 3
KiTrampolineData:                       # filled by KiStartProcessors: five quadwords in this order
cr0:    .quad   0
cr3:    .quad   0
cr4:    .quad   0
efer:   .quad   0
entry:  .quad   0
KiTrampolineEnd:

        .text
# Each arriving processor takes a number and waits until the boot processor has made its stack.
        .globl  KiApStart
        .def    KiApStart; .scl 2; .type 32; .endef
        .p2align 4, 0xCC
        .seh_proc KiApStart
KiApStart:
        .seh_endprologue
        movl    $1, %ebx
        lock xaddl %ebx, KiApArrivals(%rip)
        incl    %ebx                    # processor number, from 1
        cmpl    $4, %ebx                # MAXIMUM_PROCESSORS
        jae     2f
        leaq    KiApStacks(%rip), %rsi
1:      pause
        movq    (%rsi,%rbx,8), %rax
        testq   %rax, %rax
        jz      1b
        leaq    -0x28(%rax), %rsp       # home area, then a zero return address: the stack walk's end
        movl    %ebx, %ecx
        jmp     KiInitializeAp
2:      cli
        hlt
        jmp     2b
        .seh_endproc
