// The demo driver's own types: structures, arrays, a linked list, a union, bit fields and an enumeration for a
// debugger to show.
#pragma once
#include "demoioctl.h"

#define DEMO_TAG 'omeD'
#define DEMO_MAXIMUM_DATA 64
#define DEMO_HISTORY 8

typedef enum _REQUEST_STATE { RequestFree, RequestQueued, RequestActive, RequestDone } REQUEST_STATE;

typedef struct _REQUEST {
    LIST_ENTRY ListEntry; // in REQUEST_QUEUE.ListHead
    ULONG SequenceNumber;
    REQUEST_STATE State;
    PIRP Irp;
    PETHREAD Thread;
    ULONG64 ArrivalTime; // 100 ns units since boot
    struct {
        ULONG Urgent : 1;
        ULONG Retried : 1;
        ULONG Priority : 4;
    } Flags;
    ULONG Length;
    UCHAR Data[DEMO_MAXIMUM_DATA];
} REQUEST, *PREQUEST;

typedef struct _REQUEST_QUEUE {
    LIST_ENTRY ListHead;
    KSPIN_LOCK Lock;
    KSEMAPHORE Available; // counts the entries
    ULONG Depth;
    ULONG HighWater;
} REQUEST_QUEUE, *PREQUEST_QUEUE;

typedef union _DEMO_RESULT {
    ULONG Value;
    struct {
        USHORT Sum1;
        USHORT Sum2;
    };
    UCHAR Bytes[4];
} DEMO_RESULT;

typedef struct _DEMO_HISTORY_ENTRY {
    ULONG SequenceNumber;
    DEMO_RESULT Result;
    HANDLE ProcessId;
} DEMO_HISTORY_ENTRY;

typedef struct _DEMO_STATISTICS {
    ULONG64 Requests;
    ULONG64 Bytes;
    ULONG Failures;
    ULONG BytesPerPriority[4];
} DEMO_STATISTICS, *PDEMO_STATISTICS;

typedef struct _DEMO_DEVICE_EXTENSION {
    ULONG Signature; // DEMO_TAG
    PDEVICE_OBJECT DeviceObject;
    REQUEST_QUEUE Queue;
    DEMO_STATISTICS Statistics;
    ULONG NextSequenceNumber;
    ULONG HistoryIndex;
    DEMO_HISTORY_ENTRY History[DEMO_HISTORY];
    PETHREAD WorkerThread;
    PETHREAD ReportThread;
    UNICODE_STRING FriendlyName;
} DEMO_DEVICE_EXTENSION, *PDEMO_DEVICE_EXTENSION;

extern __declspec(dllexport) PDEMO_DEVICE_EXTENSION DemoDeviceExtension;

__declspec(dllexport) NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath);
__declspec(dllexport) NTSTATUS DemoDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp);
__declspec(dllexport) NTSTATUS DemoProcessRequest(PDEMO_DEVICE_EXTENSION Extension, PIRP Irp,
                                                  PIO_STACK_LOCATION Location);
__declspec(dllexport) NTSTATUS DemoQueueRequest(PREQUEST_QUEUE Queue, PREQUEST Request);
__declspec(dllexport) PREQUEST DemoDequeueRequest(PREQUEST_QUEUE Queue);
__declspec(dllexport) VOID DemoInitializeQueue(PREQUEST_QUEUE Queue);
__declspec(dllexport) VOID DemoWorkerThread(PVOID Context);
__declspec(dllexport) VOID DemoReportThread(PVOID Context);
__declspec(dllexport) VOID DemoCompleteRequest(PDEMO_DEVICE_EXTENSION Extension, PREQUEST Request);
__declspec(dllexport) DEMO_RESULT DemoChecksum(const UCHAR *Data, ULONG Length);
__declspec(dllexport) NTSTATUS DemoFault(PDEMO_FAULT_REQUEST Fault);
