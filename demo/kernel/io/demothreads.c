// The threads that give a debugger something to see: two build requests for the demo driver, one watches the
// KdDemo* variables that a debugger writes to ask for an event.
#include "../../drivers/demo/demoioctl.h"
#include "../include/ki.h"
#include "../kd/kdp.h"

volatile ULONG KdDemoLoadPlug; // 1 loads demoplug.sys, 2 unloads it
volatile ULONG KdDemoBugCheck; // code to stop with
volatile ULONG KdDemoFault;    // DEMO_FAULT_*: raises an exception inside demo.sys
volatile ULONG KdDemoPrint;    // prints this many lines
volatile ULONG KdDemoReboot;   // 1 restarts the machine as an orderly shutdown does
volatile ULONG KdDemoQuiet;    // 1 stops the periodic prints

typedef struct _DEMO_CLIENT {
    PCSTR Name;
    ULONG IntervalMilliseconds;
    ULONG BytesPerRequest;
    ULONG RequestsSent;
} DEMO_CLIENT, *PDEMO_CLIENT;

static DEMO_CLIENT ExpDemoClients[] = {{"telemetry", 50, 32, 0}, {"journal", 80, 64, 0}};

// Sends one request to the demo driver and waits for its completion.
static NTSTATUS ExpSendDemoRequest(ULONG ioctl, PVOID buffer, ULONG length) {
    PDRIVER_OBJECT driver = IopFindDriver("demo.sys");
    PIRP irp = IoAllocateIrp();
    KEVENT done;
    if (!driver || !driver->DeviceObject || !irp) {
        if (irp) IoFreeIrp(irp);
        return STATUS_NO_SUCH_DEVICE;
    }
    KeInitializeEvent(&done, EventNotificationObject, FALSE);
    irp->UserEvent = &done;
    irp->SystemBuffer = buffer;
    irp->Thread = (PETHREAD)KeGetCurrentThread();
    irp->Stack[0].MajorFunction = IRP_MJ_DEVICE_CONTROL;
    irp->Stack[0].IoControlCode = ioctl;
    irp->Stack[0].InputBufferLength = length;
    InsertTailList(&irp->Thread->IrpList, &irp->ThreadListEntry);
    NTSTATUS status = IoCallDriver(driver->DeviceObject, irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, 0xFFFFFFFF);
        status = irp->IoStatus.Status;
    }
    RemoveEntryList(&irp->ThreadListEntry);
    IoFreeIrp(irp);
    return status;
}

static VOID ExpDemoClientThread(PVOID context) {
    PDEMO_CLIENT client = context;
    UCHAR data[64];
    for (;;) {
        for (ULONG i = 0; i < client->BytesPerRequest; i++) data[i] = (UCHAR)(client->RequestsSent + i);
        ExpSendDemoRequest(IOCTL_DEMO_CHECKSUM, data, client->BytesPerRequest);
        client->RequestsSent++;
        KeDelayExecutionThread(client->IntervalMilliseconds);
    }
}

static VOID ExpLoadOrUnloadPlug(ULONG request) {
    NTSTATUS status =
        request == 1 ? MmLoadSystemImage("demoplug.sys") : MmUnloadSystemImage("demoplug.sys");
    if (!NT_SUCCESS(status)) DbgPrint("demont: demoplug.sys: status 0x%08lx\n", (ULONG)status);
}

static VOID ExpReboot(VOID) {
    KD_SYMBOLS_INFO everything = {(PVOID)~0ULL, 0, 0, 0};
    DisableInterrupts();
    DbgUnLoadImageSymbols(NULL, &everything); // the debugger forgets every module
    HalReturnToFirmware();
}

static ULONG ExpTake(volatile ULONG *variable) {
    return __atomic_exchange_n(variable, 0, __ATOMIC_SEQ_CST);
}

static VOID ExpDemoCommandThread(PVOID context) {
    (void)context;
    for (;;) {
        ULONG value;
        if ((value = ExpTake(&KdDemoLoadPlug)) != 0) ExpLoadOrUnloadPlug(value);
        if ((value = ExpTake(&KdDemoFault)) != 0) {
            DEMO_FAULT_REQUEST fault = {value, NULL};
            ExpSendDemoRequest(IOCTL_DEMO_FAULT, &fault, sizeof(fault));
        }
        if ((value = ExpTake(&KdDemoPrint)) != 0)
            for (ULONG i = 1; i <= value && i <= 10000; i++) DbgPrint("demont: line %lu of %lu\n", i, value);
        if ((value = ExpTake(&KdDemoBugCheck)) != 0) KeBugCheckEx(value, 1, 2, 3, 4);
        if (ExpTake(&KdDemoReboot)) ExpReboot();
        KeDelayExecutionThread(20);
    }
}

VOID ExpStartDemoThreads(VOID) {
    PEPROCESS session = PspCreateProcess("demosess.exe", 0x1C8, PsInitialSystemProcess);
    PEPROCESS service = PspCreateProcess("demosvc.exe", 0x24C, session);
    PEPROCESS shell = PspCreateProcess("demoshell.exe", 0x3A4, session);
    PsCreateSystemThread(PsInitialSystemProcess, ExpDemoCommandThread, NULL, NULL);
    PsCreateSystemThread(service, ExpDemoClientThread, &ExpDemoClients[0], NULL);
    PsCreateSystemThread(shell, ExpDemoClientThread, &ExpDemoClients[1], NULL);
}
