// Kernel objects: dispatcher objects, threads, processes, processor control region.
// Where the KD reference or KDDEBUGGER_DATA64 worked values give an offset, it is kept and asserted.
#pragma once
#include "context.h"

#define MAXIMUM_PROCESSORS 4
#define PAGE_SIZE 0x1000ULL

#define KGDT64_R0_CODE 0x10
#define KGDT64_R0_DATA 0x18
#define KGDT64_R3_CMCODE 0x20
#define KGDT64_R3_DATA 0x28
#define KGDT64_R3_CODE 0x30
#define KGDT64_SYS_TSS 0x40
#define KGDT64_R3_CMTEB 0x50

#define PASSIVE_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define CLOCK_LEVEL 13
#define HIGH_LEVEL 15

typedef ULONG64 KSPIN_LOCK, *PKSPIN_LOCK;

typedef struct _DISPATCHER_HEADER {
    UCHAR Type; // KOBJECTS
    UCHAR Signalling;
    UCHAR Size;
    UCHAR Reserved1;
    LONG SignalState;
    LIST_ENTRY WaitListHead; // KTHREAD.WaitListEntry
} DISPATCHER_HEADER;

typedef enum _KOBJECTS {
    EventNotificationObject = 0,
    EventSynchronizationObject = 1,
    ProcessObject = 3,
    SemaphoreObject = 5,
    ThreadObject = 6
} KOBJECTS;

typedef struct _KEVENT {
    DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT;

typedef struct _KSEMAPHORE {
    DISPATCHER_HEADER Header;
    LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE;

typedef enum _KTHREAD_STATE { Initialized, Ready, Running, Standby, Terminated, Waiting } KTHREAD_STATE;
typedef enum _KWAIT_REASON { Executive = 0, DelayExecution = 4, WrQueue = 15 } KWAIT_REASON;

typedef struct _KAPC_STATE {
    LIST_ENTRY ApcListHead[2];
    struct _KPROCESS *Process;
    UCHAR KernelApcInProgress;
    UCHAR KernelApcPending;
    UCHAR UserApcPending;
} KAPC_STATE;

typedef struct _KTHREAD {
    DISPATCHER_HEADER Header;        // 0x000
    PVOID SListFaultAddress;         // 0x018
    ULONG64 QuantumTarget;           // 0x020 clock ticks left in this turn
    PVOID InitialStack;              // 0x028
    PVOID StackLimit;                // 0x030
    PVOID StackBase;                 // 0x038
    KSPIN_LOCK ThreadLock;           // 0x040
    ULONG64 CycleTime;               // 0x048
    ULONG CurrentRunTime;            // 0x050
    ULONG ExpectedRunTime;           // 0x054
    PVOID KernelStack;               // 0x058 saved RSP while not running (KSWITCH_FRAME)
    ULONG64 Reserved0[6];            // 0x060
    PKTRAP_FRAME TrapFrame;          // 0x090
    KAPC_STATE ApcState;             // 0x098, Process at 0x0B8
    ULONG64 WaitStatus;              // 0x0C8
    ULONG64 WakeTime;                // 0x0D0 tick count that ends the wait, 0 = none
    PVOID WaitObject;                // 0x0D8
    LIST_ENTRY WaitListEntry;        // 0x0E0 in an object's list or in the ready list
    PVOID Teb;                       // 0x0F0
    LIST_ENTRY DelayListEntry;       // 0x0F8 in the list of waits with a time limit
    ULONG ContextSwitches;           // 0x108
    CHAR Priority;                   // 0x10C
    CHAR BasePriority;               // 0x10D
    UCHAR Reserved1[2];              // 0x10E
    LIST_ENTRY QueueListEntry;       // 0x110
    PVOID Queue;                     // 0x120
    ULONG KernelTime;                // 0x128
    ULONG UserTime;                  // 0x12C
    ULONG64 Reserved2[10];           // 0x130
    ULONG NextProcessor;             // 0x180
    volatile UCHAR State;            // 0x184 KTHREAD_STATE
    UCHAR WaitIrql;                  // 0x185
    UCHAR WaitReason;                // 0x186
    UCHAR WaitMode;                  // 0x187
    struct _KPROCESS *Process;       // 0x188
    LIST_ENTRY ThreadListEntry;      // 0x190
} KTHREAD, *PKTHREAD;
ASSERT_OFFSET(KTHREAD, InitialStack, 0x28);
ASSERT_OFFSET(KTHREAD, KernelStack, 0x58);
ASSERT_OFFSET(KTHREAD, TrapFrame, 0x90);
ASSERT_OFFSET(KTHREAD, ApcState.Process, 0xB8);
ASSERT_OFFSET(KTHREAD, Teb, 0xF0);
ASSERT_OFFSET(KTHREAD, State, 0x184);

typedef struct _KPROCESS {
    DISPATCHER_HEADER Header;   // 0x00
    LIST_ENTRY ProfileListHead; // 0x18
    ULONG64 DirectoryTableBase; // 0x28
    LIST_ENTRY ThreadListHead;  // 0x30
    ULONG ProcessLock;          // 0x40
    ULONG ProcessTimerDelay;    // 0x44
    KAFFINITY Affinity;         // 0x48
    CHAR BasePriority;          // 0x50
    CHAR QuantumReset;          // 0x51
    UCHAR State;                // 0x52
    ULONG KernelTime;           // 0x54
    ULONG UserTime;             // 0x58
} KPROCESS, *PKPROCESS;
ASSERT_OFFSET(KPROCESS, DirectoryTableBase, 0x28);

typedef struct _EPROCESS {
    KPROCESS Pcb;
    KSPIN_LOCK ProcessLock;
    LARGE_INTEGER CreateTime;
    HANDLE UniqueProcessId;
    LIST_ENTRY ActiveProcessLinks;
    ULONG Flags;
    ULONG ActiveThreads;
    PVOID Peb;
    PVOID SectionBaseAddress;
    HANDLE InheritedFromUniqueProcessId;
    PVOID ObjectTable;
    UCHAR ImageFileName[15];
    UCHAR PriorityClass;
    LIST_ENTRY ThreadListHead;
    NTSTATUS ExitStatus;
    SIZE_T VirtualSize;
} EPROCESS, *PEPROCESS;

typedef VOID (*PKSTART_ROUTINE)(PVOID StartContext);

typedef struct _ETHREAD {
    KTHREAD Tcb;
    LARGE_INTEGER CreateTime;
    LARGE_INTEGER ExitTime;
    NTSTATUS ExitStatus;
    CLIENT_ID Cid;
    LIST_ENTRY IrpList;
    PKSTART_ROUTINE StartAddress;
    PVOID StartContext;
    LIST_ENTRY ThreadListEntry; // in EPROCESS.ThreadListHead
} ETHREAD, *PETHREAD;

struct _KDPC;
typedef VOID (*PKDEFERRED_ROUTINE)(struct _KDPC *Dpc, PVOID Context, PVOID Argument1, PVOID Argument2);

typedef struct _KDPC {
    UCHAR Type;
    UCHAR Importance;
    USHORT Number;
    LIST_ENTRY DpcListEntry;
    PKDEFERRED_ROUTINE DeferredRoutine;
    PVOID DeferredContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    PVOID DpcData;
} KDPC, *PKDPC;

typedef struct _KTSS64 {
    ULONG Reserved0;
    ULONG64 Rsp0, Rsp1, Rsp2;
    ULONG64 Ist[8]; // Ist[0] is reserved
    ULONG64 Reserved1;
    USHORT Reserved2;
    USHORT IoMapBase;
} __attribute__((packed)) KTSS64, *PKTSS64;
C_ASSERT(sizeof(KTSS64) == 0x68);

typedef struct _KIDTENTRY64 {
    USHORT OffsetLow;
    USHORT Selector;
    USHORT IstIndex : 3;
    USHORT Reserved0 : 5;
    USHORT Type : 5;
    USHORT Dpl : 2;
    USHORT Present : 1;
    USHORT OffsetMiddle;
    ULONG OffsetHigh;
    ULONG Reserved1;
} KIDTENTRY64, *PKIDTENTRY64;
C_ASSERT(sizeof(KIDTENTRY64) == 16);

// Values of KPRCB.IpiFrozen: how one processor is held while another talks to the debugger.
typedef enum _KFREEZE_STATE { RUNNING = 0, TARGET_FREEZE = 1, FROZEN = 2, THAW = 3 } KFREEZE_STATE;

typedef struct _KPRCB {
    ULONG MxCsr;                    // 0x000
    UCHAR LegacyNumber;             // 0x004
    UCHAR ReservedMustBeZero;       // 0x005
    UCHAR InterruptRequest;         // 0x006
    UCHAR IdleHalt;                 // 0x007
    PKTHREAD CurrentThread;         // 0x008
    PKTHREAD NextThread;            // 0x010
    PKTHREAD IdleThread;            // 0x018
    UCHAR NestingLevel;             // 0x020
    UCHAR ClockOwner;               // 0x021
    UCHAR PendingTickFlags;         // 0x022
    UCHAR IdleState;                // 0x023
    ULONG Number;                   // 0x024
    ULONG64 RspBase;                // 0x028
    KSPIN_LOCK PrcbLock;            // 0x030
    PCHAR PriorityState;            // 0x038
    KPROCESSOR_STATE ProcessorState; // 0x040, ContextFrame at 0x120
    CHAR CpuType;                   // 0x5F0 family
    CHAR CpuID;                     // 0x5F1
    USHORT CpuStep;                 // 0x5F2 model << 8 | stepping
    ULONG MHz;                      // 0x5F4
    CHAR VendorString[16];          // 0x5F8
    PCONTEXT Context;               // 0x608
    volatile ULONG IpiFrozen;       // 0x610 KFREEZE_STATE
    ULONG ApicId;                   // 0x614
    ULONG InterruptCount;           // 0x618
    ULONG KeContextSwitches;        // 0x61C
    PVOID DpcStack;                 // 0x620
    PVOID IsrStack;                 // 0x628
    PKDEFERRED_ROUTINE DpcRoutine;  // 0x630
    ULONG DpcRoutineActive;         // 0x638
    ULONG Spare0;                   // 0x63C
} KPRCB, *PKPRCB;
ASSERT_OFFSET(KPRCB, CurrentThread, 8);
ASSERT_OFFSET(KPRCB, Number, 0x24);
ASSERT_OFFSET(KPRCB, ProcessorState, 0x40);
ASSERT_OFFSET(KPRCB, ProcessorState.ContextFrame, 0x120);
ASSERT_OFFSET(KPRCB, CpuType, 0x5F0);

typedef struct _KPCR {
    PVOID GdtBase;              // 0x000
    PKTSS64 TssBase;            // 0x008
    ULONG64 UserRsp;            // 0x010
    struct _KPCR *Self;         // 0x018
    PKPRCB CurrentPrcb;         // 0x020
    PVOID LockArray;            // 0x028
    PVOID Used_Self;            // 0x030
    PKIDTENTRY64 IdtBase;       // 0x038
    ULONG64 Unused[2];          // 0x040
    KIRQL Irql;                 // 0x050
    UCHAR SecondLevelCacheAssociativity;
    UCHAR ObsoleteNumber;
    UCHAR Fill0;
    ULONG Unused0[3];
    USHORT MajorVersion;        // 0x060
    USHORT MinorVersion;
    ULONG StallScaleFactor;     // 0x064
    PVOID Unused1[3];           // 0x068
    ULONG KernelReserved[15];   // 0x080
    ULONG SecondLevelCacheSize; // 0x0BC
    ULONG HalReserved[16];      // 0x0C0
    ULONG Unused2;              // 0x100
    PVOID KdVersionBlock;       // 0x108
    PVOID Unused3;              // 0x110
    ULONG PcrAlign1[24];        // 0x118
    __attribute__((aligned(64))) KPRCB Prcb; // 0x180
} KPCR, *PKPCR;
ASSERT_OFFSET(KPCR, Self, 0x18);
ASSERT_OFFSET(KPCR, CurrentPrcb, 0x20);
ASSERT_OFFSET(KPCR, IdtBase, 0x38);
ASSERT_OFFSET(KPCR, Irql, 0x50);
ASSERT_OFFSET(KPCR, KdVersionBlock, 0x108);
ASSERT_OFFSET(KPCR, Prcb, 0x180);

// The page at 0xFFFFF78000000000: only the time fields are filled.
typedef struct _KSYSTEM_TIME {
    ULONG LowPart;
    LONG High1Time;
    LONG High2Time;
} KSYSTEM_TIME;

typedef struct _KUSER_SHARED_DATA {
    ULONG TickCountLowDeprecated;     // 0x000
    ULONG TickCountMultiplier;        // 0x004
    volatile KSYSTEM_TIME InterruptTime; // 0x008
    volatile KSYSTEM_TIME SystemTime;    // 0x014
    volatile KSYSTEM_TIME TimeZoneBias;  // 0x020
    USHORT ImageNumberLow;            // 0x02C
    USHORT ImageNumberHigh;           // 0x02E
    WCHAR NtSystemRoot[260];          // 0x030
    ULONG MaxStackTraceDepth;         // 0x238
    ULONG CryptoExponent;             // 0x23C
    ULONG TimeZoneId;                 // 0x240
    ULONG LargePageMinimum;           // 0x244
    ULONG Reserved2[6];               // 0x248
    ULONG NtBuildNumber;              // 0x260
    ULONG NtProductType;              // 0x264
    BOOLEAN ProductTypeIsValid;       // 0x268
    UCHAR Reserved3[3];
    ULONG NtMajorVersion;             // 0x26C
    ULONG NtMinorVersion;             // 0x270
    UCHAR Reserved4[0x60];            // 0x274
    UCHAR KdDebuggerEnabled;          // 0x2D4
    UCHAR Reserved5[0x4B];
    volatile KSYSTEM_TIME TickCount;  // 0x320
} KUSER_SHARED_DATA, *PKUSER_SHARED_DATA;
ASSERT_OFFSET(KUSER_SHARED_DATA, NtBuildNumber, 0x260);
ASSERT_OFFSET(KUSER_SHARED_DATA, KdDebuggerEnabled, 0x2D4);
ASSERT_OFFSET(KUSER_SHARED_DATA, TickCount, 0x320);

#define KI_USER_SHARED_DATA 0xFFFFF78000000000ULL
#define SharedUserData ((PKUSER_SHARED_DATA)KI_USER_SHARED_DATA)
