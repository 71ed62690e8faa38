// Restarting the machine through the keyboard controller.
#include "../include/ki.h"

VOID HalReturnToFirmware(VOID) {
    DisableInterrupts();
    for (ULONG i = 0; i < 100000 && (InByte(0x64) & 2); i++) YieldProcessor(); // its input buffer is full
    OutByte(0x64, 0xFE);                                                        // pulse the reset line
    KiHaltForever();
}
