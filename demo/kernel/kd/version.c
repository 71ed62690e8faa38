// What a debugger asks first: the version packet and the debugger data block.
#include "debuggerdata.h"
#include "kdp.h"

extern UCHAR __ImageBase[];
extern UCHAR RtlpBreakWithStatusInstruction[];
extern CHAR NtBuildLab[];
extern PCHAR KdPrintCircularBuffer, KdPrintCircularBufferEnd, KdPrintWritePointer;
extern ULONG KdPrintRolloverCount, KdPrintBufferSize;
__declspec(dllexport) extern KDDEBUGGER_DATA64 KdDebuggerDataBlock;
LIST_ENTRY KdpDebuggerDataListHead = {(PLIST_ENTRY)&KdDebuggerDataBlock, (PLIST_ENTRY)&KdDebuggerDataBlock};

#define ADDRESS(x) ((ULONG64) & (x))
#define OFFSET(type, field) FIELD_OFFSET(type, field)

KDDEBUGGER_DATA64 KdDebuggerDataBlock = {
    .ListFlink = ADDRESS(KdpDebuggerDataListHead),
    .ListBlink = ADDRESS(KdpDebuggerDataListHead),
    .OwnerTag = 0x4742444B, // "KDBG"
    .Size = sizeof(KDDEBUGGER_DATA64),
    .KernBase = ADDRESS(__ImageBase),
    .BreakpointWithStatus = ADDRESS(RtlpBreakWithStatusInstruction),
    .PaeEnabled = 1,
    .PsLoadedModuleList = ADDRESS(PsLoadedModuleList),
    .PsActiveProcessHead = ADDRESS(PsActiveProcessHead),
    .KeTimeIncrement = ADDRESS(KeTimeIncrement),
    .KiBugcheckData = ADDRESS(KiBugcheckData),
    .MmLowestPhysicalPage = ADDRESS(MmLowestPhysicalPage),
    .MmHighestPhysicalPage = ADDRESS(MmHighestPhysicalPage),
    .MmNumberOfPhysicalPages = ADDRESS(MmNumberOfPhysicalPages),
    .MmPageSize = PAGE_SIZE,
    .MmAvailablePages = ADDRESS(MmAvailablePages),
    .MmHighestUserAddress = ADDRESS(MmHighestUserAddress),
    .MmSystemRangeStart = ADDRESS(MmSystemRangeStart),
    .MmUserProbeAddress = ADDRESS(MmUserProbeAddress),
    .KdPrintCircularBuffer = ADDRESS(KdPrintCircularBuffer),
    .KdPrintCircularBufferEnd = ADDRESS(KdPrintCircularBufferEnd),
    .KdPrintWritePointer = ADDRESS(KdPrintWritePointer),
    .KdPrintRolloverCount = ADDRESS(KdPrintRolloverCount),
    .NtBuildLab = ADDRESS(NtBuildLab),
    .KiProcessorBlock = ADDRESS(KiProcessorBlock),
    .OffsetKThreadNextProcessor = OFFSET(KTHREAD, NextProcessor),
    .OffsetKThreadTeb = OFFSET(KTHREAD, Teb),
    .OffsetKThreadKernelStack = OFFSET(KTHREAD, KernelStack),
    .OffsetKThreadInitialStack = OFFSET(KTHREAD, InitialStack),
    .OffsetKThreadApcProcess = OFFSET(KTHREAD, ApcState.Process),
    .OffsetKThreadState = OFFSET(KTHREAD, State),
    .SizeEProcess = sizeof(EPROCESS),
    .OffsetEprocessPeb = OFFSET(EPROCESS, Peb),
    .OffsetEprocessParentCID = OFFSET(EPROCESS, InheritedFromUniqueProcessId),
    .OffsetEprocessDirectoryTableBase = OFFSET(EPROCESS, Pcb.DirectoryTableBase),
    .SizePrcb = sizeof(KPRCB),
    .OffsetPrcbDpcRoutine = OFFSET(KPRCB, DpcRoutine),
    .OffsetPrcbCurrentThread = OFFSET(KPRCB, CurrentThread),
    .OffsetPrcbMhz = OFFSET(KPRCB, MHz),
    .OffsetPrcbCpuType = OFFSET(KPRCB, CpuType),
    .OffsetPrcbVendorString = OFFSET(KPRCB, VendorString),
    .OffsetPrcbProcStateContext = OFFSET(KPRCB, ProcessorState.ContextFrame),
    .OffsetPrcbNumber = OFFSET(KPRCB, Number),
    .SizeEThread = sizeof(ETHREAD),
    .KdPrintCircularBufferPtr = ADDRESS(KdPrintCircularBuffer),
    .KdPrintBufferSize = ADDRESS(KdPrintBufferSize),
    .KeLoaderBlock = ADDRESS(KeLoaderBlock),
    .SizePcr = sizeof(KPCR),
    .OffsetPcrSelfPcr = OFFSET(KPCR, Self),
    .OffsetPcrCurrentPrcb = OFFSET(KPCR, CurrentPrcb),
    .OffsetPcrContainedPrcb = OFFSET(KPCR, Prcb),
    .OffsetPrcbProcStateSpecialReg = OFFSET(KPRCB, ProcessorState.SpecialRegisters),
    .GdtR0Code = KGDT64_R0_CODE,
    .GdtR0Data = KGDT64_R0_DATA,
    .GdtR3Code = KGDT64_R3_CODE,
    .GdtR3Data = KGDT64_R3_DATA,
    .GdtR3Teb = KGDT64_R3_CMTEB,
    .GdtTss = KGDT64_SYS_TSS,
    .Gdt64R3CmCode = KGDT64_R3_CMCODE,
    .Gdt64R3CmTeb = KGDT64_R3_CMTEB,
    .OffsetPrcbContext = OFFSET(KPRCB, Context),
    .OffsetKThreadStackLimit = OFFSET(KTHREAD, StackLimit),
    .OffsetKThreadStackBase = OFFSET(KTHREAD, StackBase),
    .OffsetKThreadQueueListEntry = OFFSET(KTHREAD, QueueListEntry),
    .OffsetEThreadIrpList = OFFSET(ETHREAD, IrpList),
    .OffsetPrcbIdleThread = OFFSET(KPRCB, IdleThread),
    .OffsetPrcbDpcStack = OFFSET(KPRCB, DpcStack),
    .OffsetPrcbIsrStack = OFFSET(KPRCB, IsrStack),
    .OffsetKThreadWaitReason = OFFSET(KTHREAD, WaitReason),
    .PteBase = MM_PTE_BASE,
};

#define VERSION_FLAG_MP 1
#define VERSION_FLAG_DATA 2
#define VERSION_FLAG_PTR64 4

DBGKD_GET_VERSION64 KdVersionBlock = {
    .MajorVersion = 0x000F, // NT, free build
    .MinorVersion = 1,      // NtBuildNumber
    .ProtocolVersion = 6,
    .KdSecondaryVersion = 2, // current AMD64 context
    .Flags = VERSION_FLAG_MP | VERSION_FLAG_DATA | VERSION_FLAG_PTR64,
    .MachineType = 0x8664,
    .MaxPacketType = 0x0C,
    .MaxStateChange = 3,
    .MaxManipulate = 0x31,
    .KernBase = ADDRESS(__ImageBase),
    .PsLoadedModuleList = ADDRESS(PsLoadedModuleList),
    .DebuggerDataList = ADDRESS(KdpDebuggerDataListHead),
};

VOID KdpGetVersionApi(PKDP_REQUEST r) {
    r->State.u.Version = KdVersionBlock;
    r->Data.Length = 0;
    r->State.ReturnStatus = STATUS_SUCCESS;
}
