// Exceptions on request, so that a debugger can see one with driver code on the stack.
#include "demo.h"

static volatile ULONG DemoDivisor; // stays zero

static NOINLINE VOID DemoBreak(VOID) {
    DbgBreakPoint();
}

static NOINLINE VOID DemoWriteTo(volatile ULONG *address, ULONG value) {
    *address = value;
}

static NOINLINE ULONG DemoReadFrom(volatile ULONG *address) {
    return *address;
}

static NOINLINE ULONG DemoDivide(ULONG dividend) {
    return dividend / DemoDivisor;
}

static NOINLINE VOID DemoInvalidOpcode(VOID) {
    __asm__ volatile("ud2");
}

NTSTATUS DemoFault(PDEMO_FAULT_REQUEST fault) {
    ULONG result = 0;
    switch (fault->Kind) {
    case DEMO_FAULT_BREAKPOINT:
        DemoBreak();
        break;
    case DEMO_FAULT_NULL_WRITE:
        DemoWriteTo(fault->Address, 0xDE40);
        break;
    case DEMO_FAULT_DIVIDE:
        result = DemoDivide(1000);
        break;
    case DEMO_FAULT_INVALID_OPCODE:
        DemoInvalidOpcode();
        break;
    case DEMO_FAULT_NONCANONICAL:
        DemoWriteTo((ULONG *)0x8000000000000000ULL, 0xDE40);
        break;
    case DEMO_FAULT_SYSTEM_READ:
        result = DemoReadFrom((ULONG *)0xFFFFFA8000000000ULL);
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    return result ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
