// Dispatcher objects a thread can wait for: events, semaphores, and the passing of time.
#include "../include/ki.h"

static LIST_ENTRY KiDelayListHead = {&KiDelayListHead, &KiDelayListHead};

#define MILLISECONDS_PER_TICK 10
#define WAIT_FOREVER 0xFFFFFFFF

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK lock) {
    KIRQL enabled = KiDisableInterrupts();
    KiAcquireLock(lock);
    return enabled;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK lock, KIRQL enabled) {
    KiReleaseLock(lock);
    KiRestoreInterrupts(enabled);
}

// Takes a waiting thread out of every list and makes it ready. Dispatcher lock held.
static VOID KiUnwaitThread(PKTHREAD thread, NTSTATUS status) {
    if (thread->WaitObject) RemoveEntryList(&thread->WaitListEntry);
    if (thread->WakeTime) RemoveEntryList(&thread->DelayListEntry);
    thread->WaitObject = NULL;
    thread->WakeTime = 0;
    thread->WaitStatus = (ULONG64)(LONG64)status;
    KiReadyThread(thread);
}

// Blocks the current thread. Dispatcher lock held, returns with it held.
VOID KiWaitThread(PVOID object, KWAIT_REASON reason, ULONG milliseconds) {
    PKTHREAD thread = KeGetCurrentThread();
    thread->WaitReason = (UCHAR)reason;
    thread->WaitObject = object;
    thread->WakeTime = 0;
    if (object) InsertTailList(&((DISPATCHER_HEADER *)object)->WaitListHead, &thread->WaitListEntry);
    if (milliseconds != WAIT_FOREVER) {
        thread->WakeTime = KeTickCount + 1 + (milliseconds + MILLISECONDS_PER_TICK - 1) / MILLISECONDS_PER_TICK;
        InsertTailList(&KiDelayListHead, &thread->DelayListEntry);
    }
    thread->State = Waiting;
    KiSwapThread();
}

// Clock tick: end the waits whose time has come. Dispatcher lock held.
VOID KiExpireWaits(VOID) {
    PLIST_ENTRY entry = KiDelayListHead.Flink;
    while (entry != &KiDelayListHead) {
        PKTHREAD thread = CONTAINING_RECORD(entry, KTHREAD, DelayListEntry);
        entry = entry->Flink;
        if (thread->WakeTime <= KeTickCount) KiUnwaitThread(thread, STATUS_TIMEOUT);
    }
}

static VOID KiInitializeHeader(DISPATCHER_HEADER *header, UCHAR type, UCHAR bytes, LONG state) {
    header->Type = type;
    header->Size = bytes / 4;
    header->SignalState = state;
    InitializeListHead(&header->WaitListHead);
}

VOID KeInitializeEvent(PKEVENT event, KOBJECTS type, BOOLEAN state) {
    KiInitializeHeader(&event->Header, (UCHAR)type, sizeof(*event), state);
}

VOID KeInitializeSemaphore(PKSEMAPHORE semaphore, LONG count, LONG limit) {
    KiInitializeHeader(&semaphore->Header, SemaphoreObject, sizeof(*semaphore), count);
    semaphore->Limit = limit;
}

static PKTHREAD KiFirstWaiter(DISPATCHER_HEADER *header) {
    if (IsListEmpty(&header->WaitListHead)) return NULL;
    return CONTAINING_RECORD(header->WaitListHead.Flink, KTHREAD, WaitListEntry);
}

LONG KeSetEvent(PKEVENT event) {
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&KiDispatcherLock);
    LONG previous = event->Header.SignalState;
    PKTHREAD waiter = KiFirstWaiter(&event->Header);
    if (waiter && event->Header.Type == EventSynchronizationObject) {
        KiUnwaitThread(waiter, STATUS_SUCCESS); // wakes one and stays not signalled
    } else {
        event->Header.SignalState = 1;
        while ((waiter = KiFirstWaiter(&event->Header)) != NULL) KiUnwaitThread(waiter, STATUS_SUCCESS);
    }
    KeReleaseSpinLock(&KiDispatcherLock, irql);
    return previous;
}

LONG KeReleaseSemaphore(PKSEMAPHORE semaphore, LONG adjustment) {
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&KiDispatcherLock);
    LONG previous = semaphore->Header.SignalState;
    PKTHREAD waiter;
    while (adjustment > 0 && (waiter = KiFirstWaiter(&semaphore->Header)) != NULL) {
        KiUnwaitThread(waiter, STATUS_SUCCESS);
        adjustment--;
    }
    semaphore->Header.SignalState += adjustment;
    if (semaphore->Header.SignalState > semaphore->Limit) semaphore->Header.SignalState = semaphore->Limit;
    KeReleaseSpinLock(&KiDispatcherLock, irql);
    return previous;
}

NTSTATUS KeWaitForSingleObject(PVOID object, ULONG milliseconds) {
    DISPATCHER_HEADER *header = object;
    NTSTATUS status = STATUS_SUCCESS;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&KiDispatcherLock);
    if (header->SignalState > 0) {
        if (header->Type != EventNotificationObject) header->SignalState--;
    } else if (milliseconds == 0) {
        status = STATUS_TIMEOUT;
    } else {
        KiWaitThread(object, Executive, milliseconds);
        status = (NTSTATUS)KeGetCurrentThread()->WaitStatus;
    }
    KeReleaseSpinLock(&KiDispatcherLock, irql);
    return status;
}

VOID KeDelayExecutionThread(ULONG milliseconds) {
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&KiDispatcherLock);
    KiWaitThread(NULL, DelayExecution, milliseconds);
    KeReleaseSpinLock(&KiDispatcherLock, irql);
}
