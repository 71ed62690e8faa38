// KDDEBUGGER_DATA64: the block that tells a debugger where the kernel keeps things. Fields are addresses of
// variables unless their name says size, offset, selector or value; 0 = this kernel has no such thing.
// Layout: the public header's, up to PteBase.
#pragma once
#include "kdp.h"

typedef struct _KDDEBUGGER_DATA64 {
    ULONG64 ListFlink, ListBlink;
    ULONG OwnerTag, Size;
    ULONG64 KernBase, BreakpointWithStatus, SavedContext; // 0x18
    USHORT ThCallbackStack, NextCallback, FramePointer; // 0x30
    USHORT PaeEnabled; // 0x36
    ULONG64 KiCallUserMode, KeUserCallbackDispatcher, PsLoadedModuleList; // 0x38
    ULONG64 PsActiveProcessHead, PspCidTable, ExpSystemResourcesList; // 0x50
    ULONG64 ExpPagedPoolDescriptor, ExpNumberOfPagedPools, KeTimeIncrement; // 0x68
    ULONG64 KeBugCheckCallbackListHead, KiBugcheckData, IopErrorLogListHead; // 0x80
    ULONG64 ObpRootDirectoryObject, ObpTypeObjectType, MmSystemCacheStart; // 0x98
    ULONG64 MmSystemCacheEnd, MmSystemCacheWs, MmPfnDatabase; // 0xB0
    ULONG64 MmSystemPtesStart, MmSystemPtesEnd, MmSubsectionBase; // 0xC8
    ULONG64 MmNumberOfPagingFiles, MmLowestPhysicalPage, MmHighestPhysicalPage; // 0xE0
    ULONG64 MmNumberOfPhysicalPages, MmMaximumNonPagedPoolInBytes, MmNonPagedSystemStart; // 0xF8
    ULONG64 MmNonPagedPoolStart, MmNonPagedPoolEnd, MmPagedPoolStart; // 0x110
    ULONG64 MmPagedPoolEnd, MmPagedPoolInformation, MmPageSize; // 0x128
    ULONG64 MmSizeOfPagedPoolInBytes, MmTotalCommitLimit, MmTotalCommittedPages; // 0x140
    ULONG64 MmSharedCommit, MmDriverCommit, MmProcessCommit; // 0x158
    ULONG64 MmPagedPoolCommit, MmExtendedCommit, MmZeroedPageListHead; // 0x170
    ULONG64 MmFreePageListHead, MmStandbyPageListHead, MmModifiedPageListHead; // 0x188
    ULONG64 MmModifiedNoWritePageListHead, MmAvailablePages, MmResidentAvailablePages; // 0x1A0
    ULONG64 PoolTrackTable, NonPagedPoolDescriptor, MmHighestUserAddress; // 0x1B8
    ULONG64 MmSystemRangeStart, MmUserProbeAddress, KdPrintCircularBuffer; // 0x1D0
    ULONG64 KdPrintCircularBufferEnd, KdPrintWritePointer, KdPrintRolloverCount; // 0x1E8
    ULONG64 MmLoadedUserImageList, NtBuildLab, KiNormalSystemCall; // 0x200
    ULONG64 KiProcessorBlock, MmUnloadedDrivers, MmLastUnloadedDriver; // 0x218
    ULONG64 MmTriageActionTaken, MmSpecialPoolTag, KernelVerifier; // 0x230
    ULONG64 MmVerifierData, MmAllocatedNonPagedPool, MmPeakCommitment; // 0x248
    ULONG64 MmTotalCommitLimitMaximum, CmNtCSDVersion, MmPhysicalMemoryBlock; // 0x260
    ULONG64 MmSessionBase, MmSessionSize, MmSystemParentTablePage; // 0x278
    ULONG64 MmVirtualTranslationBase; // 0x290
    USHORT OffsetKThreadNextProcessor, OffsetKThreadTeb, OffsetKThreadKernelStack; // 0x298
    USHORT OffsetKThreadInitialStack, OffsetKThreadApcProcess, OffsetKThreadState; // 0x29E
    USHORT OffsetKThreadBStore, OffsetKThreadBStoreLimit, SizeEProcess; // 0x2A4
    USHORT OffsetEprocessPeb, OffsetEprocessParentCID, OffsetEprocessDirectoryTableBase; // 0x2AA
    USHORT SizePrcb, OffsetPrcbDpcRoutine, OffsetPrcbCurrentThread; // 0x2B0
    USHORT OffsetPrcbMhz, OffsetPrcbCpuType, OffsetPrcbVendorString; // 0x2B6
    USHORT OffsetPrcbProcStateContext, OffsetPrcbNumber, SizeEThread; // 0x2BC
    UCHAR L1tfHighPhysicalBitIndex, L1tfSwizzleBitIndex; // 0x2C2
    ULONG Padding0; // 0x2C4
    ULONG64 KdPrintCircularBufferPtr, KdPrintBufferSize, KeLoaderBlock; // 0x2C8
    USHORT SizePcr, OffsetPcrSelfPcr, OffsetPcrCurrentPrcb; // 0x2E0
    USHORT OffsetPcrContainedPrcb, OffsetPcrInitialBStore, OffsetPcrBStoreLimit; // 0x2E6
    USHORT OffsetPcrInitialStack, OffsetPcrStackLimit, OffsetPrcbPcrPage; // 0x2EC
    USHORT OffsetPrcbProcStateSpecialReg, GdtR0Code, GdtR0Data; // 0x2F2
    USHORT GdtR0Pcr, GdtR3Code, GdtR3Data; // 0x2F8
    USHORT GdtR3Teb, GdtLdt, GdtTss; // 0x2FE
    USHORT Gdt64R3CmCode, Gdt64R3CmTeb; // 0x304
    ULONG64 IopNumTriageDumpDataBlocks, IopTriageDumpDataBlocks, VfCrashDataBlock; // 0x308
    ULONG64 MmBadPagesDetected, MmZeroedPageSingleBitErrorsDetected, EtwpDebuggerData; // 0x320
    USHORT OffsetPrcbContext, OffsetPrcbMaxBreakpoints, OffsetPrcbMaxWatchpoints; // 0x338
    ULONG OffsetKThreadStackLimit, OffsetKThreadStackBase, OffsetKThreadQueueListEntry; // 0x340
    ULONG OffsetEThreadIrpList; // 0x34C
    USHORT OffsetPrcbIdleThread, OffsetPrcbNormalDpcState, OffsetPrcbDpcStack; // 0x350
    USHORT OffsetPrcbIsrStack, SizeKDPC_STACK_FRAME, OffsetKPriQueueThreadListHead; // 0x356
    USHORT OffsetKThreadWaitReason, Padding1; // 0x35C
    ULONG64 PteBase; // 0x360
} KDDEBUGGER_DATA64;
ASSERT_OFFSET(KDDEBUGGER_DATA64, KernBase, 0x18);
ASSERT_OFFSET(KDDEBUGGER_DATA64, ThCallbackStack, 0x30);
ASSERT_OFFSET(KDDEBUGGER_DATA64, PsLoadedModuleList, 0x48);
ASSERT_OFFSET(KDDEBUGGER_DATA64, KiBugcheckData, 0x88);
ASSERT_OFFSET(KDDEBUGGER_DATA64, MmPageSize, 0x138);
ASSERT_OFFSET(KDDEBUGGER_DATA64, MmAvailablePages, 0x1A8);
ASSERT_OFFSET(KDDEBUGGER_DATA64, KdPrintCircularBuffer, 0x1E0);
ASSERT_OFFSET(KDDEBUGGER_DATA64, NtBuildLab, 0x208);
ASSERT_OFFSET(KDDEBUGGER_DATA64, KiProcessorBlock, 0x218);
ASSERT_OFFSET(KDDEBUGGER_DATA64, OffsetKThreadNextProcessor, 0x298);
ASSERT_OFFSET(KDDEBUGGER_DATA64, SizeEProcess, 0x2A8);
ASSERT_OFFSET(KDDEBUGGER_DATA64, SizeEThread, 0x2C0);
ASSERT_OFFSET(KDDEBUGGER_DATA64, KdPrintCircularBufferPtr, 0x2C8);
ASSERT_OFFSET(KDDEBUGGER_DATA64, SizePcr, 0x2E0);
ASSERT_OFFSET(KDDEBUGGER_DATA64, GdtR0Code, 0x2F4);
ASSERT_OFFSET(KDDEBUGGER_DATA64, IopNumTriageDumpDataBlocks, 0x308);
ASSERT_OFFSET(KDDEBUGGER_DATA64, OffsetPrcbContext, 0x338);
ASSERT_OFFSET(KDDEBUGGER_DATA64, OffsetKThreadStackLimit, 0x340);
ASSERT_OFFSET(KDDEBUGGER_DATA64, OffsetPrcbIdleThread, 0x350);
ASSERT_OFFSET(KDDEBUGGER_DATA64, PteBase, 0x360);
C_ASSERT(sizeof(KDDEBUGGER_DATA64) == 0x368);
