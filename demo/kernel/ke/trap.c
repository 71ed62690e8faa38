// From a processor exception to an EXCEPTION_RECORD, the debugger, and if nobody wants it a bugcheck.
#include "../kd/kdp.h"
#include "../include/ki.h"

static VOID KiRaise(PEXCEPTION_RECORD record, NTSTATUS code, ULONG count, ULONG64 p0, ULONG64 p1) {
    record->ExceptionCode = code;
    record->NumberParameters = count;
    record->ExceptionInformation[0] = p0;
    record->ExceptionInformation[1] = p1;
}

// There are no handlers to search in this kernel: an exception that the debugger does not take at the first or
// the second chance ends in KeBugCheckEx.
static VOID KiDispatchException(PEXCEPTION_RECORD record, PKEXCEPTION_FRAME ef, PKTRAP_FRAME tf) {
    if (KdTrap(tf, ef, record, TRUE)) return;
    if (KdTrap(tf, ef, record, FALSE)) return;
    if (KiBugCheckActive) { // a break inside the bugcheck that the debugger declined: step over it
        if (record->ExceptionCode == STATUS_BREAKPOINT) tf->Rip++;
        return;
    }
    if (record->ExceptionCode == STATUS_ACCESS_VIOLATION &&
        record->ExceptionInformation[1] >= MM_SYSTEM_RANGE_START && record->ExceptionInformation[1] != ~0ULL)
        KeBugCheckEx(0x50, record->ExceptionInformation[1], record->ExceptionInformation[0], tf->Rip, 0);
    KeBugCheckEx(0x1E, (ULONG64)(LONG64)record->ExceptionCode, (ULONG64)record->ExceptionAddress,
                 record->ExceptionInformation[0], record->ExceptionInformation[1]);
}

// Called by the stubs in traps.S with interrupts off.
VOID KiTrapDispatch(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, ULONG vector) {
    EXCEPTION_RECORD record;
    ULONG64 cr2;

    tf->PreviousIrql = KeGetPcr()->Irql;
    tf->ExceptionActive = 1;
    ef->TrapFrame = (ULONG64)tf;
    RtlZeroMemory(&record, sizeof(record));
    record.ExceptionAddress = (PVOID)tf->Rip;

    switch (vector) {
    case 0:
        record.ExceptionCode = STATUS_INTEGER_DIVIDE_BY_ZERO;
        break;
    case 1:
        record.ExceptionCode = STATUS_SINGLE_STEP;
        break;
    case 3: // reported at the int3, not after it
        tf->Rip--;
        record.ExceptionAddress = (PVOID)tf->Rip;
        KiRaise(&record, STATUS_BREAKPOINT, 1, BREAKPOINT_BREAK, 0);
        break;
    case 4:
        record.ExceptionCode = STATUS_INTEGER_OVERFLOW;
        break;
    case 6:
        record.ExceptionCode = STATUS_ILLEGAL_INSTRUCTION;
        break;
    case 13:
        if ((tf->Rip == (ULONG64)KiReadMsrInstruction || tf->Rip == (ULONG64)KiWriteMsrInstruction)) {
            tf->Rip = (ULONG64)KiMsrFault;
            return;
        }
        // The processor does not say which address; NT reports a read of all ones.
        KiRaise(&record, STATUS_ACCESS_VIOLATION, 2, 0, ~0ULL);
        break;
    case 14:
        cr2 = ReadCr2();
        tf->FaultAddress = cr2;
        KiRaise(&record, STATUS_ACCESS_VIOLATION, 2, tf->ErrorCode & 0x10 ? 8 : (tf->ErrorCode & 2) >> 1, cr2);
        break;
    case 0x2D:
        KdpDebugService(tf, ef);
        return;
    default: // UNEXPECTED_KERNEL_MODE_TRAP
        KeBugCheckEx(0x7F, vector, (ULONG64)tf, tf->Rip, tf->Rsp);
    }
    KiDispatchException(&record, ef, tf);
    KdpFinishTrap();
}
