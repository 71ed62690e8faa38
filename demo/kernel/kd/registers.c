// Registers for the debugger: contexts and control space of any processor. The processor that stopped and the
// frozen ones all keep their state in their PRCB; what is written there is loaded when they go on.
#include "kdp.h"

static BOOLEAN KdpContextSent; // SetContext is refused unless a context was read in this stop
static CONTEXT KdpStagedContext;
static ULONG KdpStagedBytes;

VOID KdpForgetContextRequests(VOID) {
    KdpContextSent = FALSE;
    KdpStagedBytes = 0;
}

static PKPRCB KdpPrcb(PKDP_REQUEST r) {
    ULONG number = r->State.Processor;
    return number < (ULONG)KeNumberProcessors && number < MAXIMUM_PROCESSORS ? KiProcessorBlock[number] : NULL;
}

static VOID KdpFail(PKDP_REQUEST r, NTSTATUS status) {
    r->Data.Length = 0;
    r->State.ReturnStatus = status;
}

VOID KdpGetContextApi(PKDP_REQUEST r) {
    PKPRCB prcb = KdpPrcb(r);
    if (!prcb) {
        KdpFail(r, STATUS_UNSUCCESSFUL);
        return;
    }
    RtlCopyMemory(r->Data.Buffer, &prcb->ProcessorState.ContextFrame, sizeof(CONTEXT));
    r->Data.Length = sizeof(CONTEXT);
    r->State.ReturnStatus = STATUS_SUCCESS;
    KdpContextSent = TRUE;
}

VOID KdpSetContextApi(PKDP_REQUEST r) {
    PKPRCB prcb = KdpPrcb(r);
    if (!prcb || !KdpContextSent || r->Data.Length < sizeof(CONTEXT)) {
        KdpFail(r, STATUS_UNSUCCESSFUL);
        return;
    }
    RtlCopyMemory(&prcb->ProcessorState.ContextFrame, r->Data.Buffer, sizeof(CONTEXT));
    KdpFail(r, STATUS_SUCCESS);
}

static BOOLEAN KdpIsSlice(PKDP_REQUEST r) {
    ULONG offset = r->State.u.ContextEx.Offset, count = r->State.u.ContextEx.ByteCount;
    return offset <= sizeof(CONTEXT) && count <= sizeof(CONTEXT) - offset;
}

VOID KdpGetContextExApi(PKDP_REQUEST r) {
    PKPRCB prcb = KdpPrcb(r);
    r->State.u.ContextEx.BytesCopied = 0;
    if (!prcb || !KdpIsSlice(r)) {
        KdpFail(r, STATUS_UNSUCCESSFUL);
        return;
    }
    ULONG count = r->State.u.ContextEx.ByteCount;
    RtlCopyMemory(r->Data.Buffer, (PUCHAR)&prcb->ProcessorState.ContextFrame + r->State.u.ContextEx.Offset, count);
    r->Data.Length = count;
    r->State.u.ContextEx.BytesCopied = count;
    r->State.ReturnStatus = STATUS_SUCCESS;
    KdpContextSent = TRUE;
}

// Slices are collected; the last one, which reaches the total size given in BytesCopied, sets the context.
VOID KdpSetContextExApi(PKDP_REQUEST r) {
    PKPRCB prcb = KdpPrcb(r);
    ULONG offset = r->State.u.ContextEx.Offset, count = r->State.u.ContextEx.ByteCount;
    ULONG total = r->State.u.ContextEx.BytesCopied;
    r->State.u.ContextEx.BytesCopied = 0;
    if (!prcb || !KdpContextSent || !KdpIsSlice(r) || count > r->Data.Length || total > sizeof(CONTEXT)) {
        KdpFail(r, STATUS_UNSUCCESSFUL);
        return;
    }
    if (offset == 0) KdpStagedContext = prcb->ProcessorState.ContextFrame; // bytes nobody sends stay as they are
    else if (offset != KdpStagedBytes) {
        KdpFail(r, STATUS_UNSUCCESSFUL);
        return;
    }
    RtlCopyMemory((PUCHAR)&KdpStagedContext + offset, r->Data.Buffer, count);
    KdpStagedBytes = offset + count;
    if (KdpStagedBytes == total) prcb->ProcessorState.ContextFrame = KdpStagedContext;
    r->State.u.ContextEx.BytesCopied = count;
    KdpFail(r, STATUS_SUCCESS);
}

VOID KdpReadControlSpaceApi(PKDP_REQUEST r) {
    PKPRCB prcb = KdpPrcb(r);
    PKPCR pcr = prcb ? CONTAINING_RECORD(prcb, KPCR, Prcb) : NULL;
    PKTHREAD thread = prcb ? prcb->CurrentThread : NULL;
    const VOID *source;
    ULONG size = sizeof(PVOID);
    ULONG64 index = r->State.u.Memory.TargetBaseAddress;
    if (index == 0) source = &pcr;
    else if (index == 1) source = &prcb;
    else if (index == 2 && prcb) source = &prcb->ProcessorState.SpecialRegisters, size = sizeof(KSPECIAL_REGISTERS);
    else if (index == 3) source = &thread;
    else source = NULL;
    if (!prcb || !source) {
        r->State.u.Memory.ActualBytes = 0;
        KdpFail(r, STATUS_UNSUCCESSFUL);
        return;
    }
    if (size > r->State.u.Memory.TransferCount) size = r->State.u.Memory.TransferCount;
    RtlCopyMemory(r->Data.Buffer, source, size);
    r->Data.Length = size;
    r->State.u.Memory.ActualBytes = size;
    r->State.ReturnStatus = STATUS_SUCCESS;
}

VOID KdpWriteControlSpaceApi(PKDP_REQUEST r) {
    PKPRCB prcb = KdpPrcb(r);
    ULONG size = r->State.u.Memory.TransferCount;
    if (size > r->Data.Length) size = r->Data.Length;
    r->State.u.Memory.ActualBytes = 0;
    if (!prcb || r->State.u.Memory.TargetBaseAddress != 2 || size > sizeof(KSPECIAL_REGISTERS)) {
        KdpFail(r, STATUS_UNSUCCESSFUL);
        return;
    }
    RtlCopyMemory(&prcb->ProcessorState.SpecialRegisters, r->Data.Buffer, size);
    r->State.u.Memory.ActualBytes = size;
    KdpFail(r, STATUS_SUCCESS);
}
