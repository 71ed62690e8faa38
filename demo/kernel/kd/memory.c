// Memory for the debugger. Every access walks the page tables and goes through the direct map, so bad addresses
// never fault here and read-only pages can be patched.
#include "kdp.h"

// Moves bytes page by page until a bad one. Only RAM is reachable: device registers have side effects.
static ULONG KdpMove(ULONG64 address, PUCHAR buffer, ULONG length, BOOLEAN physical, BOOLEAN write) {
    ULONG done = 0;
    while (done < length) {
        ULONG64 target = address + done, at = target, entry;
        ULONG chunk = (ULONG)(PAGE_SIZE - (target & (PAGE_SIZE - 1)));
        if (chunk > length - done) chunk = length - done;
        if (!physical && !MiTranslate(ReadCr3(), target, &at, &entry)) break;
        if (!MiIsRam(at) || !MiIsRam(at + chunk - 1)) break;
        if (write)
            RtlCopyMemory(MiPhysicalToVirtual(at), buffer + done, chunk);
        else
            RtlCopyMemory(buffer + done, MiPhysicalToVirtual(at), chunk);
        done += chunk;
    }
    return done;
}

ULONG KdpReadVirtual(ULONG64 address, PVOID buffer, ULONG length) {
    return KdpMove(address, buffer, length, FALSE, FALSE);
}

ULONG KdpWriteVirtual(ULONG64 address, const VOID *buffer, ULONG length) {
    return KdpMove(address, (PUCHAR)buffer, length, FALSE, TRUE);
}

VOID KdpReadMemoryApi(PKDP_REQUEST r, BOOLEAN physical) {
    ULONG wanted = r->State.u.Memory.TransferCount;
    ULONG length = wanted < KDP_MAX_DATA ? wanted : KDP_MAX_DATA;
    r->Data.Length = KdpMove(r->State.u.Memory.TargetBaseAddress, r->Data.Buffer, length, physical, FALSE);
    r->State.u.Memory.ActualBytes = r->Data.Length;
    r->State.ReturnStatus = r->Data.Length == length ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

VOID KdpWriteMemoryApi(PKDP_REQUEST r, BOOLEAN physical) {
    ULONG wanted = r->State.u.Memory.TransferCount;
    ULONG length = wanted < r->Data.Length ? wanted : r->Data.Length;
    ULONG done = KdpMove(r->State.u.Memory.TargetBaseAddress, r->Data.Buffer, length, physical, TRUE);
    r->State.u.Memory.ActualBytes = done;
    r->State.ReturnStatus = done == wanted ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
    r->Data.Length = 0;
}

// A search may cover much: it is bounded, and a page that is not there ends a run, not the search.
#define SEARCH_LIMIT (64ULL << 20)

VOID KdpSearchMemoryApi(PKDP_REQUEST r) {
    ULONG64 address = r->State.u.Search.Address, length = r->State.u.Search.Length;
    ULONG size = r->State.u.Search.PatternLength;
    PUCHAR pattern = r->Data.Buffer;
    BOOLEAN bad = size == 0 || size > r->Data.Length;
    r->Data.Length = 0;
    r->State.ReturnStatus = bad ? STATUS_INVALID_PARAMETER : STATUS_NOT_FOUND;
    if (bad || length < size) return;
    if (length > SEARCH_LIMIT) length = SEARCH_LIMIT;
    PUCHAR page = NULL; // where the current page is readable
    for (ULONG64 offset = 0; offset + size <= length; offset++) {
        ULONG64 at = address + offset, inPage = at & (PAGE_SIZE - 1), physical, entry;
        if (!page || inPage == 0) {
            if (!MiTranslate(ReadCr3(), at, &physical, &entry) || !MiIsRam(physical)) {
                page = NULL;
                offset += PAGE_SIZE - 1 - inPage;
                continue;
            }
            page = MiPhysicalToVirtual(physical - inPage);
        }
        if (page[inPage] != pattern[0]) continue;
        ULONG matched = 1;
        UCHAR byte;
        while (matched < size && KdpReadVirtual(at + matched, &byte, 1) && byte == pattern[matched]) matched++;
        if (matched < size) continue;
        r->State.u.Search.Address = at;
        r->State.ReturnStatus = STATUS_SUCCESS;
        return;
    }
}

#define FILL_VIRTUAL 1
#define FILL_PHYSICAL 2

VOID KdpFillMemoryApi(PKDP_REQUEST r) {
    ULONG64 address = r->State.u.Fill.Address;
    ULONG length = r->State.u.Fill.Length, size = r->State.u.Fill.PatternLength, done = 0;
    USHORT flags = r->State.u.Fill.Flags;
    PUCHAR pattern = r->Data.Buffer;
    BOOLEAN bad = size == 0 || size > r->Data.Length || (flags != FILL_VIRTUAL && flags != FILL_PHYSICAL);
    if (!bad)
        while (done < length &&
               KdpMove(address + done, &pattern[done % size], 1, flags == FILL_PHYSICAL, TRUE))
            done++;
    r->Data.Length = 0;
    r->State.u.Fill.Length = done;
    r->State.ReturnStatus = bad              ? STATUS_INVALID_PARAMETER
                            : done == length ? STATUS_SUCCESS
                                             : STATUS_UNSUCCESSFUL;
}

VOID KdpQueryMemoryApi(PKDP_REQUEST r) {
    ULONG64 address = r->State.u.Query.Address, physical, entry = 0;
    BOOLEAN valid = MiTranslate(ReadCr3(), address, &physical, &entry);
    r->Data.Length = 0;
    r->State.u.Query.AddressSpace = address >= MM_SYSTEM_RANGE_START ? 2 : 0; // kernel or process
    r->State.u.Query.Flags = valid ? 1 | (entry & PTE_WRITE ? 2 : 0) | (entry & PTE_NX ? 0 : 4) : 0;
    r->State.ReturnStatus = valid ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
