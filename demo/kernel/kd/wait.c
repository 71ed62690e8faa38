// Sends a state change and answers the debugger's requests until it lets the target go on.
#include "kdp.h"

static UCHAR KdpMessageBuffer[PACKET_MAX_SIZE];

// The part of a state change that describes the processor. The target's own breakpoints inside the reported
// bytes are taken out first, so the stream shows original code.
static VOID KdpSetControlReport(PDBGKD_ANY_WAIT_STATE_CHANGE change, PCONTEXT context) {
    PKPRCB prcb = KeGetCurrentPrcb();
    PKSPECIAL_REGISTERS special = &prcb->ProcessorState.SpecialRegisters;
    PDBGKD_CONTROL_REPORT report = &change->ControlReport;
    change->ProcessorLevel = KeProcessorLevel;
    change->Processor = (USHORT)prcb->Number;
    change->NumberProcessors = (ULONG)KeNumberProcessors;
    change->Thread = (ULONG64)prcb->CurrentThread;
    change->ProgramCounter = context->Rip;
    report->Dr6 = special->KernelDr6;
    report->Dr7 = special->KernelDr7;
    report->EFlags = context->EFlags;
    report->SegCs = context->SegCs;
    report->SegDs = context->SegDs;
    report->SegEs = context->SegEs;
    report->SegFs = context->SegFs;
    report->ReportFlags = 3; // segments valid, standard code segment
    report->InstructionCount =
        (USHORT)KdpReadVirtual(context->Rip, report->InstructionStream, sizeof(report->InstructionStream));
    if (!report->InstructionCount) return;
    KdpDeleteBreakpointRange(context->Rip, context->Rip + report->InstructionCount - 1);
    KdpReadVirtual(context->Rip, report->InstructionStream, report->InstructionCount);
}

static VOID KdpSendReply(PKDP_REQUEST request) {
    KD_BUFFER header = {&request->State, sizeof(request->State), sizeof(request->State)};
    KdSendPacket(PACKET_TYPE_KD_STATE_MANIPULATE, &header, &request->Data);
}

KDP_CONTINUE KdpSendWaitContinue(PDBGKD_ANY_WAIT_STATE_CHANGE change, PKD_BUFFER data, PCONTEXT context) {
    static KDP_REQUEST request; // one conversation at a time, under the debugger lock
    KD_BUFFER stateHeader = {change, sizeof(*change), sizeof(*change)};
    KDP_CONTINUE result = KdpContinueError;
    KdpForgetContextRequests();
    KdpSetControlReport(change, context);
    for (;;) {
        KdSendPacket(PACKET_TYPE_KD_STATE_CHANGE64, &stateHeader, data);
        if (KdDebuggerNotPresent) return KdpContinueSuccess; // a load-symbols message that nobody took
        for (;;) {
            KD_BUFFER header = {&request.State, 0, sizeof(request.State)};
            request.Data = (KD_BUFFER){KdpMessageBuffer, 0, sizeof(KdpMessageBuffer) - sizeof(request.State)};
            request.Context = context;
            KDP_STATUS status = KdReceivePacket(PACKET_TYPE_KD_STATE_MANIPULATE, &header, &request.Data);
            if (status == KDP_PACKET_TIMEOUT) continue;
            if (status == KDP_PACKET_RESEND) break; // send the state change again
            KDP_ACTION action = KdpManipulate(&request, &result);
            if (action == KdpReply) KdpSendReply(&request);
            if (action == KdpContinue) return result;
            if (action == KdpSwitched) return KdpContinueSwitch;
        }
    }
}
