// Loaded images: PsLoadedModuleList, loading and unloading a driver, and telling the debugger about it.
// The build linked every image at its address and resolved its imports, so loading is copying and mapping.
#include "../include/ki.h"
#include "../kd/kdp.h"

LIST_ENTRY PsLoadedModuleList = {&PsLoadedModuleList, &PsLoadedModuleList};

// The few PE fields needed here, by offset from the PE signature.
#define PE_SECTION_COUNT 6
#define PE_TIME_STAMP 8
#define PE_OPTIONAL_SIZE 20
#define PE_CHECKSUM 88
#define PE_EXCEPTION_DIRECTORY 160

typedef struct _IMAGE_SECTION_HEADER {
    UCHAR Name[8];
    ULONG VirtualSize;
    ULONG VirtualAddress;
    ULONG SizeOfRawData;
    ULONG PointerToRawData;
    ULONG PointerToRelocations;
    ULONG PointerToLinenumbers;
    USHORT NumberOfRelocations;
    USHORT NumberOfLinenumbers;
    ULONG Characteristics;
} IMAGE_SECTION_HEADER, *PIMAGE_SECTION_HEADER;
#define IMAGE_SCN_MEM_EXECUTE 0x20000000
#define IMAGE_SCN_MEM_WRITE 0x80000000

static PUCHAR MiPeHeader(PUCHAR image) {
    return image + *(PULONG)(image + 0x3C);
}

static PLOADER_IMAGE MiFindLoaderImage(PCSTR name) {
    for (ULONG i = 0; i < KeLoaderBlock->ImageCount && i < LOADER_MAXIMUM_IMAGES; i++)
        if (RtlEqualName(KeLoaderBlock->Images[i].Name, name)) return &KeLoaderBlock->Images[i];
    return NULL;
}

static PKLDR_DATA_TABLE_ENTRY MiFindModule(PLOADER_IMAGE image) {
    for (PLIST_ENTRY e = PsLoadedModuleList.Flink; e != &PsLoadedModuleList; e = e->Flink) {
        PKLDR_DATA_TABLE_ENTRY module = CONTAINING_RECORD(e, KLDR_DATA_TABLE_ENTRY, InLoadOrderLinks);
        if ((ULONG64)module->DllBase == image->Base) return module;
    }
    return NULL;
}

static PCHAR MiFullName(PCHAR buffer, SIZE_T size, PLOADER_IMAGE image) {
    BOOLEAN kernel = image == &KeLoaderBlock->Images[0];
    return RtlFormatString(buffer, size, "\\SystemRoot\\system32\\%s%s", kernel ? "" : "drivers\\", image->Name);
}

static PKLDR_DATA_TABLE_ENTRY MiInsertModule(PLOADER_IMAGE image) {
    CHAR path[96];
    PKLDR_DATA_TABLE_ENTRY module = ExAllocatePoolWithTag(sizeof(*module), 'dLmM');
    if (!module) return NULL;
    PUCHAR base = (PUCHAR)image->Base;
    PUCHAR pe = MiPeHeader(base);
    module->DllBase = base;
    module->EntryPoint = (PVOID)image->EntryPoint;
    module->SizeOfImage = image->Size;
    module->SizeOfImageNotRounded = image->Size;
    module->ExceptionTable = base + *(PULONG)(pe + PE_EXCEPTION_DIRECTORY);
    module->ExceptionTableSize = *(PULONG)(pe + PE_EXCEPTION_DIRECTORY + 4);
    module->CheckSum = *(PULONG)(pe + PE_CHECKSUM);
    module->TimeDateStamp = *(PULONG)(pe + PE_TIME_STAMP);
    module->Flags = 0x09004000; // system mapped, entry processed, kernel image
    module->LoadCount = 1;
    RtlAnsiToUnicode(&module->FullDllName, MiFullName(path, sizeof(path), image));
    RtlAnsiToUnicode(&module->BaseDllName, image->Name);
    InsertTailList(&PsLoadedModuleList, &module->InLoadOrderLinks);
    return module;
}

static VOID MiNotifyDebugger(PLOADER_IMAGE image, BOOLEAN unload) {
    CHAR path[96];
    KD_SYMBOLS_INFO info = {(PVOID)image->Base, ~0ULL, *(PULONG)(MiPeHeader((PUCHAR)image->Base) + PE_CHECKSUM),
                            image->Size};
    MiFullName(path, sizeof(path), image);
    if (unload)
        DbgUnLoadImageSymbols(path, &info);
    else
        DbgLoadImageSymbols(path, &info);
}

// Before the debugger is initialised: the list must be there when it looks.
VOID MiInitializeLoadedModuleList(VOID) {
    for (ULONG i = 0; i < KeLoaderBlock->ImageCount && i < LOADER_MAXIMUM_IMAGES; i++)
        if (KeLoaderBlock->Images[i].Flags & LOADER_IMAGE_BOOT) MiInsertModule(&KeLoaderBlock->Images[i]);
}

VOID MiReportBootImage(PCSTR name) {
    PLOADER_IMAGE image = MiFindLoaderImage(name);
    if (image) MiNotifyDebugger(image, FALSE);
}

static ULONG64 MiSectionProtection(PUCHAR image, ULONG rva) {
    PUCHAR pe = MiPeHeader(image);
    PIMAGE_SECTION_HEADER section = (PIMAGE_SECTION_HEADER)(pe + 24 + *(PUSHORT)(pe + PE_OPTIONAL_SIZE));
    for (ULONG i = 0; i < *(PUSHORT)(pe + PE_SECTION_COUNT); i++, section++) {
        if (rva < section->VirtualAddress || rva >= section->VirtualAddress + section->VirtualSize) continue;
        return (section->Characteristics & IMAGE_SCN_MEM_WRITE ? PTE_WRITE : 0) |
               (section->Characteristics & IMAGE_SCN_MEM_EXECUTE ? 0 : PTE_NX);
    }
    return PTE_NX; // headers
}

static VOID MiUnmapImage(PLOADER_IMAGE image) {
    for (ULONG64 offset = 0; offset < image->Size; offset += PAGE_SIZE) {
        ULONG64 page = MiUnmapPage(KeLoaderBlock->KernelCr3, image->Base + offset);
        if (page) MiFreePage(page);
    }
}

// Maps a fresh copy of an image that the loader block knows and runs its entry point.
NTSTATUS MmLoadSystemImage(PCSTR name) {
    PLOADER_IMAGE image = MiFindLoaderImage(name);
    if (!image) return STATUS_NOT_FOUND;
    if (MiFindModule(image)) return STATUS_DEVICE_BUSY;
    PUCHAR pristine = MiPhysicalToVirtual(image->Physical);
    for (ULONG64 offset = 0; offset < image->Size; offset += PAGE_SIZE) {
        ULONG64 page = MiAllocatePages(1);
        if (page) RtlCopyMemory(MiPhysicalToVirtual(page), pristine + offset, PAGE_SIZE);
        if (!page || !MiMapPage(KeLoaderBlock->KernelCr3, image->Base + offset, page,
                                MiSectionProtection(pristine, (ULONG)offset))) {
            MiUnmapImage(image);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    PKLDR_DATA_TABLE_ENTRY module = MiInsertModule(image);
    if (!module) {
        MiUnmapImage(image);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MiNotifyDebugger(image, FALSE);
    return IopLoadDriver(name, module);
}

NTSTATUS MmUnloadSystemImage(PCSTR name) {
    PLOADER_IMAGE image = MiFindLoaderImage(name);
    PKLDR_DATA_TABLE_ENTRY module = image ? MiFindModule(image) : NULL;
    if (!module) return STATUS_NOT_FOUND;
    IopUnloadDriver(name);
    MiNotifyDebugger(image, TRUE);
    RemoveEntryList(&module->InLoadOrderLinks);
    ExFreePoolWithTag(module->FullDllName.Buffer, 0);
    ExFreePoolWithTag(module->BaseDllName.Buffer, 0);
    ExFreePoolWithTag(module, 'dLmM');
    MiUnmapImage(image);
    return STATUS_SUCCESS;
}
