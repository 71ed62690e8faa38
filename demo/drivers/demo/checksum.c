// Fletcher's checksum with 16-bit sums.
#include "demo.h"

DEMO_RESULT DemoChecksum(const UCHAR *data, ULONG length) {
    DEMO_RESULT result;
    ULONG sum1 = 0;
    ULONG sum2 = 0;
    for (ULONG i = 0; i < length; i++) {
        sum1 = (sum1 + data[i]) % 65535;
        sum2 = (sum2 + sum1) % 65535;
    }
    result.Sum1 = (USHORT)sum1;
    result.Sum2 = (USHORT)sum2;
    return result;
}
