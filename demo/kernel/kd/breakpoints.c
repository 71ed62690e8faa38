// Breakpoints kept by the target: 32 entries, handle = index + 1.
#include "kdp.h"

#define BREAKPOINT_TABLE_SIZE 32
#define BREAKPOINT_VALUE 0xCC

#define KD_BREAKPOINT_IN_USE 1
#define KD_BREAKPOINT_OWED 2 // its page was not there: written when the target goes on, if it is there then

typedef struct _BREAKPOINT_ENTRY {
    ULONG Flags;
    ULONG64 Address;
    UCHAR Content; // the byte under the int3
} BREAKPOINT_ENTRY, *PBREAKPOINT_ENTRY;

BREAKPOINT_ENTRY KdpBreakpointTable[BREAKPOINT_TABLE_SIZE];

static BOOLEAN KdpInsert(PBREAKPOINT_ENTRY entry) {
    UCHAR value = BREAKPOINT_VALUE;
    return KdpReadVirtual(entry->Address, &entry->Content, 1) && KdpWriteVirtual(entry->Address, &value, 1);
}

static VOID KdpRemove(PBREAKPOINT_ENTRY entry) {
    UCHAR byte;
    BOOLEAN written = !(entry->Flags & KD_BREAKPOINT_OWED);
    // A driver may have been unloaded or the byte rewritten since: restore only what is still ours.
    if (written && KdpReadVirtual(entry->Address, &byte, 1) && byte == BREAKPOINT_VALUE)
        KdpWriteVirtual(entry->Address, &entry->Content, 1);
    entry->Flags = 0;
    entry->Address = 0;
}

// Returns the handle, or 0 for a duplicate address or a full table.
static ULONG KdpAddBreakpoint(ULONG64 address) {
    PBREAKPOINT_ENTRY free = NULL;
    for (ULONG i = 0; i < BREAKPOINT_TABLE_SIZE; i++) {
        PBREAKPOINT_ENTRY entry = &KdpBreakpointTable[i];
        if (entry->Flags && entry->Address == address) return 0;
        if (!entry->Flags && !free) free = entry;
    }
    if (!free) return 0;
    free->Address = address;
    free->Flags = KD_BREAKPOINT_IN_USE;
    if (!KdpInsert(free)) free->Flags |= KD_BREAKPOINT_OWED;
    return (ULONG)(free - KdpBreakpointTable) + 1;
}

VOID KdpWriteBreakPointApi(PKDP_REQUEST r) {
    ULONG handle = KdpAddBreakpoint(r->State.u.WriteBreakPoint.Address);
    r->Data.Length = 0;
    r->State.u.WriteBreakPoint.Handle = handle;
    r->State.ReturnStatus = handle ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

VOID KdpRestoreBreakPointApi(PKDP_REQUEST r) {
    ULONG handle = r->State.u.RestoreBreakPoint.Handle;
    r->Data.Length = 0;
    r->State.ReturnStatus = STATUS_UNSUCCESSFUL;
    if (handle < 1 || handle > BREAKPOINT_TABLE_SIZE || !KdpBreakpointTable[handle - 1].Flags) return;
    KdpRemove(&KdpBreakpointTable[handle - 1]);
    r->State.ReturnStatus = STATUS_SUCCESS;
}

VOID KdpDeleteBreakpointRange(ULONG64 first, ULONG64 last) {
    for (ULONG i = 0; i < BREAKPOINT_TABLE_SIZE; i++) {
        PBREAKPOINT_ENTRY entry = &KdpBreakpointTable[i];
        if (entry->Flags && entry->Address >= first && entry->Address <= last) KdpRemove(entry);
    }
}

VOID KdpSetOwedBreakpoints(VOID) {
    for (ULONG i = 0; i < BREAKPOINT_TABLE_SIZE; i++) {
        PBREAKPOINT_ENTRY entry = &KdpBreakpointTable[i];
        if (entry->Flags & KD_BREAKPOINT_OWED && KdpInsert(entry)) entry->Flags &= ~KD_BREAKPOINT_OWED;
    }
}
