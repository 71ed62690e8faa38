// Nonpaged pool: blocks of a power of two with a header that carries the owner's tag, one free list per size.
#include "../include/ki.h"

typedef struct _POOL_HEADER {
    USHORT BlockSizeLog2;
    USHORT PoolType; // 0 = free, 1 = in use
    ULONG PoolTag;
    struct _POOL_HEADER *NextFree;
} POOL_HEADER, *PPOOL_HEADER;
C_ASSERT(sizeof(POOL_HEADER) == 16);

#define SMALLEST_LOG2 5
#define PAGE_LOG2 12
#define LARGEST_LOG2 16

static KSPIN_LOCK ExpPoolLock;
static PPOOL_HEADER ExpFreeBlocks[LARGEST_LOG2 + 1];

static PPOOL_HEADER ExpRefill(ULONG log2) {
    ULONG bytes = 1UL << log2;
    ULONG pages = log2 > PAGE_LOG2 ? bytes >> PAGE_LOG2 : 1;
    ULONG64 physical = MiAllocatePages(pages);
    if (!physical) return NULL;
    PUCHAR base = MiPhysicalToVirtual(physical);
    for (ULONG64 offset = bytes; offset < pages * PAGE_SIZE; offset += bytes) {
        PPOOL_HEADER block = (PPOOL_HEADER)(base + offset);
        block->BlockSizeLog2 = (USHORT)log2;
        block->NextFree = ExpFreeBlocks[log2];
        ExpFreeBlocks[log2] = block;
    }
    ((PPOOL_HEADER)base)->BlockSizeLog2 = (USHORT)log2;
    return (PPOOL_HEADER)base;
}

// Returns zeroed memory, 16-byte aligned, or NULL.
PVOID ExAllocatePoolWithTag(SIZE_T bytes, ULONG tag) {
    ULONG log2 = SMALLEST_LOG2;
    while (log2 <= LARGEST_LOG2 && (1ULL << log2) < bytes + sizeof(POOL_HEADER)) log2++;
    if (log2 > LARGEST_LOG2) return NULL;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&ExpPoolLock);
    PPOOL_HEADER block = ExpFreeBlocks[log2];
    if (block)
        ExpFreeBlocks[log2] = block->NextFree;
    else
        block = ExpRefill(log2);
    if (block) {
        block->PoolType = 1;
        block->PoolTag = tag;
        block->NextFree = NULL;
    }
    KeReleaseSpinLock(&ExpPoolLock, irql);
    if (!block) return NULL;
    RtlZeroMemory(block + 1, (1ULL << log2) - sizeof(POOL_HEADER));
    return block + 1;
}

VOID ExFreePoolWithTag(PVOID pool, ULONG tag) {
    PPOOL_HEADER block = (PPOOL_HEADER)pool - 1;
    if (block->PoolType != 1 || (tag && block->PoolTag != tag)) // BAD_POOL_CALLER
        KeBugCheckEx(0xC2, block->PoolType == 1 ? 0x0A : 0x07, (ULONG64)pool, block->PoolTag, tag);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&ExpPoolLock);
    block->PoolType = 0;
    block->NextFree = ExpFreeBlocks[block->BlockSizeLog2];
    ExpFreeBlocks[block->BlockSizeLog2] = block;
    KeReleaseSpinLock(&ExpPoolLock, irql);
}
