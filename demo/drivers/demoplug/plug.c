// demoplug.sys: a driver to load and unload while a debugger watches.
#include "../../kernel/include/ntddk.h"

typedef struct _PLUG_STATE {
    ULONG Version;
    ULONG64 LoadTime;
    CHAR Message[32];
} PLUG_STATE;

__declspec(dllexport) PLUG_STATE PlugState = {1, 0, "hello from demoplug"};

__declspec(dllexport) VOID PlugUnload(PDRIVER_OBJECT driverObject) {
    (void)driverObject;
    DbgPrint("DEMOPLUG: unloading\n");
}

__declspec(dllexport) VOID PlugGreet(ULONG version) {
    PlugState.LoadTime = KeQueryInterruptTime();
    DbgPrint("DEMOPLUG: version %lu says %s\n", version, PlugState.Message);
}

__declspec(dllexport) NTSTATUS DriverEntry(PDRIVER_OBJECT driverObject, PUNICODE_STRING registryPath) {
    (void)registryPath;
    driverObject->DriverUnload = PlugUnload;
    PlugGreet(PlugState.Version);
    return STATUS_SUCCESS;
}
