// COM1: a 16550 used by polling only.
#include "kdp.h"

#define COM1 0x3F8
#define DATA (COM1 + 0)
#define INTERRUPT_ENABLE (COM1 + 1)
#define FIFO_CONTROL (COM1 + 2)
#define LINE_CONTROL (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define LSR_DATA_READY 0x01
#define LSR_TRANSMIT_EMPTY 0x20

VOID KdpPortInitialize(VOID) {
    UCHAR byte; // switching the FIFOs on empties them: do not lose a break-in that came first
    for (ULONG i = 0; i < 16 && KdpPortPoll(&byte); i++)
        if (byte == BREAKIN_BYTE) KdpControlCPending = TRUE;
    OutByte(INTERRUPT_ENABLE, 0);
    OutByte(LINE_CONTROL, 0x80); // divisor latch
    OutByte(DATA, 1);            // 115200 baud
    OutByte(INTERRUPT_ENABLE, 0);
    OutByte(LINE_CONTROL, 0x03);  // 8 data bits, no parity, 1 stop bit
    OutByte(FIFO_CONTROL, 0x07);  // FIFOs on and cleared
    OutByte(MODEM_CONTROL, 0x03); // DTR, RTS
}

ULONG64 KdpDeadline(ULONG milliseconds) {
    return ReadTsc() + (ULONG64)milliseconds * 1000 * KiTscPerMicrosecond;
}

// A line that never becomes ready loses the byte; the protocol retransmits.
VOID KdpPortPut(UCHAR byte) {
    for (ULONG i = 0; i < 1000000 && !(InByte(LINE_STATUS) & LSR_TRANSMIT_EMPTY); i++) YieldProcessor();
    OutByte(DATA, byte);
}

BOOLEAN KdpPortPoll(PUCHAR byte) {
    if (!(InByte(LINE_STATUS) & LSR_DATA_READY)) return FALSE;
    *byte = InByte(DATA);
    return TRUE;
}

BOOLEAN KdpPortGet(PUCHAR byte, ULONG64 deadline) {
    do {
        if (KdpPortPoll(byte)) return TRUE;
        YieldProcessor();
    } while ((LONG64)(deadline - ReadTsc()) > 0);
    return FALSE;
}
