// Run-time library: memory, strings, formatted text.
#include "../include/ki.h"

VOID RtlCopyMemory(PVOID destination, const VOID *source, SIZE_T length) {
    __asm__ volatile("rep movsb" : "+D"(destination), "+S"(source), "+c"(length) : : "memory");
}

VOID RtlZeroMemory(PVOID destination, SIZE_T length) {
    __asm__ volatile("rep stosb" : "+D"(destination), "+c"(length) : "a"(0) : "memory");
}

// The compiler emits calls to these for structure copies and initialisers.
void *memcpy(void *destination, const void *source, SIZE_T length) {
    RtlCopyMemory(destination, source, length);
    return destination;
}

void *memset(void *destination, int value, SIZE_T length) {
    void *d = destination;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(length) : "a"(value) : "memory");
    return destination;
}

SIZE_T RtlStringLength(PCSTR text) {
    SIZE_T length = 0;
    while (text[length]) length++;
    return length;
}

static CHAR RtlUpper(CHAR c) {
    return c >= 'a' && c <= 'z' ? c - 32 : c;
}

BOOLEAN RtlEqualName(PCSTR a, PCSTR b) {
    while (*a && RtlUpper(*a) == RtlUpper(*b)) a++, b++;
    return RtlUpper(*a) == RtlUpper(*b);
}

VOID RtlInitUnicodeString(PUNICODE_STRING string, PCWSTR source) {
    SIZE_T length = 0;
    while (source[length]) length++;
    string->Length = (USHORT)(length * 2);
    string->MaximumLength = (USHORT)(length * 2 + 2);
    string->Buffer = (PWSTR)source;
}

VOID RtlAnsiToUnicode(PUNICODE_STRING out, PCSTR text) {
    SIZE_T length = RtlStringLength(text);
    out->Buffer = ExAllocatePoolWithTag(length * 2 + 2, 'gnrS');
    if (!out->Buffer) return;
    for (SIZE_T i = 0; i < length; i++) out->Buffer[i] = (UCHAR)text[i];
    out->Length = (USHORT)(length * 2);
    out->MaximumLength = out->Length + 2;
}

typedef struct _FORMAT_OUTPUT {
    PCHAR Buffer;
    SIZE_T Size, Used;
} FORMAT_OUTPUT;

static VOID RtlpPut(FORMAT_OUTPUT *out, CHAR c) {
    if (out->Used + 1 < out->Size) out->Buffer[out->Used++] = c;
}

static VOID RtlpPutNumber(FORMAT_OUTPUT *out, ULONG64 value, ULONG base, BOOLEAN upper, ULONG width, CHAR pad) {
    CHAR digits[24];
    ULONG count = 0;
    do {
        ULONG digit = (ULONG)(value % base);
        digits[count++] = (CHAR)(digit < 10 ? '0' + digit : (upper ? 'A' : 'a') + digit - 10);
        value /= base;
    } while (value);
    for (ULONG i = count; i < width; i++) RtlpPut(out, pad);
    while (count) RtlpPut(out, digits[--count]);
}

static VOID RtlpPutText(FORMAT_OUTPUT *out, PCSTR text, ULONG width) {
    SIZE_T length = RtlStringLength(text ? text : "(null)");
    for (text = text ? text : "(null)"; *text; text++) RtlpPut(out, *text);
    for (; length < width; length++) RtlpPut(out, ' ');
}

// %d %i %u %x %X %c %s %wZ %p with flags 0 and -, width, l ll I64. Always terminates; returns the length.
SIZE_T RtlFormat(PCHAR buffer, SIZE_T size, PCSTR format, __builtin_va_list args) {
    FORMAT_OUTPUT out = {buffer, size, 0};
    for (; *format; format++) {
        if (*format != '%') {
            RtlpPut(&out, *format);
            continue;
        }
        CHAR pad = ' ';
        ULONG width = 0, longs = 0;
        BOOLEAN wide = FALSE;
        for (format++; *format == '0' || *format == '-'; format++)
            if (*format == '0') pad = '0';
        for (; *format >= '0' && *format <= '9'; format++) width = width * 10 + (ULONG)(*format - '0');
        for (;; format++) {
            if (*format == 'l') longs++;
            else if (*format == 'w') wide = TRUE;
            else if (format[0] == 'I' && format[1] == '6' && format[2] == '4') longs = 2, format += 2;
            else break;
        }
        ULONG64 value;
        switch (*format) {
        case 'd':
        case 'i': {
            LONG64 number = longs > 1 ? __builtin_va_arg(args, LONG64) : __builtin_va_arg(args, LONG);
            if (number < 0) RtlpPut(&out, '-');
            RtlpPutNumber(&out, number < 0 ? 0 - (ULONG64)number : (ULONG64)number, 10, FALSE, width, pad);
            break;
        }
        case 'u':
        case 'x':
        case 'X':
            value = longs > 1 ? __builtin_va_arg(args, ULONG64) : __builtin_va_arg(args, ULONG);
            RtlpPutNumber(&out, value, *format == 'u' ? 10 : 16, *format == 'X', width, pad);
            break;
        case 'p':
            RtlpPutNumber(&out, __builtin_va_arg(args, ULONG64), 16, TRUE, 16, '0');
            break;
        case 'c':
            RtlpPut(&out, (CHAR)__builtin_va_arg(args, int));
            break;
        case 's':
            RtlpPutText(&out, __builtin_va_arg(args, PCSTR), width);
            break;
        case 'Z':
            if (wide) {
                PUNICODE_STRING string = __builtin_va_arg(args, PUNICODE_STRING);
                for (ULONG i = 0; string && i < string->Length / 2u; i++) RtlpPut(&out, (CHAR)string->Buffer[i]);
            }
            break;
        case 0:
            format--;
            break;
        default:
            RtlpPut(&out, *format);
        }
    }
    if (size) buffer[out.Used] = 0;
    return out.Used;
}

PCHAR RtlFormatString(PCHAR buffer, SIZE_T size, PCSTR format, ...) {
    __builtin_va_list args;
    __builtin_va_start(args, format);
    RtlFormat(buffer, size, format, args);
    __builtin_va_end(args);
    return buffer;
}
