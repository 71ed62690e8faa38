// Processes and threads. Every process has its own page directory with one page of text at MM_USER_PAGE, so
// that looking through the wrong directory is noticed.
#include "../include/ki.h"

EPROCESS KiInitialProcess;
ETHREAD KiInitialThread;
PEPROCESS PsInitialSystemProcess;
PEPROCESS PsIdleProcess = &KiInitialProcess;
LIST_ENTRY PsActiveProcessHead = {&PsActiveProcessHead, &PsActiveProcessHead};

static ULONG PspNextThreadId = 8;

static VOID PspInitializeProcess(PEPROCESS process, PCSTR name, ULONG processId, ULONG64 directory) {
    process->Pcb.Header.Type = ProcessObject;
    InitializeListHead(&process->Pcb.Header.WaitListHead);
    InitializeListHead(&process->Pcb.ProfileListHead);
    InitializeListHead(&process->Pcb.ThreadListHead);
    InitializeListHead(&process->ThreadListHead);
    process->Pcb.DirectoryTableBase = directory;
    process->Pcb.BasePriority = 8;
    process->Pcb.Affinity = (1 << MAXIMUM_PROCESSORS) - 1;
    process->UniqueProcessId = (HANDLE)(ULONG64)processId;
    process->ExitStatus = STATUS_PENDING;
    process->CreateTime.QuadPart = (LONGLONG)(KeBootTime + KeQueryInterruptTime());
    for (ULONG i = 0; i < 14 && name[i]; i++) process->ImageFileName[i] = (UCHAR)name[i];
}

VOID PspInitializeThread(PETHREAD thread, PEPROCESS process, ULONG threadId) {
    thread->Cid.UniqueProcess = process->UniqueProcessId;
    thread->Cid.UniqueThread = (HANDLE)(ULONG64)threadId;
    thread->ExitStatus = STATUS_PENDING;
    thread->CreateTime.QuadPart = (LONGLONG)(KeBootTime + KeQueryInterruptTime());
    InitializeListHead(&thread->IrpList);
    InsertTailList(&process->ThreadListHead, &thread->ThreadListEntry);
    process->ActiveThreads++;
}

// The idle process and the boot processor's idle thread, which is what runs KiSystemStartup.
VOID PspInitializeIdle(VOID) {
    PspInitializeProcess(&KiInitialProcess, "Idle", 0, KeLoaderBlock->KernelCr3);
    InitializeListHead(&KiInitialProcess.ActiveProcessLinks); // not in the active list
    KiInitializeThread(&KiInitialThread.Tcb, &KiInitialProcess.Pcb, (PVOID)KeLoaderBlock->StackBase);
    PspInitializeThread(&KiInitialThread, &KiInitialProcess, 0);
    KiInitialThread.Tcb.State = Running;
}

PEPROCESS PspCreateProcess(PCSTR name, ULONG processId, PEPROCESS parent) {
    PEPROCESS process = ExAllocatePoolWithTag(sizeof(EPROCESS), 'corP');
    ULONG64 directory = MiCreateDirectory();
    ULONG64 page = MiAllocatePages(1);
    if (!process || !directory || !page) return NULL;
    PspInitializeProcess(process, name, processId, directory);
    process->InheritedFromUniqueProcessId = parent ? parent->UniqueProcessId : NULL;
    RtlFormatString(MiPhysicalToVirtual(page), PAGE_SIZE, "This page belongs to %s, process %lu.", name, processId);
    MiMapPage(directory, MM_USER_PAGE, page, PTE_WRITE | PTE_USER | PTE_NX);
    process->SectionBaseAddress = (PVOID)MM_USER_PAGE;
    process->VirtualSize = PAGE_SIZE;
    InsertTailList(&PsActiveProcessHead, &process->ActiveProcessLinks);
    return process;
}

// Runs a thread's routine; the frame below the routine in every stack.
VOID PspSystemThreadStartup(PKSTART_ROUTINE start, PVOID context) {
    start(context);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS PsCreateSystemThread(PEPROCESS process, PKSTART_ROUTINE start, PVOID context, PETHREAD *out) {
    PETHREAD thread = ExAllocatePoolWithTag(sizeof(ETHREAD), 'erhT');
    PVOID stack = MmCreateKernelStack();
    if (!thread || !stack) return STATUS_INSUFFICIENT_RESOURCES;
    if (!process) process = PsInitialSystemProcess;

    // The frame KiSwapContext restores (see KSWITCH_FRAME), then KiThreadStartup's home area and a zero
    // return address where stack walks end. RSP is 16-byte aligned plus 8 on entry, as after a call.
    ULONG64 *top = (ULONG64 *)stack - 5; // top[0] stays zero
    ULONG64 *frame = top - 14;
    frame[9] = (ULONG64)context;                 // RSI
    frame[10] = (ULONG64)PspSystemThreadStartup; // RDI
    frame[11] = (ULONG64)start;                  // RBX
    frame[13] = (ULONG64)KiThreadStartup;        // return address
    thread->StartAddress = start;
    thread->StartContext = context;

    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&KiDispatcherLock);
    KiInitializeThread(&thread->Tcb, &process->Pcb, stack);
    PspInitializeThread(thread, process, PspNextThreadId);
    PspNextThreadId += 4;
    thread->Tcb.KernelStack = frame;
    KiReadyThread(&thread->Tcb);
    KeReleaseSpinLock(&KiDispatcherLock, irql);
    if (out) *out = thread;
    return STATUS_SUCCESS;
}

// The thread object and stack stay: this kernel ends a thread only when a driver is unloaded.
VOID PsTerminateSystemThread(NTSTATUS status) {
    PETHREAD thread = (PETHREAD)KeGetCurrentThread();
    KeAcquireSpinLockRaiseToDpc(&KiDispatcherLock);
    thread->ExitStatus = status;
    thread->ExitTime.QuadPart = (LONGLONG)(KeBootTime + KeQueryInterruptTime());
    RemoveEntryList(&thread->ThreadListEntry);
    RemoveEntryList(&thread->Tcb.ThreadListEntry);
    ((PEPROCESS)thread->Tcb.Process)->ActiveThreads--;
    thread->Tcb.State = Terminated;
    KiSwapThread();
    KiHaltForever(); // never runs again
}

PEPROCESS PsGetCurrentProcess(VOID) {
    return (PEPROCESS)KeGetCurrentThread()->ApcState.Process;
}

HANDLE PsGetCurrentProcessId(VOID) {
    return ((PETHREAD)KeGetCurrentThread())->Cid.UniqueProcess;
}

HANDLE PsGetCurrentThreadId(VOID) {
    return ((PETHREAD)KeGetCurrentThread())->Cid.UniqueThread;
}

VOID PsInitSystem(VOID) {
    PsInitialSystemProcess = PspCreateProcess("System", 4, NULL);
    if (!PsInitialSystemProcess) KeBugCheckEx(0x6B, 0, 0, 0, 0); // PROCESS1_INITIALIZATION_FAILED
}
