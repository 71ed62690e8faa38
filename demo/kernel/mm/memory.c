// Physical pages, page tables, kernel stacks. Physical memory is reached through the direct map; the image
// builder made the top-level entries of all kernel regions, so page directories share everything below them.
#include "../include/ki.h"

ULONG64 MmHighestPhysicalPage, MmLowestPhysicalPage, MmNumberOfPhysicalPages, MmAvailablePages;
ULONG64 MmSystemRangeStart = MM_SYSTEM_RANGE_START;
ULONG64 MmHighestUserAddress = MM_HIGHEST_USER_ADDRESS;
ULONG64 MmUserProbeAddress = MM_HIGHEST_USER_ADDRESS + 1;

static KSPIN_LOCK MiLock;
static ULONG64 MiNextPage;          // pages from here on were never handed out
static ULONG64 MiFreePageHead;      // returned pages, linked through their first eight bytes
static ULONG64 MiNextStack = MM_STACK_START;

VOID MmInitSystem(VOID) {
    MiNextPage = (KeLoaderBlock->ImageEnd + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    MmLowestPhysicalPage = 1;
    MmHighestPhysicalPage = KeLoaderBlock->MemorySize / PAGE_SIZE - 1;
    MmNumberOfPhysicalPages = KeLoaderBlock->MemorySize / PAGE_SIZE;
    MmAvailablePages = (KeLoaderBlock->MemorySize - MiNextPage) / PAGE_SIZE;
}

BOOLEAN MiIsRam(ULONG64 physical) {
    return physical < KeLoaderBlock->MemorySize;
}

PVOID MiPhysicalToVirtual(ULONG64 physical) {
    return (PVOID)(MM_DIRECT_MAP + physical);
}

ULONG64 MiAllocatePages(ULONG count) {
    ULONG64 physical = 0;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    if (count == 1 && MiFreePageHead) {
        physical = MiFreePageHead;
        MiFreePageHead = *(ULONG64 *)MiPhysicalToVirtual(physical);
    } else if (MiNextPage + count * PAGE_SIZE <= KeLoaderBlock->MemorySize) {
        physical = MiNextPage;
        MiNextPage += count * PAGE_SIZE;
    }
    if (physical) MmAvailablePages -= count;
    KeReleaseSpinLock(&MiLock, irql);
    if (physical) RtlZeroMemory(MiPhysicalToVirtual(physical), count * PAGE_SIZE);
    return physical;
}

VOID MiFreePage(ULONG64 physical) {
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    *(ULONG64 *)MiPhysicalToVirtual(physical) = MiFreePageHead;
    MiFreePageHead = physical;
    MmAvailablePages++;
    KeReleaseSpinLock(&MiLock, irql);
}

#define LEVELS 4
static ULONG MiIndex(ULONG64 va, ULONG level) { // level 3 = PML4 ... 0 = page table
    return (ULONG)(va >> (12 + 9 * level)) & 511;
}

BOOLEAN MiTranslate(ULONG64 cr3, ULONG64 va, ULONG64 *physical, ULONG64 *entry) {
    ULONG64 table = cr3 & PTE_FRAME;
    if ((LONG64)(va << 16) >> 16 != (LONG64)va) return FALSE; // not canonical
    for (LONG level = LEVELS - 1; level >= 0; level--) {
        if (!MiIsRam(table)) return FALSE;
        ULONG64 pte = ((ULONG64 *)MiPhysicalToVirtual(table))[MiIndex(va, (ULONG)level)];
        if (!(pte & PTE_VALID)) return FALSE;
        if (level == 0 || (pte & PTE_LARGE && level < 3)) {
            ULONG64 mask = (1ULL << (12 + 9 * level)) - 1;
            *physical = (pte & PTE_FRAME & ~mask) | (va & mask);
            *entry = pte;
            return TRUE;
        }
        table = pte & PTE_FRAME;
    }
    return FALSE;
}

BOOLEAN MmIsAddressValid(PVOID va) {
    ULONG64 physical, entry;
    return MiTranslate(ReadCr3(), (ULONG64)va, &physical, &entry);
}

// The page-table entry for va, making the tables on the way when asked to.
static ULONG64 *MiGetPte(ULONG64 cr3, ULONG64 va, BOOLEAN create) {
    ULONG64 table = cr3 & PTE_FRAME;
    for (ULONG level = LEVELS - 1; level > 0; level--) {
        ULONG64 *pte = (ULONG64 *)MiPhysicalToVirtual(table) + MiIndex(va, level);
        if (!(*pte & PTE_VALID)) {
            ULONG64 page = create ? MiAllocatePages(1) : 0;
            if (!page) return NULL;
            *pte = page | PTE_VALID | PTE_WRITE | (va < MM_SYSTEM_RANGE_START ? PTE_USER : 0);
        }
        if (*pte & PTE_LARGE) return NULL;
        table = *pte & PTE_FRAME;
    }
    return (ULONG64 *)MiPhysicalToVirtual(table) + MiIndex(va, 0);
}

BOOLEAN MiMapPage(ULONG64 cr3, ULONG64 va, ULONG64 physical, ULONG64 flags) {
    ULONG64 *pte = MiGetPte(cr3, va, TRUE);
    if (!pte) return FALSE;
    *pte = physical | flags | PTE_VALID;
    InvalidatePage(va);
    return TRUE;
}

ULONG64 MiUnmapPage(ULONG64 cr3, ULONG64 va) {
    ULONG64 *pte = MiGetPte(cr3, va, FALSE);
    if (!pte || !(*pte & PTE_VALID)) return 0;
    ULONG64 physical = *pte & PTE_FRAME;
    *pte = 0;
    InvalidatePage(va);
    return physical;
}

// A page directory with the kernel's half and its own self map.
ULONG64 MiCreateDirectory(VOID) {
    ULONG64 page = MiAllocatePages(1);
    if (!page) return 0;
    ULONG64 *table = MiPhysicalToVirtual(page);
    ULONG64 *kernel = MiPhysicalToVirtual(KeLoaderBlock->KernelCr3);
    for (ULONG i = 256; i < 512; i++) table[i] = kernel[i];
    table[MiIndex(MM_PTE_BASE, 3)] = page | PTE_VALID | PTE_WRITE | PTE_NX;
    return page;
}

PVOID MmCreateKernelStack(VOID) {
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    ULONG64 limit = MiNextStack + PAGE_SIZE; // the page below stays unmapped: overflow faults
    MiNextStack = limit + KERNEL_STACK_SIZE;
    KeReleaseSpinLock(&MiLock, irql);
    for (ULONG64 va = limit; va < limit + KERNEL_STACK_SIZE; va += PAGE_SIZE) {
        ULONG64 page = MiAllocatePages(1);
        if (!page || !MiMapPage(KeLoaderBlock->KernelCr3, va, page, PTE_WRITE | PTE_GLOBAL | PTE_NX)) return NULL;
    }
    return (PVOID)(limit + KERNEL_STACK_SIZE);
}
