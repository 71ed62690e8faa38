// Requests the demo driver understands.
#pragma once
#include "../../kernel/include/ntddk.h"

#define IOCTL_DEMO_CHECKSUM 0x00220004 // SystemBuffer: bytes to sum; IoStatus.Information: the sum
#define IOCTL_DEMO_FAULT 0x00220008    // SystemBuffer: DEMO_FAULT_REQUEST

#define DEMO_FAULT_BREAKPOINT 1
#define DEMO_FAULT_NULL_WRITE 2
#define DEMO_FAULT_DIVIDE 3
#define DEMO_FAULT_INVALID_OPCODE 4
#define DEMO_FAULT_NONCANONICAL 5
#define DEMO_FAULT_SYSTEM_READ 6 // an unmapped kernel address: bugcheck 0x50 when not handled

typedef struct _DEMO_FAULT_REQUEST {
    ULONG Kind;
    PVOID Address;
} DEMO_FAULT_REQUEST, *PDEMO_FAULT_REQUEST;
