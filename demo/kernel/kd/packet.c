// KDCOM framing: ids, acknowledgements, resending, resynchronising.
#include "kdp.h"

// Waits, in milliseconds.
#define LEADER_WAIT 1000  // for the peer to begin an answer
#define BYTE_WAIT 500     // inside a packet
#define BREAKIN_SILENCE 50 // a break-in byte counts when nothing follows for so long

// A packet that may be lost (print, load symbols) is given up after so many unanswered tries.
#define RETRIES_BEFORE_CONTACT 3
#define RETRIES 10

volatile BOOLEAN KdDebuggerNotPresent;
BOOLEAN KdDebuggerEnabled = TRUE;
BOOLEAN KdpControlCPending; // a break-in byte came while something else was awaited

static ULONG KdpNextIdToSend = INITIAL_PACKET_ID | SYNC_PACKET_ID;
static ULONG KdpNextIdExpected = INITIAL_PACKET_ID;
static BOOLEAN KdpContact; // a debugger has acknowledged something since boot
static UCHAR KdpDiscard[PACKET_MAX_SIZE];

static BOOLEAN KdpGetBytes(PVOID buffer, ULONG length) {
    for (ULONG i = 0; i < length; i++)
        if (!KdpPortGet((PUCHAR)buffer + i, KdpDeadline(BYTE_WAIT))) return FALSE;
    return TRUE;
}

static VOID KdpPutBytes(const VOID *buffer, ULONG length) {
    for (ULONG i = 0; i < length; i++) KdpPortPut(((const UCHAR *)buffer)[i]);
}

static ULONG KdpComputeChecksum(PKD_BUFFER part) {
    ULONG sum = 0;
    for (ULONG i = 0; part && i < part->Length; i++) sum += ((PUCHAR)part->Buffer)[i];
    return sum;
}

static VOID KdpSendControlPacket(USHORT type, ULONG id) {
    KD_PACKET packet = {CONTROL_PACKET_LEADER, type, 0, id, 0};
    KdpPutBytes(&packet, sizeof(packet));
}

// Hunts for four equal leader bytes. A break-in byte counts if silence or a leader follows it; any other byte
// cancels it. Returns 0 when the time is over.
static ULONG KdpReceiveLeader(VOID) {
    ULONG64 deadline = KdpDeadline(LEADER_WAIT);
    ULONG count = 0;
    UCHAR byte, last = 0;
    BOOLEAN breakIn = FALSE;
    for (;;) {
        BOOLEAN pending = breakIn && count == 0;
        if (!KdpPortGet(&byte, pending ? KdpDeadline(BREAKIN_SILENCE) : deadline)) {
            if (!pending) return 0;
            KdpControlCPending = TRUE;
            breakIn = FALSE;
            continue;
        }
        if (byte == (PACKET_LEADER & 0xFF) || byte == (CONTROL_PACKET_LEADER & 0xFF)) {
            count = byte == last ? count + 1 : 1;
            last = byte;
            if (count == 4) {
                if (breakIn) KdpControlCPending = TRUE;
                return byte * 0x01010101u;
            }
        } else {
            breakIn = byte == BREAKIN_BYTE;
            count = 0;
            last = 0;
        }
        if ((LONG64)(deadline - ReadTsc()) <= 0) return 0; // garbage without end
    }
}

static BOOLEAN KdpReceivePayload(PKD_PACKET packet, PKD_BUFFER header, PKD_BUFFER data) {
    UCHAR trailer;
    if (!KdpGetBytes(header->Buffer, header->MaximumLength)) return FALSE;
    header->Length = header->MaximumLength;
    data->Length = packet->ByteCount - header->Length;
    return KdpGetBytes(data->Buffer, data->Length) && KdpGetBytes(&trailer, 1) && trailer == PACKET_TRAILING_BYTE;
}

// A data packet came where only an acknowledgement was useful. One with the id we expect next proves that the
// peer went on, so our packet arrived and its acknowledgement was lost.
static BOOLEAN KdpIsImpliedAcknowledge(PKD_PACKET packet) {
    UCHAR trailer;
    ULONG length = packet->ByteCount <= PACKET_MAX_SIZE ? packet->ByteCount : PACKET_MAX_SIZE;
    if (!KdpGetBytes(KdpDiscard, length) || !KdpGetBytes(&trailer, 1)) return FALSE;
    if (packet->PacketId == KdpNextIdExpected) {
        KdpSendControlPacket(PACKET_TYPE_KD_RESEND, 0);
        return TRUE;
    }
    KdpSendControlPacket(PACKET_TYPE_KD_ACKNOWLEDGE, packet->PacketId);
    return FALSE;
}

static VOID KdpAcknowledged(VOID) {
    KdpNextIdToSend = (KdpNextIdToSend & ~SYNC_PACKET_ID) ^ 1;
}

// Waits for one packet of the given type; PACKET_TYPE_KD_ACKNOWLEDGE waits for the acknowledgement of what was
// sent last. header->MaximumLength bytes come first, the rest goes to data.
KDP_STATUS KdReceivePacket(ULONG type, PKD_BUFFER header, PKD_BUFFER data) {
    for (;;) {
        KD_PACKET packet;
        packet.PacketLeader = KdpReceiveLeader();
        if (!packet.PacketLeader) return KDP_PACKET_TIMEOUT;
        if (!KdpGetBytes(&packet.PacketType, sizeof(packet.PacketType))) continue;
        BOOLEAN control = packet.PacketLeader == CONTROL_PACKET_LEADER;
        // Acted upon at once: the rest of its header is skipped by the next hunt.
        if (control && packet.PacketType == PACKET_TYPE_KD_RESEND) return KDP_PACKET_RESEND;
        if (!KdpGetBytes(&packet.ByteCount, 10)) {
            if (!control) KdpSendControlPacket(PACKET_TYPE_KD_RESEND, 0);
            continue;
        }
        if (control) {
            if (packet.PacketType == PACKET_TYPE_KD_RESET) {
                KdpNextIdToSend = INITIAL_PACKET_ID;
                KdpNextIdExpected = INITIAL_PACKET_ID;
                KdpSendControlPacket(PACKET_TYPE_KD_RESET, 0);
                return KDP_PACKET_RESEND;
            }
            if (packet.PacketType == PACKET_TYPE_KD_ACKNOWLEDGE && type == PACKET_TYPE_KD_ACKNOWLEDGE &&
                packet.PacketId == (KdpNextIdToSend & ~SYNC_PACKET_ID)) {
                KdpAcknowledged();
                return KDP_PACKET_RECEIVED;
            }
            continue;
        }
        if (type == PACKET_TYPE_KD_ACKNOWLEDGE) {
            if (!KdpIsImpliedAcknowledge(&packet)) continue;
            KdpAcknowledged();
            return KDP_PACKET_RECEIVED;
        }
        if (packet.ByteCount > PACKET_MAX_SIZE || packet.ByteCount < header->MaximumLength ||
            packet.ByteCount - header->MaximumLength > data->MaximumLength ||
            !KdpReceivePayload(&packet, header, data)) {
            KdpSendControlPacket(PACKET_TYPE_KD_RESEND, 0);
            continue;
        }
        if (packet.PacketType != type) {
            KdpSendControlPacket(PACKET_TYPE_KD_ACKNOWLEDGE, packet.PacketId);
            continue;
        }
        if ((packet.PacketId & ~1u) != INITIAL_PACKET_ID) {
            KdpSendControlPacket(PACKET_TYPE_KD_RESEND, 0);
            continue;
        }
        if (packet.PacketId != KdpNextIdExpected) { // a duplicate: our acknowledgement was lost
            KdpSendControlPacket(PACKET_TYPE_KD_ACKNOWLEDGE, packet.PacketId);
            continue;
        }
        if (packet.Checksum != KdpComputeChecksum(header) + KdpComputeChecksum(data)) {
            KdpSendControlPacket(PACKET_TYPE_KD_RESEND, 0);
            continue;
        }
        KdpSendControlPacket(PACKET_TYPE_KD_ACKNOWLEDGE, packet.PacketId);
        KdpNextIdExpected ^= 1;
        return KDP_PACKET_RECEIVED;
    }
}

static BOOLEAN KdpMayBeLost(ULONG type, PKD_BUFFER header) {
    if (type == PACKET_TYPE_KD_DEBUG_IO) return *(PULONG)header->Buffer == DbgKdPrintStringApi;
    return type == PACKET_TYPE_KD_STATE_CHANGE64 && *(PULONG)header->Buffer == DbgKdLoadSymbolsStateChange;
}

// Sends until acknowledged. Only a packet that may be lost is given up: then KdDebuggerNotPresent is set and
// the ids are back in the start state.
VOID KdSendPacket(ULONG type, PKD_BUFFER header, PKD_BUFFER data) {
    ULONG retries = KdpContact ? RETRIES : RETRIES_BEFORE_CONTACT;
    KD_PACKET packet = {PACKET_LEADER, (USHORT)type, (USHORT)(header->Length + (data ? data->Length : 0)), 0,
                        KdpComputeChecksum(header) + KdpComputeChecksum(data)};
    for (;;) {
        packet.PacketId = KdpNextIdToSend;
        KdpPutBytes(&packet, sizeof(packet));
        KdpPutBytes(header->Buffer, header->Length);
        if (data) KdpPutBytes(data->Buffer, data->Length);
        KdpPortPut(PACKET_TRAILING_BYTE);
        KDP_STATUS status = KdReceivePacket(PACKET_TYPE_KD_ACKNOWLEDGE, NULL, NULL);
        if (status == KDP_PACKET_RECEIVED) {
            KdDebuggerNotPresent = FALSE;
            KdpContact = TRUE;
            return;
        }
        if (status == KDP_PACKET_TIMEOUT && KdpMayBeLost(type, header) && --retries == 0) {
            KdDebuggerNotPresent = TRUE;
            KdpNextIdToSend = INITIAL_PACKET_ID | SYNC_PACKET_ID;
            KdpNextIdExpected = INITIAL_PACKET_ID;
            return;
        }
    }
}

// While the kernel runs: TRUE when a break-in byte is waiting. Everything else on the line is thrown away.
BOOLEAN KdPollBreakIn(VOID) {
    BOOLEAN found = KdpControlCPending;
    UCHAR byte;
    KdpControlCPending = FALSE;
    for (ULONG i = 0; i < 64 && !found && KdpPortPoll(&byte); i++) found = byte == BREAKIN_BYTE;
    return found;
}
