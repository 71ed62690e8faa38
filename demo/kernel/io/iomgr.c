// I/O manager: driver and device objects, request packets, calling down to a driver.
#include "../include/ki.h"

#define IO_TYPE_DEVICE 3
#define IO_TYPE_DRIVER 4
#define IO_TYPE_IRP 6
#define MAXIMUM_DRIVERS 4

static PDRIVER_OBJECT IopDrivers[MAXIMUM_DRIVERS];

static NTSTATUS IopInvalidDeviceRequest(PDEVICE_OBJECT device, PIRP irp) {
    (void)device;
    irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    IoCompleteRequest(irp);
    return STATUS_INVALID_DEVICE_REQUEST;
}

static BOOLEAN IopIsDriver(PDRIVER_OBJECT driver, PCSTR name) {
    UNICODE_STRING *base = &driver->DriverSection->BaseDllName;
    SIZE_T length = RtlStringLength(name);
    if (base->Length != length * 2) return FALSE;
    for (SIZE_T i = 0; i < length; i++)
        if (base->Buffer[i] != (UCHAR)name[i]) return FALSE;
    return TRUE;
}

PDRIVER_OBJECT IopFindDriver(PCSTR name) {
    for (ULONG i = 0; i < MAXIMUM_DRIVERS; i++)
        if (IopDrivers[i] && IopIsDriver(IopDrivers[i], name)) return IopDrivers[i];
    return NULL;
}

static VOID IopFreeDriver(ULONG slot) {
    PDRIVER_OBJECT driver = IopDrivers[slot];
    IopDrivers[slot] = NULL;
    ExFreePoolWithTag(driver->DriverName.Buffer, 0);
    ExFreePoolWithTag(driver, 'virD');
}

// Makes the driver object and calls DriverEntry. name is the image's file name, for example "demo.sys".
NTSTATUS IopLoadDriver(PCSTR name, PKLDR_DATA_TABLE_ENTRY module) {
    UNICODE_STRING registryPath;
    CHAR text[48];
    ULONG slot = 0;
    while (slot < MAXIMUM_DRIVERS && IopDrivers[slot]) slot++;
    if (slot == MAXIMUM_DRIVERS) return STATUS_INSUFFICIENT_RESOURCES;
    PDRIVER_OBJECT driver = ExAllocatePoolWithTag(sizeof(*driver), 'virD');
    if (!driver) return STATUS_INSUFFICIENT_RESOURCES;
    driver->Type = IO_TYPE_DRIVER;
    driver->Size = sizeof(*driver);
    driver->DriverStart = module->DllBase;
    driver->DriverSize = module->SizeOfImage;
    driver->DriverSection = module;
    driver->DriverInit = (PDRIVER_INITIALIZE)module->EntryPoint;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) driver->MajorFunction[i] = IopInvalidDeviceRequest;
    SIZE_T stem = RtlStringLength(name);
    RtlFormatString(text, sizeof(text), "\\Driver\\%s", name);
    if (stem > 4) text[8 + stem - 4] = 0; // without ".sys"
    RtlAnsiToUnicode(&driver->DriverName, text);
    RtlInitUnicodeString(&registryPath, L"");
    IopDrivers[slot] = driver;
    NTSTATUS status = driver->DriverInit(driver, &registryPath);
    if (!NT_SUCCESS(status)) IopFreeDriver(slot);
    return status;
}

VOID IopUnloadDriver(PCSTR name) {
    for (ULONG i = 0; i < MAXIMUM_DRIVERS; i++) {
        if (!IopDrivers[i] || !IopIsDriver(IopDrivers[i], name)) continue;
        if (IopDrivers[i]->DriverUnload) IopDrivers[i]->DriverUnload(IopDrivers[i]);
        IopFreeDriver(i);
    }
}

NTSTATUS IoCreateDevice(PDRIVER_OBJECT driver, ULONG extensionSize, ULONG type, PDEVICE_OBJECT *out) {
    PDEVICE_OBJECT device = ExAllocatePoolWithTag(sizeof(*device) + extensionSize, 'iveD');
    if (!device) return STATUS_INSUFFICIENT_RESOURCES;
    device->Type = IO_TYPE_DEVICE;
    device->Size = (USHORT)(sizeof(*device) + extensionSize);
    device->DriverObject = driver;
    device->DeviceType = type;
    device->DeviceExtension = extensionSize ? device + 1 : NULL;
    device->StackSize = 1;
    device->NextDevice = driver->DeviceObject;
    driver->DeviceObject = device;
    *out = device;
    return STATUS_SUCCESS;
}

VOID IoDeleteDevice(PDEVICE_OBJECT device) {
    PDEVICE_OBJECT *link = &device->DriverObject->DeviceObject;
    while (*link && *link != device) link = &(*link)->NextDevice;
    if (*link) *link = device->NextDevice;
    ExFreePoolWithTag(device, 'iveD');
}

PIRP IoAllocateIrp(VOID) {
    PIRP irp = ExAllocatePoolWithTag(sizeof(*irp), ' prI');
    if (!irp) return NULL;
    irp->Type = IO_TYPE_IRP;
    irp->Size = sizeof(*irp);
    irp->StackCount = 1;
    irp->CurrentLocation = 0;
    irp->IoStatus.Status = STATUS_PENDING;
    InitializeListHead(&irp->ThreadListEntry);
    return irp;
}

VOID IoFreeIrp(PIRP irp) {
    ExFreePoolWithTag(irp, ' prI');
}

NTSTATUS IoCallDriver(PDEVICE_OBJECT device, PIRP irp) {
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    location->DeviceObject = device;
    return device->DriverObject->MajorFunction[location->MajorFunction](device, irp);
}

VOID IoCompleteRequest(PIRP irp) {
    if (irp->UserEvent) KeSetEvent(irp->UserEvent);
}

VOID IoInitSystem(VOID) {
    for (PLIST_ENTRY e = PsLoadedModuleList.Flink->Flink; e != &PsLoadedModuleList; e = e->Flink) {
        PKLDR_DATA_TABLE_ENTRY module = CONTAINING_RECORD(e, KLDR_DATA_TABLE_ENTRY, InLoadOrderLinks);
        CHAR name[32];
        ULONG length = module->BaseDllName.Length / 2;
        for (ULONG i = 0; i <= length && i < sizeof(name) - 1; i++) name[i] = i < length ? (CHAR)module->BaseDllName.Buffer[i] : 0;
        MiReportBootImage(name);
        NTSTATUS status = IopLoadDriver(name, module);
        if (!NT_SUCCESS(status)) DbgPrint("demont: %s failed to start, status 0x%08lx\n", name, (ULONG)status);
    }
}
