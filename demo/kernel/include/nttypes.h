// Basic NT types, status codes and list helpers shared by the kernel and its drivers.
// Names and layouts follow the public NT headers so that a debugger finds what it expects.
#pragma once

typedef void VOID;
typedef char CHAR;
typedef unsigned char UCHAR, BOOLEAN, KIRQL;
typedef short SHORT;
typedef unsigned short USHORT;
typedef __WCHAR_TYPE__ WCHAR;
typedef long LONG, NTSTATUS;
typedef unsigned long ULONG;
typedef long long LONG64, LONGLONG;
typedef unsigned long long ULONG64, ULONGLONG, ULONG_PTR, SIZE_T, KAFFINITY;
typedef VOID *PVOID, *HANDLE;
typedef CHAR *PCHAR;
typedef const CHAR *PCSTR;
typedef UCHAR *PUCHAR;
typedef USHORT *PUSHORT;
typedef WCHAR *PWSTR;
typedef const WCHAR *PCWSTR;
typedef ULONG *PULONG;
typedef ULONG64 *PULONG64;

#define TRUE 1
#define FALSE 0
#define NULL ((void *)0)

#define FIELD_OFFSET(type, field) __builtin_offsetof(type, field)
#define CONTAINING_RECORD(address, type, field) ((type *)((PCHAR)(address)-FIELD_OFFSET(type, field)))
#define RTL_NUMBER_OF(a) (sizeof(a) / sizeof((a)[0]))
#define C_ASSERT(e) _Static_assert(e, #e)
#define ASSERT_OFFSET(type, field, offset) C_ASSERT(FIELD_OFFSET(type, field) == (offset))
#define DECLSPEC_NORETURN __declspec(noreturn)
#define NOINLINE __attribute__((noinline))

// The kernel exports, a driver imports.
#ifdef DEMONT_KERNEL
#define NTKERNELAPI __declspec(dllexport)
#else
#define NTKERNELAPI __declspec(dllimport)
#endif

#define NT_SUCCESS(s) ((NTSTATUS)(s) >= 0)
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#define STATUS_TIMEOUT ((NTSTATUS)0x00000102)
#define STATUS_PENDING ((NTSTATUS)0x00000103)
#define STATUS_DATATYPE_MISALIGNMENT ((NTSTATUS)0x80000002)
#define STATUS_BREAKPOINT ((NTSTATUS)0x80000003)
#define STATUS_SINGLE_STEP ((NTSTATUS)0x80000004)
#define STATUS_WAKE_SYSTEM_DEBUGGER ((NTSTATUS)0x80000007)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_NOT_IMPLEMENTED ((NTSTATUS)0xC0000002)
#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_NO_SUCH_DEVICE ((NTSTATUS)0xC000000E)
#define STATUS_INVALID_DEVICE_REQUEST ((NTSTATUS)0xC0000010)
#define STATUS_ILLEGAL_INSTRUCTION ((NTSTATUS)0xC000001D)
#define STATUS_INTEGER_DIVIDE_BY_ZERO ((NTSTATUS)0xC0000094)
#define STATUS_INTEGER_OVERFLOW ((NTSTATUS)0xC0000095)
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)
#define STATUS_DEVICE_BUSY ((NTSTATUS)0x80000011)
#define STATUS_NOT_FOUND ((NTSTATUS)0xC0000225)

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

typedef struct _UNICODE_STRING {
    USHORT Length;        // bytes, without the terminating zero
    USHORT MaximumLength; // bytes
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef struct _CLIENT_ID {
    HANDLE UniqueProcess;
    HANDLE UniqueThread;
} CLIENT_ID;

static inline VOID InitializeListHead(PLIST_ENTRY head) {
    head->Flink = head->Blink = head;
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *head) {
    return head->Flink == head;
}

static inline VOID InsertTailList(PLIST_ENTRY head, PLIST_ENTRY entry) {
    PLIST_ENTRY last = head->Blink;
    entry->Flink = head;
    entry->Blink = last;
    last->Flink = entry;
    head->Blink = entry;
}

static inline VOID RemoveEntryList(PLIST_ENTRY entry) {
    entry->Blink->Flink = entry->Flink;
    entry->Flink->Blink = entry->Blink;
}

static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY head) {
    PLIST_ENTRY first = head->Flink;
    RemoveEntryList(first);
    return first;
}
