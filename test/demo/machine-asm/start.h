// What every test image begins with: multiboot header, boot record, and the way from 32-bit code into long mode that
// leaves the processor as the boot record says. The image lies at 0x100000. Included files define `main`, `gdt`,
// `gdt_end`, `pml4`, `stack_top` and `image_end`.
.intel_syntax noprefix
.code32
.section .text
image:
    .long 0x1BADB002, 0x00010000, -(0x1BADB002 + 0x00010000)
    .long image, image, 0, 0, start32          // header, load, load end (all), bss end (none), entry
    .balign 64
record:                                        // at 0x40
    .ascii "DEMOIMG1"
    .quad pml4, main, stack_top, gdt, gdt_end - gdt - 1, 0, image_end
    .quad 0x80010033, 0x620, 0xD01             // CR0, CR4, EFER

start32:
    cli
    mov eax, dword ptr [record + 72]
    mov cr4, eax
    mov eax, dword ptr [record + 8]
    mov cr3, eax
    mov ecx, 0xC0000080
    xor edx, edx
    mov eax, dword ptr [record + 80]
    wrmsr
    mov eax, dword ptr [record + 64]
    mov cr0, eax
    lgdt [gdt_pointer32]
    .byte 0xEA                                 // jmp 0x10:start64
    .long start64
    .word 0x10
gdt_pointer32:
    .word gdt_end - gdt - 1
    .long gdt
.code64
start64:
    mov eax, 0x18
    mov ss, eax
    mov ds, eax
    mov es, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    mov rsp, offset stack_top
    lgdt [gdt_pointer64]
    push 2
    popfq
    mov rax, qword ptr [record + 16]
    jmp rax
gdt_pointer64:
    .word gdt_end - gdt - 1
    .quad gdt
