// The request queue: a linked list under a spin lock, a semaphore that counts it, and the worker that empties it.
#include "demo.h"

VOID DemoInitializeQueue(PREQUEST_QUEUE queue) {
    InitializeListHead(&queue->ListHead);
    KeInitializeSemaphore(&queue->Available, 0, 0x7FFFFFFF);
    queue->Depth = 0;
    queue->HighWater = 0;
}

NTSTATUS DemoQueueRequest(PREQUEST_QUEUE queue, PREQUEST request) {
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
    request->State = RequestQueued;
    InsertTailList(&queue->ListHead, &request->ListEntry);
    queue->Depth++;
    if (queue->Depth > queue->HighWater) queue->HighWater = queue->Depth;
    KeReleaseSpinLock(&queue->Lock, irql);
    KeReleaseSemaphore(&queue->Available, 1);
    return STATUS_PENDING;
}

// Waits for a request.
PREQUEST DemoDequeueRequest(PREQUEST_QUEUE queue) {
    PREQUEST request = NULL;
    KeWaitForSingleObject(&queue->Available, 0xFFFFFFFF);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
    if (!IsListEmpty(&queue->ListHead)) {
        PLIST_ENTRY entry = RemoveHeadList(&queue->ListHead);
        request = CONTAINING_RECORD(entry, REQUEST, ListEntry);
        request->State = RequestActive;
        queue->Depth--;
    }
    KeReleaseSpinLock(&queue->Lock, irql);
    return request;
}

// Remembers the result and hands the packet back to its owner.
VOID DemoCompleteRequest(PDEMO_DEVICE_EXTENSION extension, PREQUEST request) {
    DEMO_RESULT result = DemoChecksum(request->Data, request->Length);
    DEMO_HISTORY_ENTRY *entry = &extension->History[extension->HistoryIndex++ % DEMO_HISTORY];
    PIRP irp = request->Irp;

    entry->SequenceNumber = request->SequenceNumber;
    entry->Result = result;
    entry->ProcessId = request->Thread->Cid.UniqueProcess;
    extension->Statistics.Requests++;
    extension->Statistics.Bytes += request->Length;
    extension->Statistics.BytesPerPriority[request->Flags.Priority & 3] += request->Length;

    request->State = RequestDone;
    ExFreePoolWithTag(request, DEMO_TAG);
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = result.Value;
    IoCompleteRequest(irp);
}

VOID DemoWorkerThread(PVOID context) {
    PDEMO_DEVICE_EXTENSION extension = context;
    for (;;) {
        PREQUEST request = DemoDequeueRequest(&extension->Queue);
        if (request) DemoCompleteRequest(extension, request);
    }
}
