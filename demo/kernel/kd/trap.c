// Entering and leaving the debugger, the requests that come through int 2Dh, and handing the conversation
// from one processor to another.
#include "kdp.h"

static KSPIN_LOCK KdpDebuggerLock;
ULONG KdpDeferredBugCheck; // asked for by the debugger, done after it was left
LONG KdpSwitchTarget = -1;
static volatile LONG KdpActiveProcessor = -1; // frozen processor that shall report, -1 none
static volatile KDP_CONTINUE KdpSwitchResult;

VOID KdInitSystem(VOID) {
    KdpPortInitialize();
    KiInitialPCR.KdVersionBlock = &KdVersionBlock;
    MiReportBootImage("demont.exe");
    if (KdPollBreakIn()) DbgBreakPointWithStatus(DBG_STATUS_CONTROL_C);
}

VOID KdCheckForDebugBreak(VOID) {
    if (!KiBugCheckActive && KdPollBreakIn()) DbgBreakPointWithStatus(DBG_STATUS_CONTROL_C);
}

// One processor talks to the debugger, the others stand still. Interrupts are off already (interrupt gates).
static VOID KdEnterDebugger(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef) {
    PKPROCESSOR_STATE state = &KeGetCurrentPrcb()->ProcessorState;
    KiAcquireLock(&KdpDebuggerLock);
    KeFreezeExecution();
    KiSaveProcessorControlState(state);
    KeContextFromKframes(tf, ef, &state->ContextFrame);
}

static VOID KdExitDebugger(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef) {
    PKPROCESSOR_STATE state = &KeGetCurrentPrcb()->ProcessorState;
    KdpSetOwedBreakpoints();
    KeContextToKframes(tf, ef, &state->ContextFrame);
    KiRestoreProcessorControlState(state);
    KeThawExecution();
    KiReleaseLock(&KdpDebuggerLock);
}

static PDBGKD_ANY_WAIT_STATE_CHANGE KdpStateChange(VOID) {
    static DBGKD_ANY_WAIT_STATE_CHANGE change;
    RtlZeroMemory(&change, sizeof(change));
    return &change;
}

static KDP_CONTINUE KdpReportException(PEXCEPTION_RECORD record, BOOLEAN firstChance, PCONTEXT context) {
    PDBGKD_ANY_WAIT_STATE_CHANGE change = KdpStateChange();
    change->NewState = DbgKdExceptionStateChange;
    change->u.Exception.ExceptionRecord = *record;
    change->u.Exception.FirstChance = firstChance;
    return KdpSendWaitContinue(change, NULL, context);
}

// The conversation about one stop. SwitchProcessor passes it to a frozen processor and it may come back.
static BOOLEAN KdpConverse(PEXCEPTION_RECORD record, BOOLEAN firstChance, PCONTEXT context) {
    LONG self = (LONG)KeGetCurrentPrcb()->Number;
    for (;;) {
        KDP_CONTINUE result = KdpReportException(record, firstChance, context);
        while (result == KdpContinueSwitch && KdpSwitchTarget != self) {
            KdpActiveProcessor = KdpSwitchTarget; // set by the request, cleared by the processor when done
            while (KdpActiveProcessor >= 0) YieldProcessor();
            result = KdpSwitchResult;
        }
        if (result != KdpContinueSwitch) return result == KdpContinueSuccess;
    }
}

// Called by a frozen processor again and again.
VOID KdpServeFrozenProcessor(VOID) {
    PKPRCB prcb = KeGetCurrentPrcb();
    if (KdpActiveProcessor != (LONG)prcb->Number) return;
    EXCEPTION_RECORD record;
    PCONTEXT context = &prcb->ProcessorState.ContextFrame;
    RtlZeroMemory(&record, sizeof(record));
    record.ExceptionCode = STATUS_WAKE_SYSTEM_DEBUGGER;
    record.ExceptionAddress = (PVOID)context->Rip;
    do
        KdpSwitchResult = KdpReportException(&record, TRUE, context);
    while (KdpSwitchResult == KdpContinueSwitch && KdpSwitchTarget == (LONG)prcb->Number);
    KdpActiveProcessor = -1;
}

// Reports an exception. TRUE when the debugger handled it: the frames may have been changed.
BOOLEAN KdTrap(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, PEXCEPTION_RECORD record, BOOLEAN firstChance) {
    if (!KdDebuggerEnabled) return FALSE;
    KdEnterDebugger(tf, ef);
    BOOLEAN handled = KdpConverse(record, firstChance, &KeGetCurrentPrcb()->ProcessorState.ContextFrame);
    KdpControlCPending = FALSE; // break-in bytes that came while stopped ask for the stop that just was
    KdExitDebugger(tf, ef);
    return handled;
}

VOID KdpFinishTrap(VOID) {
    ULONG code = KdpDeferredBugCheck;
    KdpDeferredBugCheck = 0;
    if (code) KeBugCheckEx(code, 0, 0, 0, 0);
}

static VOID KdpReportSymbols(PCSTR path, PKD_SYMBOLS_INFO info, BOOLEAN unload, PCONTEXT context) {
    PDBGKD_ANY_WAIT_STATE_CHANGE change = KdpStateChange();
    KD_BUFFER data = {(PVOID)path, path ? (ULONG)RtlStringLength(path) + 1 : 0, 0};
    change->NewState = DbgKdLoadSymbolsStateChange;
    change->u.LoadSymbols.PathNameLength = data.Length;
    change->u.LoadSymbols.BaseOfDll = (ULONG64)info->BaseOfDll;
    change->u.LoadSymbols.ProcessId = info->ProcessId;
    change->u.LoadSymbols.CheckSum = info->CheckSum;
    change->u.LoadSymbols.SizeOfImage = info->SizeOfImage;
    change->u.LoadSymbols.UnloadSymbols = unload;
    KdpSendWaitContinue(change, &data, context);
}

// Prints are split: each part fits a packet with room to spare.
#define PRINT_CHUNK 512
static VOID KdpPrint(PCHAR text, ULONG length) {
    while (length && !KdDebuggerNotPresent) {
        DBGKD_DEBUG_IO io = {DbgKdPrintStringApi, KeProcessorLevel, (USHORT)KeGetCurrentPrcb()->Number, 0, 0};
        KD_BUFFER header = {&io, sizeof(io), sizeof(io)};
        KD_BUFFER data = {text, length < PRINT_CHUNK ? length : PRINT_CHUNK, 0};
        io.LengthOfString = data.Length;
        KdSendPacket(PACKET_TYPE_KD_DEBUG_IO, &header, &data);
        text += data.Length;
        length -= data.Length;
    }
}

// int 2Dh: EAX = service, RDX and R8 its arguments. The instruction after it is an int3, skipped here.
VOID KdpDebugService(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef) {
    ULONG service = (ULONG)tf->Rax;
    PVOID pointer = (PVOID)tf->Rdx;
    tf->Rip++;
    if (!KdDebuggerEnabled || KdDebuggerNotPresent) return;
    KdEnterDebugger(tf, ef);
    PCONTEXT context = &KeGetCurrentPrcb()->ProcessorState.ContextFrame;
    if (service == BREAKPOINT_PRINT)
        KdpPrint(pointer, (ULONG)tf->R8);
    else if (service == BREAKPOINT_LOAD_SYMBOLS || service == BREAKPOINT_UNLOAD_SYMBOLS)
        KdpReportSymbols(pointer, (PKD_SYMBOLS_INFO)tf->R8, service == BREAKPOINT_UNLOAD_SYMBOLS, context);
    KdExitDebugger(tf, ef);
    KdpFinishTrap();
}
