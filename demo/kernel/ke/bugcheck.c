// The end: KeBugCheckEx tells the debugger and never returns.
#include "../kd/kdp.h"
#include "../include/ki.h"

ULONG64 KiBugcheckData[5];         // code and four parameters
volatile ULONG KiBugCheckActive;   // number + 1 of the processor that got here first

VOID KeBugCheckEx(ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4) {
    DisableInterrupts();
    ULONG none = 0, self = KeGetCurrentPrcb()->Number + 1;
    if (!__atomic_compare_exchange_n(&KiBugCheckActive, &none, self, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
        KiBugCheckActive != self)
        KiHaltForever();
    KeGetPcr()->Irql = HIGH_LEVEL;
    KiBugcheckData[0] = code;
    KiBugcheckData[1] = p1;
    KiBugcheckData[2] = p2;
    KiBugcheckData[3] = p3;
    KiBugcheckData[4] = p4;
    DbgPrint("\n*** Fatal System Error: 0x%08lx\n"
             "                       (0x%p,0x%p,0x%p,0x%p)\n\n",
             code, (PVOID)p1, (PVOID)p2, (PVOID)p3, (PVOID)p4);
    DbgBreakPointWithStatus(DBG_STATUS_BUGCHECK_FIRST);
    for (;;) DbgBreakPointWithStatus(DBG_STATUS_BUGCHECK_SECOND);
}

VOID KeBugCheck(ULONG code) {
    KeBugCheckEx(code, 0, 0, 0, 0);
}
