// Runs a list of cases, each one instruction (single-stepped) or a short sequence (ended by INT3), and sends what the
// processor made of each to COM1. The same image runs on QEMU and on the machine; the output must be equal.
//
// At image + 0x10000: u64 count, then per case 256 bytes:
//   0 sixteen registers   128 RFLAGS   136 RIP   144 CS   152 SS   160 code, 32 bytes   192 seed of the data window
// Result per case, 176 bytes:
//   0 sixteen registers   128 RIP   136 RFLAGS   144 vector   152 error code   160 CR2   168 hash of the data window
// At the end: the 16 page-table entries of the playground, and its writable pages.
#include "start.h"

.set CASES, image + 0x10000
.set WINDOW, 0x40004F00                        // 512 bytes across a page boundary
.set COM1, 0x3F8

main:
    mov edi, offset idt                        // 32 interrupt gates, all on IST1
    mov eax, offset stubs
    mov ecx, 32
1:  mov word ptr [rdi], ax
    mov word ptr [rdi + 2], 0x10
    mov word ptr [rdi + 4], 0xEE01             // present, DPL 3, interrupt gate, IST 1
    mov edx, eax
    shr edx, 16
    mov word ptr [rdi + 6], dx
    add eax, 16
    add rdi, 16
    dec ecx
    jnz 1b
    lidt [idt_pointer]
    mov eax, 0x30
    ltr ax
    mov rax, cr0                               // CR0.EM: no MMX and SSE, which the machine has in part only
    or al, 4
    mov cr0, rax
    mov rax, qword ptr [CASES]
    mov qword ptr [left], rax
    mov qword ptr [next], offset CASES + 8

next_case:
    dec qword ptr [left]
    js finish
    mov rbx, qword ptr [next]
    add qword ptr [next], 256
    mov rdi, qword ptr [rbx + 136]             // code, then INT3 to the end of the second page
    lea rsi, [rbx + 160]
    mov ecx, 32
    cld
    rep movsb
    mov edi, WINDOW                            // data window from the seed
    mov rax, qword ptr [rbx + 192]
    mov rdx, 6364136223846793005
    mov r8, 1442695040888963407
    mov ecx, 64
1:  imul rax, rdx
    add rax, r8
    stosq
    dec ecx
    jnz 1b
    xor eax, eax
    mov cr2, rax
    mov rsp, offset frame
    mov rax, qword ptr [rbx + 136]
    mov qword ptr [rsp], rax
    mov rax, qword ptr [rbx + 144]
    mov qword ptr [rsp + 8], rax
    mov rax, qword ptr [rbx + 128]
    mov qword ptr [rsp + 16], rax
    mov rax, qword ptr [rbx + 32]
    mov qword ptr [rsp + 24], rax
    mov rax, qword ptr [rbx + 152]
    mov qword ptr [rsp + 32], rax
    mov rax, qword ptr [rbx]
    mov rcx, qword ptr [rbx + 8]
    mov rdx, qword ptr [rbx + 16]
    mov rbp, qword ptr [rbx + 40]
    mov rsi, qword ptr [rbx + 48]
    mov rdi, qword ptr [rbx + 56]
    mov r8, qword ptr [rbx + 64]
    mov r9, qword ptr [rbx + 72]
    mov r10, qword ptr [rbx + 80]
    mov r11, qword ptr [rbx + 88]
    mov r12, qword ptr [rbx + 96]
    mov r13, qword ptr [rbx + 104]
    mov r14, qword ptr [rbx + 112]
    mov r15, qword ptr [rbx + 120]
    mov rbx, qword ptr [rbx + 24]
    iretq

// Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
handler:
    mov qword ptr [result], rax
    mov qword ptr [result + 8], rcx
    mov qword ptr [result + 16], rdx
    mov qword ptr [result + 24], rbx
    mov qword ptr [result + 40], rbp
    mov qword ptr [result + 48], rsi
    mov qword ptr [result + 56], rdi
    mov qword ptr [result + 64], r8
    mov qword ptr [result + 72], r9
    mov qword ptr [result + 80], r10
    mov qword ptr [result + 88], r11
    mov qword ptr [result + 96], r12
    mov qword ptr [result + 104], r13
    mov qword ptr [result + 112], r14
    mov qword ptr [result + 120], r15
    mov rax, qword ptr [rsp]
    mov qword ptr [result + 144], rax
    mov rax, qword ptr [rsp + 8]
    mov qword ptr [result + 152], rax
    mov rax, qword ptr [rsp + 16]
    mov qword ptr [result + 128], rax
    mov rax, qword ptr [rsp + 32]
    mov qword ptr [result + 136], rax
    mov rax, qword ptr [rsp + 40]
    mov qword ptr [result + 32], rax
    mov rax, cr2
    mov qword ptr [result + 160], rax
    mov esi, WINDOW
    xor eax, eax
    mov ecx, 64
1:  rol rax, 5
    add rax, qword ptr [rsi]
    add rsi, 8
    dec ecx
    jnz 1b
    mov qword ptr [result + 168], rax
    mov esi, offset result
    mov ecx, 176
    call send
    xor eax, eax
    mov ds, eax                                // a case may have loaded selectors
    mov es, eax
    mov fs, eax
    mov gs, eax
    jmp next_case

finish:
    mov esi, offset playground
    mov ecx, 128
    call send
    mov esi, 0x40000000                        // and what became of the pages themselves
    mov ecx, 0x2000
    call send
    mov esi, 0x40004000
    mov ecx, 0x2000
    call send
    mov esi, 0x40008000
    mov ecx, 0x2000
    call send
    mov al, 0xFE
    out 0x64, al
2:  hlt
    jmp 2b

send:
    mov edx, COM1
    cld
    rep outsb
    ret

    .balign 16
stubs:
.set vector, 0
.rept 32
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
    .else
    push 0
    .endif
    push vector
    jmp handler
    .balign 16
    .set vector, vector + 1
.endr

    .balign 4096
pml4:
    .quad pdpt + 7
    .fill 511, 8, 0
pdpt:
    .quad pd + 7, pd2 + 7
    .fill 510, 8, 0
pd:
.set frame_address, 0
    .quad pt + 7
.set frame_address, frame_address + 0x200000
.rept 15                                       // 32 MB as 2 MB pages, supervisor only
    .quad frame_address + 0x83
    .set frame_address, frame_address + 0x200000
.endr
    .fill 496, 8, 0
pt:
    .fill 256, 8, 0                            // nothing below 1 MB, where QEMU has its firmware's data
.set frame_address, 0x100000
.rept 256
    .quad frame_address + 0x3
    .set frame_address, frame_address + 0x1000
.endr
pd2:
    .quad playground + 7
    .fill 511, 8, 0
// 0x40000000: code, code, nothing, nothing, data, data, nothing, read-only, supervisor, no-execute, reserved bit,
// outside RAM, supervisor read-only, nothing...
playground:
    .quad 0x1800007, 0x1801007, 0, 0, 0x1804007, 0x1825007, 0, 0x1807005
    .quad 0x1808003, 0x8000000001809007, 0x000100000180A007, 0x4000000007, 0x180C001, 0, 0, 0
    .fill 496, 8, 0

gdt:
    .quad 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFF3000000FFFF, 0x00AFFB000000FFFF
    .word 103, tss_low                         // 0x30: TSS
    .byte 0x10, 0x89, 0, 0
    .quad 0
gdt_end:
.set tss_low, tss - image                      // the image is at 0x100000: base bits 16..23 are 0x10
idt_pointer:
    .word 511
    .quad idt
    .balign 16
tss:
    .long 0
    .quad stack_top, 0, 0, 0
    .quad stack_top, 0, 0, 0, 0, 0, 0
    .quad 0
    .word 0, 104
left:   .quad 0
next:   .quad 0
frame:  .quad 0, 0, 0, 0, 0
result: .fill 22, 8, 0
    .balign 16
idt:    .fill 64, 8, 0
    .fill 4096, 1, 0
stack_top:
image_end:
