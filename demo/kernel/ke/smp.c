// Further processors: local APIC, start-up, and freezing them while one talks to the debugger.
#include "../kd/kdp.h"
#include "../include/ki.h"

#define APIC_ID 0x020
#define APIC_EOI 0x0B0
#define APIC_SPURIOUS 0x0F0
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define ICR_PENDING 0x1000
#define IPI_NMI 0x4400
#define IPI_INIT_OTHERS 0xC4500
#define IPI_STARTUP_OTHERS (0xC4600 | TRAMPOLINE >> 12)
#define IPI_CLOCK 0x40D1
#define TRAMPOLINE 0x8000

BOOLEAN KiApicPresent;
volatile ULONG KiApArrivals;                     // incremented by each arriving processor (trampoline.S)
volatile PVOID KiApStacks[MAXIMUM_PROCESSORS];   // stack base for processor n: lets it go on
static PKPCR KiApPcrs[MAXIMUM_PROCESSORS];
static PETHREAD KiApThreads[MAXIMUM_PROCESSORS];

static volatile ULONG *KiApicRegister(ULONG offset) {
    return (volatile ULONG *)(MM_HAL_START + offset);
}

VOID KiEndOfInterrupt(VOID) {
    if (KiApicPresent) *KiApicRegister(APIC_EOI) = 0;
}

VOID KiSendIpi(ULONG apicId, ULONG command) {
    for (ULONG i = 0; i < 1000000 && (*KiApicRegister(APIC_ICR_LOW) & ICR_PENDING); i++) YieldProcessor();
    *KiApicRegister(APIC_ICR_HIGH) = apicId << 24;
    *KiApicRegister(APIC_ICR_LOW) = command;
}

// On each processor. The boot processor keeps taking the 8259's interrupts through LINT0.
VOID KiApicInitialize(VOID) {
    BOOLEAN boot = KeGetCurrentPrcb()->Number == 0;
    *KiApicRegister(APIC_SPURIOUS) = 0x1FF; // enabled, vector FFh
    *KiApicRegister(APIC_LVT_LINT0) = boot ? 0x700 : 0x10700;
    *KiApicRegister(APIC_LVT_LINT1) = 0x400;
    KeGetCurrentPrcb()->ApicId = *KiApicRegister(APIC_ID) >> 24;
}

// First C code of a further processor, on its own stack.
DECLSPEC_NORETURN VOID KiInitializeAp(ULONG number) {
    WriteCr3(KeLoaderBlock->KernelCr3);
    KiInitializeProcessor(KiApPcrs[number], number, &KiApThreads[number]->Tcb);
    KiApicInitialize();
    KeNumberProcessors++; // the boot processor starts one at a time
    KiIdleLoop();
}

static VOID KiPrepareProcessor(ULONG number) {
    PVOID stack = MmCreateKernelStack();
    PETHREAD thread = ExAllocatePoolWithTag(sizeof(ETHREAD), 'erhT');
    ULONG64 pcr = MiAllocatePages((sizeof(KPCR) + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!stack || !thread || !pcr) return;
    KiInitializeThread(&thread->Tcb, &KiInitialProcess.Pcb, stack);
    PspInitializeThread(thread, &KiInitialProcess, 0);
    thread->Tcb.State = Running;
    KiApThreads[number] = thread;
    KiApPcrs[number] = MiPhysicalToVirtual(pcr);
    KiApPcrs[number]->KdVersionBlock = KiInitialPCR.KdVersionBlock;
    CHAR before = KeNumberProcessors;
    __atomic_store_n(&KiApStacks[number], stack, __ATOMIC_RELEASE);
    for (ULONG i = 0; i < 100 && KeNumberProcessors == before; i++) KiStallMicroseconds(1000);
}

VOID KiStartProcessors(VOID) {
    ULONG id[4];
    Cpuid(1, id);
    if (!(id[3] & 1 << 9)) return; // no local APIC
    if (!MiMapPage(KeLoaderBlock->KernelCr3, MM_HAL_START, ReadMsr(MSR_APIC_BASE) & 0xFFFFF000,
                   PTE_WRITE | PTE_CACHE_DISABLE | PTE_NX))
        return;
    KiApicPresent = TRUE;
    KiApicInitialize();

    PUCHAR low = MiPhysicalToVirtual(TRAMPOLINE);
    RtlCopyMemory(low, KiTrampolineStart, KiTrampolineEnd - KiTrampolineStart);
    ULONG64 *data = (ULONG64 *)(low + (KiTrampolineData - KiTrampolineStart));
    data[0] = ReadCr0();
    data[1] = KeLoaderBlock->BootCr3;
    data[2] = ReadCr4();
    data[3] = ReadMsr(MSR_EFER) & ~0x400ULL; // LMA is the processor's to set
    data[4] = (ULONG64)KiApStart;

    KiSendIpi(0, IPI_INIT_OTHERS);
    KiStallMicroseconds(10000);
    KiSendIpi(0, IPI_STARTUP_OTHERS);
    KiStallMicroseconds(20000);
    ULONG arrivals = KiApArrivals;
    for (ULONG n = 1; n <= arrivals && n < MAXIMUM_PROCESSORS; n++) KiPrepareProcessor(n);
}

VOID KiSendClockIpis(VOID) {
    for (LONG i = 1; i < KeNumberProcessors; i++)
        if (KiProcessorBlock[i]) KiSendIpi(KiProcessorBlock[i]->ApicId, IPI_CLOCK);
}

// --- Freezing: an NMI reaches a processor even inside a region with interrupts off ---

// Both sides change the state, so each change names the state it starts from.
static BOOLEAN KiChangeFreeze(PKPRCB prcb, ULONG from, ULONG to) {
    return __atomic_compare_exchange_n(&prcb->IpiFrozen, &from, to, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static BOOLEAN KiWaitForState(PKPRCB prcb, ULONG state) {
    for (ULONG i = 0; i < 1000; i++) {
        if (prcb->IpiFrozen == state) return TRUE;
        KiStallMicroseconds(1000);
    }
    return FALSE;
}

VOID KeFreezeExecution(VOID) {
    PKPRCB self = KeGetCurrentPrcb();
    for (LONG i = 0; i < KeNumberProcessors; i++) {
        PKPRCB prcb = KiProcessorBlock[i];
        if (!prcb || prcb == self) continue;
        prcb->IpiFrozen = TARGET_FREEZE;
        KiSendIpi(prcb->ApicId, IPI_NMI);
    }
    for (LONG i = 0; i < KeNumberProcessors; i++) {
        PKPRCB prcb = KiProcessorBlock[i];
        if (prcb && prcb != self) KiWaitForState(prcb, FROZEN);
    }
}

VOID KeThawExecution(VOID) {
    PKPRCB self = KeGetCurrentPrcb();
    for (LONG i = 0; i < KeNumberProcessors; i++) {
        PKPRCB prcb = KiProcessorBlock[i];
        if (!prcb || prcb == self) continue;
        if (KiChangeFreeze(prcb, TARGET_FREEZE, RUNNING)) continue; // never arrived: when it does, it goes on
        if (KiChangeFreeze(prcb, FROZEN, THAW)) KiWaitForState(prcb, RUNNING);
    }
}

// NMI: the only sender is KeFreezeExecution. The interrupted state goes where the debugger reads it.
VOID KiNmiDispatch(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, ULONG vector) {
    (void)vector;
    PKPRCB prcb = KeGetCurrentPrcb();
    if (prcb->IpiFrozen != TARGET_FREEZE) return;
    KiSaveProcessorControlState(&prcb->ProcessorState);
    KeContextFromKframes(tf, ef, &prcb->ProcessorState.ContextFrame);
    if (!KiChangeFreeze(prcb, TARGET_FREEZE, FROZEN)) {
        KiRestoreProcessorControlState(&prcb->ProcessorState);
        return;
    }
    while (prcb->IpiFrozen == FROZEN) {
        KdpServeFrozenProcessor(); // SwitchProcessor may hand the conversation to this one
        YieldProcessor();
    }
    KeContextToKframes(tf, ef, &prcb->ProcessorState.ContextFrame);
    KiRestoreProcessorControlState(&prcb->ProcessorState);
    prcb->IpiFrozen = RUNNING;
}
