// Internal interfaces of the kernel: what its own source files use of each other.
#pragma once
#include "intrin.h"
#include "ntddk.h"

// ---- Loader block: written by demo/build/image.mjs, layout shared with it ----
#define LOADER_MAXIMUM_IMAGES 4
#define LOADER_IMAGE_BOOT 1 // listed as loaded from the start; others wait to be loaded on demand

typedef struct _LOADER_IMAGE {
    ULONG64 Base;         // virtual address it is linked at
    ULONG64 Physical;     // its mapped form (sections at their RVAs) in physical memory
    ULONG Size;           // SizeOfImage
    ULONG Flags;
    ULONG64 EntryPoint;
    CHAR Name[32];
} LOADER_IMAGE, *PLOADER_IMAGE;

typedef struct _LOADER_PARAMETER_BLOCK {
    ULONG64 MemorySize;   // bytes of RAM from physical 0
    ULONG64 ImageEnd;     // first free physical byte
    ULONG64 KernelCr3;    // page directory without the identity map
    ULONG64 BootCr3;      // with the identity map: start-up of further processors
    ULONG64 StackBase;    // boot stack, becomes the idle thread's
    ULONG64 StackLimit;
    ULONG64 StackPhysical;
    ULONG ImageCount;
    ULONG Reserved;
    LOADER_IMAGE Images[LOADER_MAXIMUM_IMAGES];
} LOADER_PARAMETER_BLOCK, *PLOADER_PARAMETER_BLOCK;

extern PLOADER_PARAMETER_BLOCK KeLoaderBlock;

// ---- Address space (same constants in demo/build/image.mjs) ----
#define MM_USER_PAGE 0x10000ULL                    // one page of text per process, to tell them apart
#define MM_DIRECT_MAP 0xFFFF800000000000ULL        // all RAM, read/write, no execute
#define MM_PTE_BASE 0xFFFFF68000000000ULL          // page tables through the self map
#define MM_STACK_START 0xFFFFF88000100000ULL       // thread stacks with guard pages between them
#define MM_HAL_START 0xFFFFFFFFFFFE0000ULL         // local APIC
#define MM_SYSTEM_RANGE_START 0xFFFF800000000000ULL
#define MM_HIGHEST_USER_ADDRESS 0x00007FFFFFFEFFFFULL
#define KERNEL_STACK_SIZE 0x4000ULL

#define PTE_VALID 0x001ULL
#define PTE_WRITE 0x002ULL
#define PTE_USER 0x004ULL
#define PTE_CACHE_DISABLE 0x018ULL // PWT | PCD
#define PTE_LARGE 0x080ULL
#define PTE_GLOBAL 0x100ULL
#define PTE_NX 0x8000000000000000ULL
#define PTE_FRAME 0x000FFFFFFFFFF000ULL

// mm/
VOID MmInitSystem(VOID);
ULONG64 MiAllocatePages(ULONG count); // zeroed, contiguous; returns the physical address or 0
VOID MiFreePage(ULONG64 physical);
PVOID MiPhysicalToVirtual(ULONG64 physical);
BOOLEAN MiMapPage(ULONG64 cr3, ULONG64 va, ULONG64 physical, ULONG64 flags);
ULONG64 MiUnmapPage(ULONG64 cr3, ULONG64 va); // returns the physical address that was mapped, or 0
// Walks the tables of cr3. Entry gets the last table entry. Returns FALSE for an unmapped address.
BOOLEAN MiTranslate(ULONG64 cr3, ULONG64 va, ULONG64 *physical, ULONG64 *entry);
BOOLEAN MiIsRam(ULONG64 physical);
ULONG64 MiCreateDirectory(VOID);
PVOID MmCreateKernelStack(VOID); // returns the stack base (highest address)
extern ULONG64 MmHighestPhysicalPage, MmLowestPhysicalPage, MmNumberOfPhysicalPages, MmAvailablePages;
extern ULONG64 MmSystemRangeStart, MmHighestUserAddress, MmUserProbeAddress;

// ke/
extern KPCR KiInitialPCR;
extern PKPRCB KiProcessorBlock[MAXIMUM_PROCESSORS];
NTKERNELAPI extern volatile CHAR KeNumberProcessors;
NTKERNELAPI extern ULONG NtBuildNumber;
NTKERNELAPI extern ULONG64 KeBootTime;
extern ULONG KeTimeIncrement;
NTKERNELAPI extern volatile ULONG64 KeTickCount;
extern ULONG64 KiBugcheckData[5];
extern volatile ULONG KiBugCheckActive;
extern USHORT KeProcessorLevel;
extern KSPIN_LOCK KiDispatcherLock;
extern ULONG KiTscPerMicrosecond;

static inline PKPCR KeGetPcr(VOID) {
    return ReadGsSelf();
}
static inline PKPRCB KeGetCurrentPrcb(VOID) {
    return KeGetPcr()->CurrentPrcb;
}
static inline BOOLEAN KiDisableInterrupts(VOID) {
    BOOLEAN enabled = (ReadEflags() & EFLAGS_IF) != 0;
    DisableInterrupts();
    return enabled;
}
static inline VOID KiRestoreInterrupts(BOOLEAN enabled) {
    if (enabled) EnableInterrupts();
}
static inline VOID KiAcquireLock(PKSPIN_LOCK lock) {
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
        while (__atomic_load_n(lock, __ATOMIC_RELAXED)) YieldProcessor();
    }
}
static inline VOID KiReleaseLock(PKSPIN_LOCK lock) {
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

VOID KiInitializeProcessor(PKPCR pcr, ULONG number, PKTHREAD idleThread);
VOID KiInitializeIdt(VOID);
VOID KiInitializeClock(VOID);
VOID KiCalibrateTsc(VOID);
VOID KiStartProcessors(VOID);
VOID KiInitializeThread(PKTHREAD thread, PKPROCESS process, PVOID stackBase);
VOID KiReadyThread(PKTHREAD thread); // dispatcher lock held
VOID KiSwapThread(VOID);             // dispatcher lock held; returns with it held
VOID KiWaitThread(PVOID object, KWAIT_REASON reason, ULONG milliseconds);
VOID KiExpireWaits(VOID);
VOID KiQuantumTick(VOID);
DECLSPEC_NORETURN VOID KiIdleLoop(VOID);
DECLSPEC_NORETURN VOID KiHaltForever(VOID);
VOID KiSendIpi(ULONG apicId, ULONG command);
VOID KiSendClockIpis(VOID);
VOID KiEndOfInterrupt(VOID);
VOID KiApicInitialize(VOID);
extern BOOLEAN KiApicPresent;
VOID KeFreezeExecution(VOID);
VOID KeThawExecution(VOID);
VOID KiSaveProcessorControlState(PKPROCESSOR_STATE state);
VOID KiRestoreProcessorControlState(PKPROCESSOR_STATE state);
VOID KeContextFromKframes(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, PCONTEXT context);
VOID KeContextToKframes(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, PCONTEXT context);
VOID KiUpdateSharedTime(VOID);
ULONG64 KiReadCmosTime(VOID); // 100 ns units since 1601
VOID KiStallMicroseconds(ULONG microseconds);
DECLSPEC_NORETURN VOID HalReturnToFirmware(VOID);

// ke/*.S
typedef VOID KI_ENTRY(VOID);
KI_ENTRY KiDivideErrorFault, KiDebugTrapOrFault, KiNmiInterrupt, KiBreakpointTrap, KiOverflowTrap, KiBoundFault,
    KiInvalidOpcodeFault, KiNpxNotAvailableFault, KiDoubleFaultAbort, KiInvalidTssFault, KiSegmentNotPresentFault,
    KiStackFault, KiGeneralProtectionFault, KiPageFault, KiFloatingErrorFault, KiAlignmentFault, KiMcheckAbort,
    KiXmmException, KiDebugServiceTrap, KiClockInterrupt, KiSpuriousInterrupt, KiSlaveInterrupt, KiClockIpiInterrupt,
    KiApicSpuriousInterrupt;
VOID KiSwapContext(PKTHREAD oldThread, PKTHREAD newThread);
KI_ENTRY KiThreadStartup;
VOID KiLoadDescriptorTables(PVOID gdtr, PVOID idtr, USHORT tss);
VOID KiSaveFloatingState(XSAVE_FORMAT *area);    // 16-byte aligned
VOID KiRestoreFloatingState(XSAVE_FORMAT *area); // 16-byte aligned
VOID KiStoreDescriptorTables(PVOID gdtr, PVOID idtr);
BOOLEAN KiReadMsrSafe(ULONG msr, PULONG64 value);
BOOLEAN KiWriteMsrSafe(ULONG msr, ULONG64 value);
extern UCHAR KiReadMsrInstruction[], KiWriteMsrInstruction[], KiMsrFault[];
extern UCHAR KiTrampolineStart[], KiTrampolineEnd[], KiTrampolineData[];
DECLSPEC_NORETURN VOID KiApStart(VOID);

// ps/
extern EPROCESS KiInitialProcess; // the idle process
extern ETHREAD KiInitialThread;   // the boot processor's idle thread
NTKERNELAPI extern PEPROCESS PsInitialSystemProcess, PsIdleProcess;
NTKERNELAPI extern LIST_ENTRY PsActiveProcessHead;
VOID PspInitializeIdle(VOID);
VOID PsInitSystem(VOID);
PEPROCESS PspCreateProcess(PCSTR name, ULONG processId, PEPROCESS parent);
VOID PspInitializeThread(PETHREAD thread, PEPROCESS process, ULONG threadId);
DECLSPEC_NORETURN VOID PspSystemThreadStartup(PKSTART_ROUTINE start, PVOID context);

// io/ and loader
NTKERNELAPI extern LIST_ENTRY PsLoadedModuleList;
VOID MiInitializeLoadedModuleList(VOID);
NTSTATUS MmLoadSystemImage(PCSTR name);
NTSTATUS MmUnloadSystemImage(PCSTR name);
VOID MiReportBootImage(PCSTR name); // sends the debugger its load-symbols notification
VOID IoInitSystem(VOID);
PDRIVER_OBJECT IopFindDriver(PCSTR name);
NTSTATUS IopLoadDriver(PCSTR name, PKLDR_DATA_TABLE_ENTRY module);
VOID IopUnloadDriver(PCSTR name);
VOID ExpStartDemoThreads(VOID);
NTKERNELAPI extern volatile ULONG KdDemoLoadPlug, KdDemoBugCheck, KdDemoFault, KdDemoPrint, KdDemoReboot;

// rtl/
SIZE_T RtlFormat(PCHAR buffer, SIZE_T size, PCSTR format, __builtin_va_list args);
PCHAR RtlFormatString(PCHAR buffer, SIZE_T size, PCSTR format, ...);
BOOLEAN RtlEqualName(PCSTR a, PCSTR b); // ignores case
VOID RtlAnsiToUnicode(PUNICODE_STRING out, PCSTR text); // allocates from pool
SIZE_T RtlStringLength(PCSTR text);
