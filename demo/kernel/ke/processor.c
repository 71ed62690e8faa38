// Per-processor tables: GDT, IDT, TSS, KPCR. The selectors are NT's.
#include "../include/ki.h"

KPCR KiInitialPCR __attribute__((aligned(4096)));
PKPRCB KiProcessorBlock[MAXIMUM_PROCESSORS];
volatile CHAR KeNumberProcessors = 1;
USHORT KeProcessorLevel;

static ULONG64 KiGdt[MAXIMUM_PROCESSORS][12];
static KTSS64 KiTss[MAXIMUM_PROCESSORS];
static KIDTENTRY64 KiIdt[256];

#define IST_DOUBLE_FAULT 1
#define IST_NMI 2

#define CODE64 0x00209B0000000000ULL // present, code, accessed, L
#define DATA 0x00CF93000000FFFFULL   // present, data, accessed, 4 GB
#define RING3 0x0000600000000000ULL

static VOID KiBuildGdt(ULONG64 *gdt, PKTSS64 tss) {
    ULONG64 base = (ULONG64)tss;
    gdt[KGDT64_R0_CODE / 8] = CODE64;
    gdt[KGDT64_R0_DATA / 8] = DATA;
    gdt[KGDT64_R3_CMCODE / 8] = 0x00CFFB000000FFFFULL;
    gdt[KGDT64_R3_DATA / 8] = DATA | RING3;
    gdt[KGDT64_R3_CODE / 8] = CODE64 | RING3;
    gdt[KGDT64_SYS_TSS / 8] = (sizeof(KTSS64) - 1) | (base & 0xFFFFFF) << 16 | 0x0000890000000000ULL |
                              (base >> 24 & 0xFF) << 56;
    gdt[KGDT64_SYS_TSS / 8 + 1] = base >> 32;
    gdt[KGDT64_R3_CMTEB / 8] = 0x0040F30000000FFFULL;
}

static VOID KiSetGate(ULONG vector, KI_ENTRY *handler, ULONG ist, ULONG dpl) {
    KIDTENTRY64 *gate = &KiIdt[vector];
    ULONG64 address = (ULONG64)handler;
    gate->OffsetLow = (USHORT)address;
    gate->OffsetMiddle = (USHORT)(address >> 16);
    gate->OffsetHigh = (ULONG)(address >> 32);
    gate->Selector = KGDT64_R0_CODE;
    gate->IstIndex = (USHORT)ist;
    gate->Type = 0x0E; // interrupt gate: interrupts are off inside
    gate->Dpl = (USHORT)dpl;
    gate->Present = 1;
}

VOID KiInitializeIdt(VOID) {
    KiSetGate(0, KiDivideErrorFault, 0, 0);
    KiSetGate(1, KiDebugTrapOrFault, 0, 0);
    KiSetGate(2, KiNmiInterrupt, IST_NMI, 0);
    KiSetGate(3, KiBreakpointTrap, 0, 3);
    KiSetGate(4, KiOverflowTrap, 0, 3);
    KiSetGate(5, KiBoundFault, 0, 0);
    KiSetGate(6, KiInvalidOpcodeFault, 0, 0);
    KiSetGate(7, KiNpxNotAvailableFault, 0, 0);
    KiSetGate(8, KiDoubleFaultAbort, IST_DOUBLE_FAULT, 0);
    KiSetGate(10, KiInvalidTssFault, 0, 0);
    KiSetGate(11, KiSegmentNotPresentFault, 0, 0);
    KiSetGate(12, KiStackFault, 0, 0);
    KiSetGate(13, KiGeneralProtectionFault, 0, 0);
    KiSetGate(14, KiPageFault, 0, 0);
    KiSetGate(16, KiFloatingErrorFault, 0, 0);
    KiSetGate(17, KiAlignmentFault, 0, 0);
    KiSetGate(18, KiMcheckAbort, IST_DOUBLE_FAULT, 0);
    KiSetGate(19, KiXmmException, 0, 0);
    KiSetGate(0x2D, KiDebugServiceTrap, 0, 3);
    KiSetGate(0x30, KiClockInterrupt, 0, 0);
    for (ULONG i = 0x31; i < 0x38; i++) KiSetGate(i, KiSpuriousInterrupt, 0, 0);
    for (ULONG i = 0x38; i < 0x40; i++) KiSetGate(i, KiSlaveInterrupt, 0, 0);
    KiSetGate(0xD1, KiClockIpiInterrupt, 0, 0);
    KiSetGate(0xFF, KiApicSpuriousInterrupt, 0, 0);
}

// Runs on the processor itself, before anything that uses GS.
VOID KiInitializeProcessor(PKPCR pcr, ULONG number, PKTHREAD idleThread) {
    PKPRCB prcb = &pcr->Prcb;
    ULONG64 *gdt = KiGdt[number];
    PKTSS64 tss = &KiTss[number];
    ULONG id[4];

    pcr->Self = pcr;
    pcr->Used_Self = pcr;
    pcr->CurrentPrcb = prcb;
    pcr->GdtBase = gdt;
    pcr->TssBase = tss;
    pcr->IdtBase = KiIdt;
    pcr->Irql = number == 0 ? HIGH_LEVEL : DISPATCH_LEVEL;
    pcr->MajorVersion = 1;
    pcr->MinorVersion = 1;

    prcb->Number = number;
    prcb->LegacyNumber = (UCHAR)number;
    prcb->CurrentThread = idleThread;
    prcb->IdleThread = idleThread;
    prcb->MxCsr = 0x1F80;
    prcb->Context = &prcb->ProcessorState.ContextFrame;
    prcb->RspBase = (ULONG64)idleThread->StackBase;
    Cpuid(0, id);
    ((PULONG)prcb->VendorString)[0] = id[1];
    ((PULONG)prcb->VendorString)[1] = id[3];
    ((PULONG)prcb->VendorString)[2] = id[2];
    Cpuid(1, id);
    prcb->CpuType = (CHAR)((id[0] >> 8 & 15) + (id[0] >> 20 & 255));
    prcb->CpuStep = (USHORT)((id[0] >> 4 & 15) << 8 | (id[0] & 15));
    prcb->CpuID = 1;
    prcb->MHz = KiTscPerMicrosecond;
    if (number == 0) KeProcessorLevel = (USHORT)prcb->CpuType;

    KiBuildGdt(gdt, tss);
    tss->Rsp0 = prcb->RspBase;
    tss->IoMapBase = sizeof(KTSS64);
    tss->Ist[IST_DOUBLE_FAULT] = (ULONG64)MmCreateKernelStack();
    tss->Ist[IST_NMI] = (ULONG64)MmCreateKernelStack();

    struct {
        USHORT Pad[3];
        USHORT Limit;
        ULONG64 Base;
    } gdtr = {{0}, sizeof(KiGdt[0]) - 1, (ULONG64)gdt}, idtr = {{0}, sizeof(KiIdt) - 1, (ULONG64)KiIdt};
    KiLoadDescriptorTables(&gdtr.Limit, &idtr.Limit, KGDT64_SYS_TSS);
    WriteMsr(MSR_GS_BASE, (ULONG64)pcr);
    WriteMsr(MSR_KERNEL_GS_BASE, 0);

    XSAVE_FORMAT initial;
    RtlZeroMemory(&initial, sizeof(initial));
    initial.ControlWord = 0x27F;
    initial.MxCsr = prcb->MxCsr;
    KiRestoreFloatingState(&initial);

    KiProcessorBlock[number] = prcb;
}
