// I/O ports and model-specific registers for the debugger.
#include "kdp.h"

static NTSTATUS KdpPortAccess(ULONG64 port, ULONG size, PULONG value, BOOLEAN write) {
    USHORT p = (USHORT)port;
    if (size != 1 && size != 2 && size != 4) return STATUS_INVALID_PARAMETER;
    if (port > 0xFFFF || port & (size - 1)) return STATUS_DATATYPE_MISALIGNMENT;
    if (write) {
        if (size == 1) OutByte(p, (UCHAR)*value);
        else if (size == 2) OutWord(p, (USHORT)*value);
        else OutDword(p, *value);
    } else {
        *value = size == 1 ? InByte(p) : size == 2 ? InWord(p) : InDword(p);
    }
    return STATUS_SUCCESS;
}

VOID KdpIoSpaceApi(PKDP_REQUEST r, BOOLEAN write) {
    ULONG value = r->State.u.Io.DataValue;
    r->Data.Length = 0;
    r->State.ReturnStatus = KdpPortAccess(r->State.u.Io.Address, r->State.u.Io.DataSize, &value, write);
    r->State.u.Io.DataValue = value;
}

VOID KdpIoSpaceExtendedApi(PKDP_REQUEST r, BOOLEAN write) {
    ULONG value = r->State.u.IoExtended.DataValue;
    r->Data.Length = 0;
    // Only bus 0 and the I/O space (1) exist.
    if (r->State.u.IoExtended.BusNumber != 0 || r->State.u.IoExtended.AddressSpace != 1)
        r->State.ReturnStatus = STATUS_INVALID_PARAMETER;
    else
        r->State.ReturnStatus =
            KdpPortAccess(r->State.u.IoExtended.Address, r->State.u.IoExtended.DataSize, &value, write);
    r->State.u.IoExtended.DataValue = value;
}

VOID KdpReadMsrApi(PKDP_REQUEST r) {
    ULONG64 value = 0;
    r->Data.Length = 0;
    r->State.ReturnStatus =
        KiReadMsrSafe(r->State.u.MachineRegister.Msr, &value) ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
    r->State.u.MachineRegister.Low = (ULONG)value;
    r->State.u.MachineRegister.High = (ULONG)(value >> 32);
}

VOID KdpWriteMsrApi(PKDP_REQUEST r) {
    ULONG64 value = (ULONG64)r->State.u.MachineRegister.High << 32 | r->State.u.MachineRegister.Low;
    r->Data.Length = 0;
    r->State.ReturnStatus =
        KiWriteMsrSafe(r->State.u.MachineRegister.Msr, value) ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}
