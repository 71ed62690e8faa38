// Time: 8259 interrupt controllers, 8254 timer at 100 Hz, real-time clock, time stamp counter.
#include "../kd/kdp.h"
#include "../include/ki.h"

#define TIMER_FREQUENCY 1193182
#define TICKS_PER_SECOND 100
#define TIMER_DIVISOR ((TIMER_FREQUENCY + TICKS_PER_SECOND / 2) / TICKS_PER_SECOND)

ULONG KeTimeIncrement = 100000; // 100 ns units per tick
volatile ULONG64 KeTickCount;
ULONG64 KeBootTime;
ULONG KiTscPerMicrosecond = 1000; // until measured
static ULONG64 KiInterruptTime;

// --- 8259 ---
static VOID KiInitializePic(VOID) {
    OutByte(0x20, 0x11); // initialise, expect ICW4
    OutByte(0xA0, 0x11);
    OutByte(0x21, 0x30); // vectors 30h-37h
    OutByte(0xA1, 0x38); // vectors 38h-3Fh
    OutByte(0x21, 0x04); // slave on IRQ 2
    OutByte(0xA1, 0x02);
    OutByte(0x21, 0x01);
    OutByte(0xA1, 0x01);
    OutByte(0x21, 0xFE); // only IRQ 0
    OutByte(0xA1, 0xFF);
}

// --- 8254 ---
static VOID KiProgramTimer(VOID) {
    OutByte(0x43, 0x34); // channel 0, low then high byte, mode 2
    OutByte(0x40, TIMER_DIVISOR & 0xFF);
    OutByte(0x40, TIMER_DIVISOR >> 8);
}

static ULONG KiReadTimer(VOID) {
    OutByte(0x43, 0x00); // latch channel 0
    ULONG low = InByte(0x40);
    return low | (ULONG)InByte(0x40) << 8;
}

// Measures the time stamp counter against 5 ms of the timer. A timer that does not count leaves the assumption.
VOID KiCalibrateTsc(VOID) {
    const ULONG span = TIMER_DIVISOR / 2;
    KiProgramTimer();
    ULONG last = KiReadTimer(), elapsed = 0;
    ULONG64 start = ReadTsc();
    for (ULONG i = 0; i < 1000000 && elapsed < span; i++) {
        ULONG now = KiReadTimer();
        elapsed += now <= last ? last - now : last + TIMER_DIVISOR - now; // counts down and reloads
        last = now;
    }
    if (elapsed < span) return;
    ULONG64 ticks = ReadTsc() - start;
    ULONG rate = (ULONG)(ticks * TIMER_FREQUENCY / elapsed / 1000000);
    if (rate >= 1 && rate <= 100000) KiTscPerMicrosecond = rate;
    KiInitialPCR.Prcb.MHz = KiTscPerMicrosecond;
    KiInitialPCR.StallScaleFactor = KiTscPerMicrosecond;
}

VOID KiStallMicroseconds(ULONG microseconds) {
    ULONG64 start = ReadTsc(), span = (ULONG64)microseconds * KiTscPerMicrosecond;
    while (ReadTsc() - start < span) YieldProcessor();
}

// --- Real-time clock ---
static ULONG KiReadCmos(UCHAR index) {
    OutByte(0x70, index);
    return InByte(0x71);
}

static ULONG KiFromBcd(ULONG value) {
    return (value >> 4) * 10 + (value & 15);
}

ULONG64 KiReadCmosTime(VOID) {
    static const USHORT daysBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    ULONG field[6]; // second, minute, hour, day, month, year
    static const UCHAR index[6] = {0, 2, 4, 7, 8, 9};
    for (ULONG i = 0; i < 1000000 && (KiReadCmos(10) & 0x80); i++) YieldProcessor(); // update in progress
    BOOLEAN binary = (KiReadCmos(11) & 4) != 0;
    for (ULONG i = 0; i < 6; i++) {
        ULONG value = KiReadCmos(index[i]);
        field[i] = binary ? value : KiFromBcd(value);
    }
    ULONG year = 2000 + field[5], month = field[4];
    if (month < 1 || month > 12) month = 1;
    ULONG64 days = (ULONG64)(year - 1601) * 365 + (year - 1601) / 4 - (year - 1601) / 100 + (year - 1601) / 400;
    days += daysBefore[month - 1] + field[3] - 1;
    if (month > 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) days++;
    return (((days * 24 + field[2]) * 60 + field[1]) * 60 + field[0]) * 10000000ULL;
}

// --- Shared time page ---
static VOID KiSetSystemTime(volatile KSYSTEM_TIME *time, ULONG64 value) {
    time->High2Time = (LONG)(value >> 32);
    time->LowPart = (ULONG)value;
    time->High1Time = (LONG)(value >> 32);
}

VOID KiUpdateSharedTime(VOID) {
    KiSetSystemTime(&SharedUserData->InterruptTime, KiInterruptTime);
    KiSetSystemTime(&SharedUserData->SystemTime, KeBootTime + KiInterruptTime);
    KiSetSystemTime(&SharedUserData->TickCount, KeTickCount);
    SharedUserData->TickCountLowDeprecated = (ULONG)KeTickCount;
}

ULONG64 KeQueryInterruptTime(VOID) {
    return KiInterruptTime;
}

VOID KiInitializeClock(VOID) {
    KiInitializePic();
    KiProgramTimer();
}

// Other processors of a bugchecked machine stop here, at their next tick.
static VOID KiCheckForHalt(VOID) {
    if (KiBugCheckActive && KiBugCheckActive != KeGetCurrentPrcb()->Number + 1) KiHaltForever();
}

// IRQ 0: only the boot processor gets it, and passes it on to the others.
VOID KiClockDispatch(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, ULONG vector) {
    (void)ef, (void)vector;
    PKPCR pcr = KeGetPcr();
    KIRQL irql = pcr->Irql;
    pcr->Irql = CLOCK_LEVEL;
    tf->PreviousIrql = irql;
    pcr->Prcb.InterruptCount++;
    OutByte(0x20, 0x20); // end of interrupt
    KiCheckForHalt();
    KeTickCount++;
    KiInterruptTime += KeTimeIncrement;
    KiUpdateSharedTime();
    KdCheckForDebugBreak();
    KiSendClockIpis();
    KiAcquireLock(&KiDispatcherLock);
    KiExpireWaits();
    KiReleaseLock(&KiDispatcherLock);
    KiQuantumTick();
    KeGetPcr()->Irql = irql; // the thread may have come back on another processor
}

VOID KiClockIpiDispatch(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, ULONG vector) {
    (void)ef, (void)vector;
    PKPCR pcr = KeGetPcr();
    KIRQL irql = pcr->Irql;
    pcr->Irql = CLOCK_LEVEL;
    tf->PreviousIrql = irql;
    pcr->Prcb.InterruptCount++;
    KiEndOfInterrupt();
    KiCheckForHalt();
    KiQuantumTick();
    KeGetPcr()->Irql = irql;
}

VOID KiSpuriousDispatch(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, ULONG vector) {
    (void)tf, (void)ef;
    KeGetCurrentPrcb()->InterruptCount++;
    if (vector == 0x38) OutByte(0xA0, 0x20);
    if (vector < 0x40) OutByte(0x20, 0x20);
}
