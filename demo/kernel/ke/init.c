// KiSystemStartup: first code of the kernel, in the state the boot record describes (see demo/build/image.mjs):
// long mode, interrupts off, RCX = loader block, a stack whose bottom holds a zero return address.
#include "../kd/kdp.h"
#include "../include/ki.h"

PLOADER_PARAMETER_BLOCK KeLoaderBlock;
ULONG NtBuildNumber = 1;
__declspec(dllexport) CHAR NtBuildLab[] = "1.demont.vskd";
ULONG KiSystemStartupComplete;

static VOID KiInitializeSharedData(VOID) {
    static const WCHAR root[] = L"C:\\DEMO";
    ULONG64 page = MiAllocatePages(1);
    MiMapPage(KeLoaderBlock->KernelCr3, KI_USER_SHARED_DATA, page, PTE_WRITE | PTE_GLOBAL | PTE_NX);
    RtlCopyMemory(SharedUserData->NtSystemRoot, root, sizeof(root));
    SharedUserData->TickCountMultiplier = KeTimeIncrement * 1677; // 2^24 / 10000 per 100 ns unit
    SharedUserData->ImageNumberLow = SharedUserData->ImageNumberHigh = 0x8664;
    SharedUserData->NtBuildNumber = NtBuildNumber;
    SharedUserData->NtMajorVersion = 10;
    SharedUserData->NtProductType = 1;
    SharedUserData->ProductTypeIsValid = TRUE;
    SharedUserData->KdDebuggerEnabled = 3;
    KeBootTime = KiReadCmosTime();
    KiUpdateSharedTime();
}

DECLSPEC_NORETURN VOID KiSystemStartup(PLOADER_PARAMETER_BLOCK loaderBlock) {
    KeLoaderBlock = loaderBlock;
    WriteCr3(loaderBlock->KernelCr3); // leaves the identity map: low addresses fault from here on
    MmInitSystem();
    PspInitializeIdle();
    KiInitializeIdt();
    KiInitializeProcessor(&KiInitialPCR, 0, &KiInitialThread.Tcb);
    KiCalibrateTsc();
    KiInitializeSharedData();

    // From here on a debugger can be talked to.
    MiInitializeLoadedModuleList();
    KdInitSystem();

    PsInitSystem();
    KiStartProcessors();
    DbgPrint("demont: %d processor%s, %lu KB of memory\n", KeNumberProcessors, KeNumberProcessors == 1 ? "" : "s",
             (ULONG)(MmNumberOfPhysicalPages * 4));
    IoInitSystem();
    ExpStartDemoThreads();
    KiInitializeClock();
    KiSystemStartupComplete = 1;
    KiIdleLoop();
}
