// The kernel debugger transport and protocol ("KDCOM stub"), from the target's side.
// Protocol structures follow the public descriptions of the KD wire format; all offsets are asserted.
#pragma once
#include "../include/ki.h"

// ---- Packets ----
#define PACKET_LEADER 0x30303030
#define CONTROL_PACKET_LEADER 0x69696969
#define PACKET_TRAILING_BYTE 0xAA
#define BREAKIN_BYTE 0x62
#define PACKET_MAX_SIZE 4000
#define INITIAL_PACKET_ID 0x80800000
#define SYNC_PACKET_ID 0x00000800

#define PACKET_TYPE_KD_STATE_MANIPULATE 2
#define PACKET_TYPE_KD_DEBUG_IO 3
#define PACKET_TYPE_KD_ACKNOWLEDGE 4
#define PACKET_TYPE_KD_RESEND 5
#define PACKET_TYPE_KD_RESET 6
#define PACKET_TYPE_KD_STATE_CHANGE64 7

typedef struct _KD_PACKET {
    ULONG PacketLeader;
    USHORT PacketType;
    USHORT ByteCount;
    ULONG PacketId;
    ULONG Checksum;
} KD_PACKET, *PKD_PACKET;
C_ASSERT(sizeof(KD_PACKET) == 16);

typedef enum _KDP_STATUS {
    KDP_PACKET_RECEIVED = 0,
    KDP_PACKET_TIMEOUT = 1,
    KDP_PACKET_RESEND = 2 // the peer wants the last state change again
} KDP_STATUS;

// One stretch of packet payload. MaximumLength is the room when receiving.
typedef struct _KD_BUFFER {
    PVOID Buffer;
    ULONG Length;
    ULONG MaximumLength;
} KD_BUFFER, *PKD_BUFFER;

VOID KdpPortInitialize(VOID);
VOID KdpPortPut(UCHAR byte);
BOOLEAN KdpPortPoll(PUCHAR byte);                            // FALSE: nothing there
BOOLEAN KdpPortGet(PUCHAR byte, ULONG64 deadline);           // deadline in TSC ticks, see KdpDeadline
ULONG64 KdpDeadline(ULONG milliseconds);

VOID KdSendPacket(ULONG type, PKD_BUFFER header, PKD_BUFFER data);
KDP_STATUS KdReceivePacket(ULONG type, PKD_BUFFER header, PKD_BUFFER data);
BOOLEAN KdPollBreakIn(VOID);
extern BOOLEAN KdpControlCPending;
NTKERNELAPI extern volatile BOOLEAN KdDebuggerNotPresent;
NTKERNELAPI extern BOOLEAN KdDebuggerEnabled;

// ---- State change ----
#define DbgKdExceptionStateChange 0x3030
#define DbgKdLoadSymbolsStateChange 0x3031

typedef struct _DBGKM_EXCEPTION64 {
    EXCEPTION_RECORD ExceptionRecord;
    ULONG FirstChance;
} DBGKM_EXCEPTION64;

typedef struct _DBGKD_LOAD_SYMBOLS64 {
    ULONG PathNameLength;
    ULONG64 BaseOfDll;
    ULONG64 ProcessId;
    ULONG CheckSum;
    ULONG SizeOfImage;
    BOOLEAN UnloadSymbols;
} DBGKD_LOAD_SYMBOLS64;

typedef struct _AMD64_DBGKD_CONTROL_REPORT {
    ULONG64 Dr6;
    ULONG64 Dr7;
    ULONG EFlags;
    USHORT InstructionCount;
    USHORT ReportFlags;
    UCHAR InstructionStream[16];
    USHORT SegCs, SegDs, SegEs, SegFs;
} DBGKD_CONTROL_REPORT, *PDBGKD_CONTROL_REPORT;
C_ASSERT(sizeof(DBGKD_CONTROL_REPORT) == 48);

typedef struct _DBGKD_ANY_WAIT_STATE_CHANGE {
    ULONG NewState;
    USHORT ProcessorLevel;
    USHORT Processor;
    ULONG NumberProcessors;
    ULONG64 Thread;
    ULONG64 ProgramCounter;
    union {
        DBGKM_EXCEPTION64 Exception;
        DBGKD_LOAD_SYMBOLS64 LoadSymbols;
    } u;
    DBGKD_CONTROL_REPORT ControlReport;
} DBGKD_ANY_WAIT_STATE_CHANGE, *PDBGKD_ANY_WAIT_STATE_CHANGE;
ASSERT_OFFSET(DBGKD_ANY_WAIT_STATE_CHANGE, u, 32);
ASSERT_OFFSET(DBGKD_ANY_WAIT_STATE_CHANGE, u.Exception.FirstChance, 184);
ASSERT_OFFSET(DBGKD_ANY_WAIT_STATE_CHANGE, ControlReport, 192);
C_ASSERT(sizeof(DBGKD_ANY_WAIT_STATE_CHANGE) == 240);

// ---- Debug I/O ----
#define DbgKdPrintStringApi 0x3230

typedef struct _DBGKD_DEBUG_IO {
    ULONG ApiNumber;
    USHORT ProcessorLevel;
    USHORT Processor;
    ULONG LengthOfString;
    ULONG LengthOfStringRead;
} DBGKD_DEBUG_IO;
C_ASSERT(sizeof(DBGKD_DEBUG_IO) == 16);

// ---- Manipulate state ----
enum {
    DbgKdReadVirtualMemoryApi = 0x3130,
    DbgKdWriteVirtualMemoryApi,
    DbgKdGetContextApi,
    DbgKdSetContextApi,
    DbgKdWriteBreakPointApi,
    DbgKdRestoreBreakPointApi,
    DbgKdContinueApi,
    DbgKdReadControlSpaceApi,
    DbgKdWriteControlSpaceApi,
    DbgKdReadIoSpaceApi,
    DbgKdWriteIoSpaceApi,
    DbgKdRebootApi,
    DbgKdContinueApi2,
    DbgKdReadPhysicalMemoryApi,
    DbgKdWritePhysicalMemoryApi,
    DbgKdReadIoSpaceExtendedApi = 0x3144,
    DbgKdWriteIoSpaceExtendedApi,
    DbgKdGetVersionApi,
    DbgKdCauseBugCheckApi = 0x3149,
    DbgKdSwitchProcessorApi = 0x3150,
    DbgKdReadMachineSpecificRegisterApi = 0x3152,
    DbgKdWriteMachineSpecificRegisterApi,
    DbgKdSearchMemoryApi = 0x3156,
    DbgKdGetBusDataApi,
    DbgKdSetBusDataApi,
    DbgKdCheckLowMemoryApi,
    DbgKdClearAllInternalBreakpointsApi,
    DbgKdFillMemoryApi,
    DbgKdQueryMemoryApi,
    DbgKdGetContextExApi = 0x315F,
    DbgKdSetContextExApi
};

typedef struct _DBGKD_GET_VERSION64 {
    USHORT MajorVersion;
    USHORT MinorVersion;
    UCHAR ProtocolVersion;
    UCHAR KdSecondaryVersion;
    USHORT Flags;
    USHORT MachineType;
    UCHAR MaxPacketType;
    UCHAR MaxStateChange;
    UCHAR MaxManipulate;
    UCHAR Simulation;
    USHORT Unused[1];
    ULONG64 KernBase;
    ULONG64 PsLoadedModuleList;
    ULONG64 DebuggerDataList;
} DBGKD_GET_VERSION64;
C_ASSERT(sizeof(DBGKD_GET_VERSION64) == 40);

typedef struct _DBGKD_MANIPULATE_STATE64 {
    ULONG ApiNumber;
    USHORT ProcessorLevel;
    USHORT Processor;
    NTSTATUS ReturnStatus;
    ULONG Pad;
    union {
        struct {
            ULONG64 TargetBaseAddress;
            ULONG TransferCount;
            ULONG ActualBytes;
        } Memory; // virtual and physical memory, control space
        struct {
            ULONG Offset;
            ULONG ByteCount;
            ULONG BytesCopied;
        } ContextEx;
        struct {
            ULONG64 Address;
            ULONG Handle;
        } WriteBreakPoint;
        struct {
            ULONG Handle;
        } RestoreBreakPoint;
        struct {
            NTSTATUS ContinueStatus;
            ULONG TraceFlag;
            ULONG64 Dr7;
            ULONG64 CurrentSymbolStart;
            ULONG64 CurrentSymbolEnd;
        } Continue2; // ContinueApi uses the first field only
        struct {
            ULONG64 Address;
            ULONG DataSize;
            ULONG DataValue;
        } Io;
        struct {
            ULONG DataSize;
            ULONG InterfaceType;
            ULONG BusNumber;
            ULONG AddressSpace;
            ULONG64 Address;
            ULONG DataValue;
        } IoExtended;
        struct {
            ULONG Msr;
            ULONG Low;
            ULONG High;
        } MachineRegister;
        struct {
            ULONG64 Address;
            ULONG64 Length;
            ULONG PatternLength;
        } Search;
        struct {
            ULONG64 Address;
            ULONG Length; // reply: bytes filled
            USHORT Flags;
            USHORT PatternLength;
        } Fill;
        struct {
            ULONG64 Address;
            ULONG64 Reserved;
            ULONG AddressSpace;
            ULONG Flags;
        } Query;
        struct {
            ULONG Type, Bus, Slot, Offset, Length;
        } Bus;
        DBGKD_GET_VERSION64 Version;
        UCHAR Bytes[40];
    } u;
} DBGKD_MANIPULATE_STATE64, *PDBGKD_MANIPULATE_STATE64;
C_ASSERT(sizeof(DBGKD_MANIPULATE_STATE64) == 56);

#define KDP_MAX_DATA (PACKET_MAX_SIZE - sizeof(DBGKD_MANIPULATE_STATE64))

// A request and its data; handlers turn it into the reply in place.
typedef struct _KDP_REQUEST {
    DBGKD_MANIPULATE_STATE64 State;
    KD_BUFFER Data;
    PCONTEXT Context; // of the processor that stopped
} KDP_REQUEST, *PKDP_REQUEST;

// What the main loop does after a handler.
typedef enum _KDP_ACTION { KdpReply, KdpNoReply, KdpContinue, KdpSwitched } KDP_ACTION;

typedef enum _KDP_CONTINUE {
    KdpContinueError,   // not handled
    KdpContinueSuccess, // handled
    KdpContinueSwitch   // another processor takes over
} KDP_CONTINUE;

KDP_ACTION KdpManipulate(PKDP_REQUEST request, KDP_CONTINUE *result);
KDP_CONTINUE KdpSendWaitContinue(PDBGKD_ANY_WAIT_STATE_CHANGE change, PKD_BUFFER data, PCONTEXT context);

// memory.c: return the number of bytes moved before the first bad page
ULONG KdpReadVirtual(ULONG64 address, PVOID buffer, ULONG length);
ULONG KdpWriteVirtual(ULONG64 address, const VOID *buffer, ULONG length);
VOID KdpReadMemoryApi(PKDP_REQUEST r, BOOLEAN physical);
VOID KdpWriteMemoryApi(PKDP_REQUEST r, BOOLEAN physical);
VOID KdpSearchMemoryApi(PKDP_REQUEST r);
VOID KdpFillMemoryApi(PKDP_REQUEST r);
VOID KdpQueryMemoryApi(PKDP_REQUEST r);

// registers.c
VOID KdpGetContextApi(PKDP_REQUEST r);
VOID KdpSetContextApi(PKDP_REQUEST r);
VOID KdpGetContextExApi(PKDP_REQUEST r);
VOID KdpSetContextExApi(PKDP_REQUEST r);
VOID KdpReadControlSpaceApi(PKDP_REQUEST r);
VOID KdpWriteControlSpaceApi(PKDP_REQUEST r);
VOID KdpForgetContextRequests(VOID); // at each new stop

// breakpoints.c
VOID KdpWriteBreakPointApi(PKDP_REQUEST r);
VOID KdpRestoreBreakPointApi(PKDP_REQUEST r);
VOID KdpDeleteBreakpointRange(ULONG64 first, ULONG64 last);
VOID KdpSetOwedBreakpoints(VOID);

// hardware.c
VOID KdpIoSpaceApi(PKDP_REQUEST r, BOOLEAN write);
VOID KdpIoSpaceExtendedApi(PKDP_REQUEST r, BOOLEAN write);
VOID KdpReadMsrApi(PKDP_REQUEST r);
VOID KdpWriteMsrApi(PKDP_REQUEST r);

// version.c
VOID KdpGetVersionApi(PKDP_REQUEST r);
extern DBGKD_GET_VERSION64 KdVersionBlock;

// ---- Entry from the rest of the kernel ----
#define DBG_STATUS_CONTROL_C 1
#define DBG_STATUS_BUGCHECK_FIRST 3
#define DBG_STATUS_BUGCHECK_SECOND 4
#define BREAKPOINT_BREAK 0
#define BREAKPOINT_PRINT 1
#define BREAKPOINT_LOAD_SYMBOLS 3
#define BREAKPOINT_UNLOAD_SYMBOLS 4

typedef struct _KD_SYMBOLS_INFO {
    PVOID BaseOfDll;
    ULONG64 ProcessId;
    ULONG CheckSum;
    ULONG SizeOfImage;
} KD_SYMBOLS_INFO, *PKD_SYMBOLS_INFO;

VOID KdInitSystem(VOID);
VOID KdCheckForDebugBreak(VOID); // from the clock interrupt
BOOLEAN KdTrap(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef, PEXCEPTION_RECORD record, BOOLEAN firstChance);
VOID KdpDebugService(PKTRAP_FRAME tf, PKEXCEPTION_FRAME ef);
VOID KdpFinishTrap(VOID); // does what had to wait until the debugger was left
VOID KdpServeFrozenProcessor(VOID);
NTSTATUS DebugService(ULONG service, PVOID argument1, ULONG64 argument2, ULONG64 argument3); // switch.S
VOID DbgLoadImageSymbols(PCSTR path, PKD_SYMBOLS_INFO info);
VOID DbgUnLoadImageSymbols(PCSTR path, PKD_SYMBOLS_INFO info);

extern ULONG KdpDeferredBugCheck;
extern LONG KdpSwitchTarget; // processor that shall take over, -1 none
