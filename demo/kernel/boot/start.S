# First page of demo.img: multiboot header, boot record, and the code that QEMU's multiboot loader starts in
# 32-bit mode. It does what the boot record says and jumps to the kernel; the embedded machine reads the record
# and sets the same state itself. Linked nowhere: the bytes are placed at physical 0x100000.

#define BASE 0x100000
#define ADDR(label) (BASE + (label) - start)

        .text
        .code32
start:
        # Multiboot 1 header, address fields filled in by demo/build/image.mjs
        .long   0x1BADB002
        .long   0x00010000
        .long   -(0x1BADB002 + 0x00010000)
        .long   BASE                    # header_addr
        .long   BASE                    # load_addr
        .long   0                       # load_end_addr: the whole file
        .long   0                       # bss_end_addr: no bss
        .long   ADDR(entry32)

        .org    0x40
record:                                 # filled in by demo/build/image.mjs
magic:          .ascii "DEMOIMG1"
cr3:            .quad 0
rip:            .quad 0
rsp:            .quad 0
gdt_base:       .quad 0
gdt_limit:      .quad 0
loader_block:   .quad 0
image_end:      .quad 0
cr0:            .quad 0
cr4:            .quad 0
efer:           .quad 0

        .org    0x100
entry32:
        cli
        cld
        movl    ADDR(cr4), %eax
        movl    %eax, %cr4
        movl    ADDR(cr3), %eax
        movl    %eax, %cr3
        movl    $0xC0000080, %ecx
        movl    ADDR(efer), %eax
        andl    $~0x400, %eax           # LMA follows from paging
        xorl    %edx, %edx
        wrmsr
        movl    ADDR(cr0), %eax
        movl    %eax, %cr0              # paging on: compatibility mode
        lgdtl   ADDR(physical_gdtr)
        ljmpl   $0x10, $ADDR(entry64)

        .code64
entry64:
        movl    $0x18, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movq    ADDR(gdt_base), %rax
        movq    %rax, ADDR(virtual_gdtr) + 2
        movw    ADDR(gdt_limit), %ax
        movw    %ax, ADDR(virtual_gdtr)
        lgdt    ADDR(virtual_gdtr)
        movq    ADDR(rsp), %rsp
        movq    ADDR(loader_block), %rcx
        pushq   $2                      # below the initial stack pointer, like the return to nowhere
        popfq
        pushq   ADDR(rip)
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        xorl    %r8d, %r8d
        xorl    %r9d, %r9d
        xorl    %r10d, %r10d
        xorl    %r11d, %r11d
        xorl    %r12d, %r12d
        xorl    %r13d, %r13d
        xorl    %r14d, %r14d
        xorl    %r15d, %r15d
        retq

        .p2align 3
physical_gdtr:
        .word   0x1F                    # null, unused, code, data are enough here
        .long   BASE + 0x1000           # the GDT is the image's second page
virtual_gdtr:
        .word   0
        .quad   0
