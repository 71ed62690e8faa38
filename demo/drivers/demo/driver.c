// demo.sys: entry point, and the thread that reports what the driver has done.
#include "demo.h"

PDEMO_DEVICE_EXTENSION DemoDeviceExtension;
static const WCHAR DemoName[] = L"Demonstration checksum device";

static NTSTATUS DemoStartThreads(PDEMO_DEVICE_EXTENSION extension) {
    NTSTATUS status = PsCreateSystemThread(NULL, DemoWorkerThread, extension, &extension->WorkerThread);
    if (NT_SUCCESS(status))
        status = PsCreateSystemThread(NULL, DemoReportThread, extension, &extension->ReportThread);
    return status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT driverObject, PUNICODE_STRING registryPath) {
    PDEVICE_OBJECT device;
    (void)registryPath;
    NTSTATUS status = IoCreateDevice(driverObject, sizeof(DEMO_DEVICE_EXTENSION), 0x22, &device);
    if (!NT_SUCCESS(status)) return status;

    PDEMO_DEVICE_EXTENSION extension = device->DeviceExtension;
    extension->Signature = DEMO_TAG;
    extension->DeviceObject = device;
    extension->NextSequenceNumber = 1;
    RtlInitUnicodeString(&extension->FriendlyName, DemoName);
    DemoInitializeQueue(&extension->Queue);
    DemoDeviceExtension = extension;

    driverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DemoDispatch;
    return DemoStartThreads(extension);
}

// Every two seconds one line, unless a debugger asked for quiet.
VOID DemoReportThread(PVOID context) {
    PDEMO_DEVICE_EXTENSION extension = context;
    for (;;) {
        KeDelayExecutionThread(2000);
        if (KdDemoQuiet) continue;
        DbgPrint("DEMO: processed %llu requests, queue depth %lu\n", extension->Statistics.Requests,
                 extension->Queue.Depth);
    }
}
