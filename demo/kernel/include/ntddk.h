// What a driver may use of the kernel. The kernel includes it too, so that declarations cannot drift.
#pragma once
#include "io.h"

// Debugger support
NTKERNELAPI ULONG DbgPrint(PCSTR Format, ...);
NTKERNELAPI VOID DbgBreakPoint(VOID);
NTKERNELAPI VOID DbgBreakPointWithStatus(ULONG Status);

// Fatal errors
NTKERNELAPI DECLSPEC_NORETURN VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4);
NTKERNELAPI DECLSPEC_NORETURN VOID KeBugCheck(ULONG BugCheckCode);

// Memory
NTKERNELAPI PVOID ExAllocatePoolWithTag(SIZE_T NumberOfBytes, ULONG Tag);
NTKERNELAPI VOID ExFreePoolWithTag(PVOID Pool, ULONG Tag);
NTKERNELAPI BOOLEAN MmIsAddressValid(PVOID VirtualAddress);

// Synchronisation. Spin locks are held with interrupts off; Irql carries the interrupt flag back.
NTKERNELAPI KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock);
NTKERNELAPI VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL OldIrql);
NTKERNELAPI VOID KeInitializeEvent(PKEVENT Event, KOBJECTS Type, BOOLEAN State);
NTKERNELAPI LONG KeSetEvent(PKEVENT Event);
NTKERNELAPI VOID KeInitializeSemaphore(PKSEMAPHORE Semaphore, LONG Count, LONG Limit);
NTKERNELAPI LONG KeReleaseSemaphore(PKSEMAPHORE Semaphore, LONG Adjustment);
// Milliseconds = 0xFFFFFFFF waits for ever; otherwise STATUS_TIMEOUT may come back.
NTKERNELAPI NTSTATUS KeWaitForSingleObject(PVOID Object, ULONG Milliseconds);
NTKERNELAPI VOID KeDelayExecutionThread(ULONG Milliseconds);
NTKERNELAPI ULONG64 KeQueryInterruptTime(VOID);
NTKERNELAPI KIRQL KeGetCurrentIrql(VOID);
NTKERNELAPI ULONG KeGetCurrentProcessorNumber(VOID);
NTKERNELAPI PKTHREAD KeGetCurrentThread(VOID);

// Processes and threads
NTKERNELAPI NTSTATUS PsCreateSystemThread(PEPROCESS Process, PKSTART_ROUTINE StartRoutine, PVOID StartContext,
                                          PETHREAD *Thread);
NTKERNELAPI DECLSPEC_NORETURN VOID PsTerminateSystemThread(NTSTATUS ExitStatus);
NTKERNELAPI PEPROCESS PsGetCurrentProcess(VOID);
NTKERNELAPI HANDLE PsGetCurrentProcessId(VOID);
NTKERNELAPI HANDLE PsGetCurrentThreadId(VOID);

// Run-time library
NTKERNELAPI VOID RtlCopyMemory(PVOID Destination, const VOID *Source, SIZE_T Length);
NTKERNELAPI VOID RtlZeroMemory(PVOID Destination, SIZE_T Length);
NTKERNELAPI VOID RtlInitUnicodeString(PUNICODE_STRING String, PCWSTR Source);

// Set by a debugger to stop periodic prints.
NTKERNELAPI extern volatile ULONG KdDemoQuiet;
