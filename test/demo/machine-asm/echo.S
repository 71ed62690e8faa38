// Sends back every byte that comes over COM1, slowly: it reads LSR often and one byte at a time. FF resets the machine;
// FE makes it sleep with interrupts off.
#include "start.h"

.set COM1, 0x3F8

main:
    mov edx, COM1
    mov al, '>'
    out dx, al
wait:
    mov edx, COM1 + 5
    in al, dx
    test al, 1
    jz wait
    mov edx, COM1
    in al, dx
    cmp al, 0xFF
    je reset
    cmp al, 0xFE
    je sleep
    out dx, al
    mov ecx, 20
1:  loop 1b
    jmp wait
sleep:
    cli
    hlt
    jmp sleep
reset:
    mov al, 0xFE
    out 0x64, al
2:  jmp 2b

    .balign 4096
pml4:
    .quad pdpt + 7
    .fill 511, 8, 0
pdpt:
    .quad pd + 7
    .fill 511, 8, 0
pd:
    .quad 0x83
    .fill 511, 8, 0
gdt:
    .quad 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
gdt_end:
    .fill 1024, 1, 0
stack_top:
image_end:
