// Exceptions, privilege, debugging and devices, one test after another; each sends a line of text. features.txt is what
// a processor says (and QEMU does); the machine must say the same.
#include "start.h"

.set COM1, 0x3F8
.set PLAY, 0x40000000                          // page 0 free, 1 read-only, 2 no-execute, 3 user code, 4 user data

// ---- reporting: every macro keeps all registers except RAX, RCX, RDX, RSI, RDI ----------------------------------------

.macro say text
    call 9f
    .asciz "\text"
9:  pop rsi
    call print_text
.endm

// The value to print, an operand of MOV.
.macro show value:vararg
    mov rax, \value
    call print_hex
.endm

// Names a test, and where to go on after the exception it should raise.
.macro expect name
    say "\name"
    lea rax, [rip + 8f]
    mov qword ptr [resume], rax
    mov qword ptr [saved_rsp], rsp
.endm

.macro endtest
8:  call print_newline
.endm

main:
    call make_idt
    mov eax, 0x30
    ltr ax

    say "registers"                            // ---- fixed bits
    str eax
    call print_hex
    sldt eax
    call print_hex
    mov rax, dr6
    call print_hex
    mov rax, dr7
    call print_hex
    mov eax, 0xFFFF03FF
    mov dr7, rax
    mov rax, dr7
    call print_hex
    mov eax, 0x400
    mov dr7, rax
    smsw rax
    call print_hex
    mov rax, cr4
    call print_hex
    call print_newline

    expect "int3"                              // ---- exceptions
    int3
    endtest
    expect "ud2"
    ud2
    endtest
    expect "divide by zero"
    xor ecx, ecx
    div rcx
    endtest
    expect "divide overflow"
    mov edx, 1
    xor eax, eax
    mov ecx, 1
    div ecx
    endtest
    expect "idiv overflow"
    mov rax, 0x8000000000000000
    cqo
    mov rcx, -1
    idiv rcx
    endtest
    expect "read nothing"
    mov rax, qword ptr [0x30000000]
    endtest
    expect "write nothing"
    mov qword ptr [0x30000000], rax
    endtest
    expect "jump nowhere"
    mov eax, 0x30000000
    jmp rax
    endtest
    expect "write read-only"
    mov byte ptr [PLAY + 0x1000], 1
    endtest
    expect "no-execute"
    mov eax, PLAY + 0x2000
    jmp rax
    endtest
    expect "non-canonical"
    mov rax, 0x800000000000
    mov al, byte ptr [rax]
    endtest
    expect "null selector"
    mov eax, 0x5008
    mov ds, eax
    endtest
    expect "not present"
    mov eax, 0x40
    mov es, eax
    endtest
    expect "int through empty gate"
    int 0x30
    endtest
    expect "too long"
    .fill 14, 1, 0x66
    mov eax, 0x12345678
    endtest

    say "write protect off"
    mov rax, cr0
    btr rax, 16
    mov cr0, rax
    mov byte ptr [PLAY + 0x1000], 0x5A
    bts rax, 16
    mov cr0, rax
    movzx eax, byte ptr [PLAY + 0x1000]
    call print_hex
    call print_newline

    say "accessed and dirty"
    mov al, byte ptr [PLAY + 0x4000]
    show qword ptr [playground + 32]
    mov byte ptr [PLAY + 0x4000], 1
    show qword ptr [playground + 32]
    call print_newline

    expect "double fault"                      // the gate of #PF is taken away
    mov byte ptr [idt + 14 * 16 + 5], 0x0E
    mov al, byte ptr [0x30000000]
    endtest
    mov byte ptr [idt + 14 * 16 + 5], 0x8E

    expect "single step"                       // ---- debugging
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    nop
    nop
    endtest
    expect "single step over mov ss"
    mov ecx, ss
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    mov ss, ecx
    nop
    nop
    endtest
    expect "single step over pushf"
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    pushfq
    endtest
    show qword ptr [saved_rsp_at_trap]
    mov rax, qword ptr [saved_rsp_at_trap]
    show qword ptr [rax]
    call print_newline
    expect "single step of rep"
    mov esi, PLAY
    mov edi, PLAY + 0x100
    mov ecx, 3
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    rep movsb
    endtest
    expect "single step of int3"
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    int3
    endtest
    expect "single step of a fault"
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    ud2
    endtest

    expect "execute breakpoint"
    lea rax, [rip + 1f]
    mov dr0, rax
    mov eax, 0x401
    mov dr7, rax
    nop
1:  nop
    nop
    endtest
    say "resume flag"                          // the handler sets RF and goes on
    mov byte ptr [set_rf], 1
    mov dword ptr [hits], 0
    lea rax, [rip + 1f]
    mov dr1, rax
    mov eax, 0x404
    mov dr7, rax
    mov ecx, 3
1:  dec ecx
    jnz 1b
    mov byte ptr [set_rf], 0
    xor eax, eax
    mov dr7, rax
    mov eax, dword ptr [hits]
    call print_hex
    call print_newline

.macro watch name, control, address:vararg
    mov rax, \address
    mov dr2, rax
    xor eax, eax
    mov dr6, rax
    expect "\name"
    mov eax, 0x400 | 0x20 | \control << 24
    mov dr7, rax
.endm
    watch "watch write, 1", 1, PLAY+5
    mov byte ptr [PLAY + 5], 1
    nop
    endtest
    watch "watch write, missed", 1, PLAY+5
    mov byte ptr [PLAY + 4], 1
    mov al, byte ptr [PLAY + 5]
    mov byte ptr [PLAY + 6], 1
    int3
    endtest
    watch "watch write, 2", 5, PLAY+6
    mov byte ptr [PLAY + 7], 1
    nop
    endtest
    watch "watch write, 4 by 8", 13, PLAY+4
    mov qword ptr [PLAY], rax
    nop
    endtest
    watch "watch write, 8", 9, PLAY+8
    mov dword ptr [PLAY + 12], eax
    nop
    endtest
    watch "watch read or write, read", 3, PLAY+9
    mov ax, word ptr [PLAY + 8]
    nop
    endtest
    watch "watch a push", 9, offset stack_top - 8
    mov rsp, offset stack_top
    push 7
    nop
    endtest
    watch "watch rep stos", 1, PLAY+0x42
    mov edi, PLAY + 0x40
    mov ecx, 8
    rep stosb
    endtest
    show rcx
    call print_newline
    xor eax, eax
    mov dr7, rax

    expect "code changed just ahead"           // ---- self-modifying code
    mov byte ptr [rip + 1f], 0xCC
    nop
1:  nop
    nop
    endtest

    say "user mode"                            // ---- privilege
    mov esi, offset user_code
    mov edi, PLAY + 0x3000
    mov ecx, offset user_end
    sub ecx, offset user_code
    rep movsb
    call print_newline
.macro user name, entry
    expect "\name"
    push 0x23
    push PLAY + 0x5000
    push 0x2
    push 0x2B
    mov eax, offset \entry
    sub eax, offset user_code
    add eax, PLAY + 0x3000
    push rax
    iretq
    endtest
.endm
    user "user int3", user_int3
    user "user cli", user_cli
    user "user hlt", user_hlt
    user "user in", user_in
    user "user int 1", user_int1
    user "user reads kernel", user_read
    user "user writes read-only", user_write
    user "user steps", user_step
    user "user stack", user_stack
    user "user wrong cs", user_far

    mov ecx, 0xC0000081                        // SYSCALL: kernel 0x10/0x18, user 0x1B+8, +16
    xor eax, eax
    mov edx, 0x001B0010
    wrmsr
    inc ecx
    mov eax, offset system_call
    xor edx, edx
    wrmsr
    mov ecx, 0xC0000084
    mov eax, 0x40500
    wrmsr
    user "system call", user_syscall
    user "system call, stepped", user_syscall_step

    say "swapgs"
    mov ecx, 0xC0000101
    mov eax, 0x1111
    xor edx, edx
    wrmsr
    inc ecx
    mov eax, 0x2222
    wrmsr
    swapgs
    dec ecx
    rdmsr
    call print_hex
    mov ecx, 0xC0000102
    rdmsr
    call print_hex
    call print_newline

    say "far return"
    push 0x10
    lea rax, [rip + 1f]
    push rax
    retfq
1:  mov eax, cs
    call print_hex
    call print_newline

    say "lar lsl verr verw"
    mov ecx, 0x18
    lar eax, ecx
    call print_hex
    lsl eax, ecx
    call print_hex
    mov ecx, 0x10
    verw cx
    setz al
    movzx eax, al
    call print_hex
    verr cx
    setz al
    movzx eax, al
    call print_hex
    call print_newline

    say "fxsave"
    mov rax, 0x1122334455667788
    movq xmm3, rax
    movq xmm9, rax
    fxsave64 [fx_area]
    xorps xmm3, xmm3
    show qword ptr [fx_area + 160 + 48]
    fxrstor64 [fx_area]
    movq rax, xmm3
    call print_hex
    movups xmmword ptr [fx_area], xmm9
    show qword ptr [fx_area]
    call print_newline

    say "pic and pit"                          // ---- devices
    mov al, 0x11
    out 0x20, al
    out 0xA0, al
    mov al, 0x20
    out 0x21, al
    mov al, 0x28
    out 0xA1, al
    mov al, 4
    out 0x21, al
    mov al, 2
    out 0xA1, al
    mov al, 1
    out 0x21, al
    out 0xA1, al
    mov al, 0xFE
    out 0x21, al
    mov al, 0xFF
    out 0xA1, al
    in al, 0x21
    movzx eax, al
    call print_hex
    mov al, 0x34
    out 0x43, al
    mov al, 0xA9                               // about 1000 Hz
    out 0x40, al
    mov al, 0x04
    out 0x40, al
    mov dword ptr [ticks], 0
1:  sti
    hlt
    cli
    cmp dword ptr [ticks], 5
    jb 1b
    say " ticks"
    mov al, 0xE2                               // read back the status of channel 0
    out 0x43, al
    in al, 0x40
    and al, 0x3F
    movzx eax, al
    call print_hex
    call print_newline

    say "interrupt shadow"                     // the instruction after STI comes before the interrupt
    mov dword ptr [ticks], 0
2:  mov al, 0x0A                               // wait until one is requested
    out 0x20, al
    in al, 0x20
    test al, 1
    jz 2b
    sti
    mov ebx, dword ptr [ticks]
    mov edx, dword ptr [ticks]
    cli
    show rbx
    mov al, 0xFF
    out 0x21, al
    call print_newline

    say "uart"
    mov edx, COM1 + 7
    mov al, 0x5A
    out dx, al
    in al, dx
    movzx eax, al
    call print_hex
    mov edx, COM1 + 3
    mov al, 0x83
    out dx, al
    mov edx, COM1
    mov al, 1
    out dx, al
    in al, dx
    mov bl, al
    mov edx, COM1 + 3
    mov al, 3
    out dx, al
    movzx eax, bl
    call print_hex
    mov edx, COM1 + 2
    mov al, 7
    out dx, al
    in al, dx
    movzx eax, al
    call print_hex
    mov edx, COM1 + 4                          // loop back: a byte comes in again
    mov al, 0x10
    out dx, al
    mov edx, COM1
    mov al, 0x77
    out dx, al
    mov edx, COM1 + 5
1:  in al, dx
    test al, 1
    jz 1b
    mov edx, COM1
    in al, dx
    mov bl, al
    mov edx, COM1 + 4
    mov al, 3
    out dx, al
    movzx eax, bl
    call print_hex
    mov edx, COM1 + 5
    in al, dx
    movzx eax, al
    call print_hex
    call print_newline

    say "cmos"
    mov al, 0x0B
    out 0x70, al
    in al, 0x71
    movzx eax, al
    call print_hex
    mov al, 0x32
    out 0x70, al
    in al, 0x71
    movzx eax, al
    call print_hex
    call print_newline

    say "no device"
    mov edx, 0x1234
    in al, dx
    movzx eax, al
    call print_hex
    call print_newline

    say "triple fault"
    call print_newline
    lidt [no_idt]
    int3

// ---- user code, copied to PLAY + 0x3000; its stack is at PLAY + 0x5000 -----------------------------------------------

user_code:
user_int3:
    int3
user_cli:
    cli
user_hlt:
    hlt
user_in:
    mov edx, COM1
    in al, dx
user_int1:
    int 1
user_read:
    mov rax, qword ptr [main]
user_write:
    mov byte ptr [PLAY + 0x1000], 1
user_step:
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    nop
    nop
user_stack:
    mov esp, 0x30000008
    push rax
user_far:
    push 0x13
    push 0
    retfq
user_syscall:
    mov r8, 0x1234
    std
    syscall
    int3
user_syscall_step:
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    syscall
    nop
    int3
user_end:

// RFLAGS as they were go out; FMASK takes TF, IF, DF, AC.
system_call:
    mov r9, r11
    mov r10, rcx
    mov r12, rsp
    pushfq
    pop r13
    mov rsp, offset stack_top - 0x800
    show r13
    mov rax, r9
    call print_hex
    lea rax, [r10 - PLAY]
    call print_hex
    mov eax, ss
    call print_hex
    cld
    mov rsp, r12
    mov rcx, r10
    mov r11, r9
    sysretq

// ---- exceptions: print vector, error code, offset of RIP, CS, RFLAGS without RF, and what belongs to the vector -----

// Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
handler:
    cmp byte ptr [set_rf], 0
    jne with_rf
    mov rbx, rsp
    mov rax, qword ptr [rbx + 40]
    mov qword ptr [saved_rsp_at_trap], rax
    mov r15, rcx
    show [rbx]
    show [rbx + 8]
    mov rax, qword ptr [rbx + 16]
    mov rcx, offset main
    sub rax, rcx
    call print_hex
    show [rbx + 24]
    mov rax, qword ptr [rbx + 32]
    btr rax, 16
    call print_hex
    cmp qword ptr [rbx], 14
    jne 1f
    mov rax, cr2
    call print_hex
1:  cmp qword ptr [rbx], 1
    jne 2f
    mov rax, dr6
    call print_hex
    mov rax, dr7
    call print_hex
2:  xor eax, eax
    mov dr7, rax
    mov dr6, rax
    mov rcx, r15
    mov rsp, qword ptr [saved_rsp]
    push 2
    popfq
    mov rax, qword ptr [resume]
    jmp rax

with_rf:
    inc dword ptr [hits]
    bts qword ptr [rsp + 32], 16
    add rsp, 16
    iretq

timer:
    push rax
    inc dword ptr [ticks]
    mov al, 0x20
    out 0x20, al
    pop rax
    iretq

// ---- printing --------------------------------------------------------------------------------------------------------

print_char:                                    // AL; keeps all
    push rdx
    mov edx, COM1
    out dx, al
    pop rdx
    ret
print_newline:
    mov al, 10
    jmp print_char
print_text:                                    // RSI: text up to a zero; returns to the instruction behind it
    pop rdi
    jmp 2f
1:  call print_char
2:  lodsb
    test al, al
    jnz 1b
    jmp rdi
print_hex:                                     // RAX, with a space before it and no leading zeros
    push rcx
    push rdx
    mov rdx, rax
    mov al, 32
    call print_char
    mov ecx, 60
1:  test ecx, ecx                              // skip zeros
    jz 2f
    mov rax, rdx
    shr rax, cl
    jnz 2f
    sub ecx, 4
    jmp 1b
2:  mov rax, rdx
    shr rax, cl
    and eax, 15
    cmp al, 10
    jb 3f
    add al, 39
3:  add al, 48
    call print_char
    sub ecx, 4
    jns 2b
    pop rdx
    pop rcx
    ret

make_idt:
    mov edi, offset idt
    mov eax, offset stubs
    mov ecx, 33
1:  mov word ptr [rdi], ax
    mov word ptr [rdi + 2], 0x10
    mov word ptr [rdi + 4], 0x8E00
    mov edx, eax
    shr edx, 16
    mov word ptr [rdi + 6], dx
    add eax, 16
    add rdi, 16
    dec ecx
    jnz 1b
    mov byte ptr [idt + 3 * 16 + 5], 0xEE      // INT3 is for everyone
    mov byte ptr [idt + 1 * 16 + 4], 1         // #DB and #DF on stacks of their own
    mov byte ptr [idt + 8 * 16 + 4], 2
    mov eax, offset timer
    mov word ptr [idt + 32 * 16], ax
    shr eax, 16
    mov word ptr [idt + 32 * 16 + 6], ax
    lidt [idt_pointer]
    ret

    .balign 16
stubs:
.set vector, 0
.rept 33
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
.rept 16
    .quad frame_address + 0x83
    .set frame_address, frame_address + 0x200000
.endr
    .fill 496, 8, 0
pd2:
    .quad playground + 7
    .fill 511, 8, 0
playground:
    .quad 0x1800003, 0x1801005, 0x8000000001802003, 0x1803007, 0x1804007
    .fill 507, 8, 0

gdt:
    .quad 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFF3000000FFFF, 0x00AFFB000000FFFF
    .word 103, tss - image                     // 0x30: TSS
    .byte 0x10, 0x89, 0, 0
    .quad 0
    .quad 0x00CF13000000FFFF                   // 0x40: data, not present
gdt_end:
no_idt:
    .word 0
    .quad 0
idt_pointer:
    .word 0x20F
    .quad idt
    .balign 16
tss:
    .long 0
    .quad stack_top - 0x400, 0, 0, 0
    .quad stack_top - 0x1000, stack_top - 0x1800, 0, 0, 0, 0, 0
    .quad 0
    .word 0, 104
resume: .quad 0
saved_rsp: .quad 0
saved_rsp_at_trap: .quad 0
hits:   .long 0
ticks:  .long 0
set_rf: .long 0
    .balign 16
idt:    .fill 2 * 49, 8, 0
    .balign 16
fx_area: .fill 512, 1, 0
    .fill 8192, 1, 0
    .balign 16
stack_top:
image_end:
