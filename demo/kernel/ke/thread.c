// Round-robin scheduler: one ready list for all processors, one dispatcher lock, an idle thread per processor.
#include "../include/ki.h"

KSPIN_LOCK KiDispatcherLock;
static LIST_ENTRY KiReadyListHead = {&KiReadyListHead, &KiReadyListHead};

#define QUANTUM_TICKS 2

PKTHREAD KeGetCurrentThread(VOID) {
    return KeGetCurrentPrcb()->CurrentThread;
}

ULONG KeGetCurrentProcessorNumber(VOID) {
    return KeGetCurrentPrcb()->Number;
}

KIRQL KeGetCurrentIrql(VOID) {
    return KeGetPcr()->Irql;
}

// What KiSwapContext leaves on a stack and expects on the next one.
typedef struct _KSWITCH_FRAME {
    ULONG64 P1Home, P2Home, P3Home, P4Home, P5Home;
    ULONG64 R15, R14, R13, R12, Rsi, Rdi, Rbx, Rbp;
    ULONG64 Return;
} KSWITCH_FRAME, *PKSWITCH_FRAME;
C_ASSERT(sizeof(KSWITCH_FRAME) == 0x70);
PKSWITCH_FRAME KiSwitchFrameType; // keeps the type in the PDB

VOID KiInitializeThread(PKTHREAD thread, PKPROCESS process, PVOID stackBase) {
    thread->Header.Type = ThreadObject;
    InitializeListHead(&thread->Header.WaitListHead);
    InitializeListHead(&thread->ApcState.ApcListHead[0]);
    InitializeListHead(&thread->ApcState.ApcListHead[1]);
    InitializeListHead(&thread->QueueListEntry);
    thread->ApcState.Process = process;
    thread->Process = process;
    thread->StackBase = thread->InitialStack = stackBase;
    thread->StackLimit = (PUCHAR)stackBase - KERNEL_STACK_SIZE;
    thread->Priority = thread->BasePriority = 8;
    thread->QuantumTarget = QUANTUM_TICKS;
    thread->State = Initialized;
    InsertTailList(&process->ThreadListHead, &thread->ThreadListEntry);
}

// First routine on a new thread's stack (called by KiThreadStartup).
VOID KiThreadEntered(VOID) {
    KiReleaseLock(&KiDispatcherLock);
    KeGetPcr()->Irql = PASSIVE_LEVEL;
    EnableInterrupts();
}

VOID KiReadyThread(PKTHREAD thread) {
    thread->State = Ready;
    InsertTailList(&KiReadyListHead, &thread->WaitListEntry);
}

static PKTHREAD KiSelectNextThread(PKPRCB prcb) {
    if (IsListEmpty(&KiReadyListHead)) return prcb->IdleThread;
    return CONTAINING_RECORD(RemoveHeadList(&KiReadyListHead), KTHREAD, WaitListEntry);
}

// Gives the processor to the next ready thread. The lock travels with the processor: whoever runs next
// releases it.
VOID KiSwapThread(VOID) {
    PKPRCB prcb = KeGetCurrentPrcb();
    PKTHREAD old = prcb->CurrentThread;
    PKTHREAD next = KiSelectNextThread(prcb);
    if (next == old) {
        old->State = Running;
        return;
    }
    next->State = Running;
    next->NextProcessor = prcb->Number;
    next->QuantumTarget = QUANTUM_TICKS;
    next->ContextSwitches++;
    prcb->KeContextSwitches++;
    prcb->CurrentThread = next;
    prcb->RspBase = (ULONG64)next->StackBase;
    KeGetPcr()->TssBase->Rsp0 = prcb->RspBase;
    if (next->Process->DirectoryTableBase != ReadCr3()) WriteCr3(next->Process->DirectoryTableBase);
    KiSwapContext(old, next);
}

// Clock tick on this processor, interrupts off: account the time, preempt when the turn is over.
VOID KiQuantumTick(VOID) {
    PKPRCB prcb = KeGetCurrentPrcb();
    PKTHREAD thread = prcb->CurrentThread;
    BOOLEAN idle = thread == prcb->IdleThread;
    thread->KernelTime++;
    thread->Process->KernelTime++;
    if (thread->QuantumTarget) thread->QuantumTarget--;
    if (!idle && thread->QuantumTarget) return;
    KiAcquireLock(&KiDispatcherLock);
    if (IsListEmpty(&KiReadyListHead)) {
        thread->QuantumTarget = QUANTUM_TICKS;
    } else {
        if (idle)
            thread->State = Ready; // the idle thread is in no list
        else
            KiReadyThread(thread);
        KiSwapThread();
    }
    KiReleaseLock(&KiDispatcherLock);
}

VOID KiIdleLoop(VOID) {
    PKPRCB prcb = KeGetCurrentPrcb();
    KeGetPcr()->Irql = DISPATCH_LEVEL;
    for (;;) {
        DisableInterrupts();
        KiAcquireLock(&KiDispatcherLock);
        if (!IsListEmpty(&KiReadyListHead)) {
            prcb->IdleThread->State = Ready;
            KiSwapThread();
        }
        KiReleaseLock(&KiDispatcherLock);
        prcb->IdleHalt = 1;
        __asm__ volatile("sti; hlt" : : : "memory"); // no interrupt can come between the two
        prcb->IdleHalt = 0;
    }
}

VOID KiHaltForever(VOID) {
    for (;;) __asm__ volatile("cli; hlt");
}
