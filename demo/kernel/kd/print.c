// DbgPrint and the load-symbols notifications: the callers of int 2Dh.
#include "kdp.h"

// The last prints stay in a ring that a debugger can read (KDDEBUGGER_DATA64 points at it).
#define PRINT_BUFFER_SIZE 4096
CHAR KdPrintDefaultCircularBuffer[PRINT_BUFFER_SIZE];
PCHAR KdPrintCircularBuffer = KdPrintDefaultCircularBuffer;
PCHAR KdPrintCircularBufferEnd = KdPrintDefaultCircularBuffer + PRINT_BUFFER_SIZE;
PCHAR KdPrintWritePointer = KdPrintDefaultCircularBuffer;
ULONG KdPrintBufferSize = PRINT_BUFFER_SIZE;
ULONG KdPrintRolloverCount;
static KSPIN_LOCK KdpPrintLock;

static VOID KdLogDbgPrint(PCSTR text, SIZE_T length) {
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&KdpPrintLock);
    for (SIZE_T i = 0; i < length; i++) {
        *KdPrintWritePointer++ = text[i];
        if (KdPrintWritePointer < KdPrintCircularBufferEnd) continue;
        KdPrintWritePointer = KdPrintCircularBuffer;
        KdPrintRolloverCount++;
    }
    KeReleaseSpinLock(&KdpPrintLock, irql);
}

ULONG DbgPrint(PCSTR format, ...) {
    CHAR text[1024];
    __builtin_va_list args;
    __builtin_va_start(args, format);
    SIZE_T length = RtlFormat(text, sizeof(text), format, args);
    __builtin_va_end(args);
    KdLogDbgPrint(text, length);
    return (ULONG)DebugService(BREAKPOINT_PRINT, text, length, 0);
}

VOID DbgLoadImageSymbols(PCSTR path, PKD_SYMBOLS_INFO info) {
    DebugService(BREAKPOINT_LOAD_SYMBOLS, (PVOID)path, (ULONG64)info, 0);
}

VOID DbgUnLoadImageSymbols(PCSTR path, PKD_SYMBOLS_INFO info) {
    DebugService(BREAKPOINT_UNLOAD_SYMBOLS, (PVOID)path, (ULONG64)info, 0);
}
