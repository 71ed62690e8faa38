// One request of the debugger: which handler, and what happens next.
#include "kdp.h"

// A negative status means not handled; the control set counts otherwise.
static KDP_ACTION KdpContinueApi(PKDP_REQUEST r, BOOLEAN second, KDP_CONTINUE *result) {
    NTSTATUS status = r->State.u.Continue2.ContinueStatus;
    *result = NT_SUCCESS(status) ? KdpContinueSuccess : KdpContinueError;
    if (!second || !NT_SUCCESS(status)) return KdpContinue;
    if (r->State.u.Continue2.TraceFlag)
        r->Context->EFlags |= EFLAGS_TF;
    else
        r->Context->EFlags &= ~EFLAGS_TF;
    for (LONG i = 0; i < KeNumberProcessors; i++) {
        if (!KiProcessorBlock[i]) continue;
        KiProcessorBlock[i]->ProcessorState.SpecialRegisters.KernelDr7 = r->State.u.Continue2.Dr7;
        KiProcessorBlock[i]->ProcessorState.SpecialRegisters.KernelDr6 = 0;
    }
    return KdpContinue;
}

// Handlers that answer with a data packet.
static VOID KdpAnswer(PKDP_REQUEST r) {
    switch (r->State.ApiNumber) {
    case DbgKdReadVirtualMemoryApi: KdpReadMemoryApi(r, FALSE); break;
    case DbgKdWriteVirtualMemoryApi: KdpWriteMemoryApi(r, FALSE); break;
    case DbgKdReadPhysicalMemoryApi: KdpReadMemoryApi(r, TRUE); break;
    case DbgKdWritePhysicalMemoryApi: KdpWriteMemoryApi(r, TRUE); break;
    case DbgKdGetContextApi: KdpGetContextApi(r); break;
    case DbgKdSetContextApi: KdpSetContextApi(r); break;
    case DbgKdGetContextExApi: KdpGetContextExApi(r); break;
    case DbgKdSetContextExApi: KdpSetContextExApi(r); break;
    case DbgKdReadControlSpaceApi: KdpReadControlSpaceApi(r); break;
    case DbgKdWriteControlSpaceApi: KdpWriteControlSpaceApi(r); break;
    case DbgKdWriteBreakPointApi: KdpWriteBreakPointApi(r); break;
    case DbgKdRestoreBreakPointApi: KdpRestoreBreakPointApi(r); break;
    case DbgKdReadIoSpaceApi: KdpIoSpaceApi(r, FALSE); break;
    case DbgKdWriteIoSpaceApi: KdpIoSpaceApi(r, TRUE); break;
    case DbgKdReadIoSpaceExtendedApi: KdpIoSpaceExtendedApi(r, FALSE); break;
    case DbgKdWriteIoSpaceExtendedApi: KdpIoSpaceExtendedApi(r, TRUE); break;
    case DbgKdReadMachineSpecificRegisterApi: KdpReadMsrApi(r); break;
    case DbgKdWriteMachineSpecificRegisterApi: KdpWriteMsrApi(r); break;
    case DbgKdGetVersionApi: KdpGetVersionApi(r); break;
    case DbgKdSearchMemoryApi: KdpSearchMemoryApi(r); break;
    case DbgKdFillMemoryApi: KdpFillMemoryApi(r); break;
    case DbgKdQueryMemoryApi: KdpQueryMemoryApi(r); break;
    case DbgKdCheckLowMemoryApi:
        r->Data.Length = 0;
        r->State.ReturnStatus = STATUS_SUCCESS;
        break;
    case DbgKdGetBusDataApi: // this machine has no PCI bus
    case DbgKdSetBusDataApi:
        r->Data.Length = 0;
        r->State.u.Bus.Length = 0;
        r->State.ReturnStatus = STATUS_UNSUCCESSFUL;
        break;
    default: // unknown, or known and not supported: the header goes back with an error
        r->Data.Length = 0;
        r->State.ReturnStatus =
            r->State.ApiNumber >= 0x3130 && r->State.ApiNumber <= 0x3160 ? STATUS_UNSUCCESSFUL : STATUS_NOT_IMPLEMENTED;
    }
}

KDP_ACTION KdpManipulate(PKDP_REQUEST r, KDP_CONTINUE *result) {
    switch (r->State.ApiNumber) {
    case DbgKdContinueApi:
        return KdpContinueApi(r, FALSE, result);
    case DbgKdContinueApi2:
        return KdpContinueApi(r, TRUE, result);
    case DbgKdRebootApi:
        HalReturnToFirmware();
    case DbgKdCauseBugCheckApi: // MANUALLY_INITIATED_CRASH, once the debugger has been left
        KdpDeferredBugCheck = 0xE2;
        *result = KdpContinueSuccess;
        return KdpContinue;
    case DbgKdSwitchProcessorApi:
        if (r->State.Processor >= (ULONG)KeNumberProcessors || !KiProcessorBlock[r->State.Processor])
            KdpSwitchTarget = (LONG)KeGetCurrentPrcb()->Number; // report again from here
        else
            KdpSwitchTarget = r->State.Processor;
        return KdpSwitched;
    case DbgKdClearAllInternalBreakpointsApi:
        return KdpNoReply;
    default:
        KdpAnswer(r);
        return KdpReply;
    }
}
