// From a request packet to a queued REQUEST: DemoDispatch -> DemoProcessRequest -> DemoQueueRequest.
#include "demo.h"

NTSTATUS DemoDispatch(PDEVICE_OBJECT deviceObject, PIRP irp) {
    PDEMO_DEVICE_EXTENSION extension = deviceObject->DeviceExtension;
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    NTSTATUS status;

    switch (location->IoControlCode) {
    case IOCTL_DEMO_CHECKSUM:
        status = DemoProcessRequest(extension, irp, location);
        break;
    case IOCTL_DEMO_FAULT:
        status = DemoFault(irp->SystemBuffer);
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
    }
    if (status != STATUS_PENDING) {
        irp->IoStatus.Status = status;
        IoCompleteRequest(irp);
    }
    return status;
}

static ULONG DemoChoosePriority(ULONG length) {
    static const ULONG limits[] = {16, 32, 48};
    ULONG priority = 0;
    while (priority < 3 && length > limits[priority]) priority++;
    return priority;
}

// Copies the caller's bytes into a new REQUEST and queues it for the worker thread.
NTSTATUS DemoProcessRequest(PDEMO_DEVICE_EXTENSION extension, PIRP irp, PIO_STACK_LOCATION location) {
    ULONG length = location->InputBufferLength;
    if (length == 0 || length > DEMO_MAXIMUM_DATA) {
        extension->Statistics.Failures++;
        return STATUS_INVALID_PARAMETER;
    }

    PREQUEST request = ExAllocatePoolWithTag(sizeof(REQUEST), DEMO_TAG);
    if (!request) return STATUS_INSUFFICIENT_RESOURCES;
    ULONG priority = DemoChoosePriority(length);
    request->SequenceNumber = __atomic_fetch_add(&extension->NextSequenceNumber, 1, __ATOMIC_SEQ_CST);
    request->Irp = irp;
    request->Thread = irp->Thread;
    request->ArrivalTime = KeQueryInterruptTime();
    request->Flags.Priority = priority;
    request->Flags.Urgent = priority == 0;
    request->Length = length;
    RtlCopyMemory(request->Data, irp->SystemBuffer, length);
    return DemoQueueRequest(&extension->Queue, request);
}
