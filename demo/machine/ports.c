// The I/O port map, and the devices that are too small for a file: keyboard controller (reset only), port 61, the
// CMOS clock. A port without a device reads as ones.
#include "machine.h"

static u8 cmos_index, cmos[128], port61;

void ports_reset(void) {
  cmos_index = port61 = 0;
  for (u32 i = 0; i < 128; i++) cmos[i] = 0;
  cmos[0x0A] = 0x26; // divider on, 1024 Hz
  cmos[0x0B] = 0x02; // 24 hours, BCD
  cmos[0x0D] = 0x80; // battery good
}

// ---- clock: seconds 0, minutes 2, hours 4, day of week 6, day 7, month 8, year 9, century 32 --------------

static u32 encode(u32 value) { return cmos[0x0B] & 4 ? value : (value / 10) << 4 | value % 10; }

static u32 clock_register(u32 index) {
  u64 now = (u64)host_utc(), days = now / 86400, rest = now % 86400;
  // Civil date from days since 1970: shift to an era of 400 years that begins on 1 March.
  u64 z = days + 719468, era = z / 146097, doe = z % 146097;
  u64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  u64 mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
  u64 year = yoe + era * 400 + (month <= 2);
  switch (index) {
  case 0: return encode((u32)(rest % 60));
  case 2: return encode((u32)(rest / 60 % 60));
  case 4: {
    u32 hour = (u32)(rest / 3600);
    if (cmos[0x0B] & 2) return encode(hour);
    return encode((hour + 11) % 12 + 1) | (hour >= 12 ? 0x80 : 0);
  }
  case 6: return encode((u32)((days + 4) % 7 + 1));
  case 7: return encode((u32)day);
  case 8: return encode((u32)month);
  case 9: return encode((u32)(year % 100));
  default: return encode((u32)(year / 100));
  }
}

static u32 cmos_read(void) {
  switch (cmos_index) {
  case 0: case 2: case 4: case 6: case 7: case 8: case 9: case 0x32: return clock_register(cmos_index);
  case 0x0C: return 0;
  default: return cmos[cmos_index];
  }
}

static void cmos_write(u8 value) {
  if (cmos_index >= 0x0A && cmos_index != 0x0C && cmos_index != 0x0D) cmos[cmos_index] = value;
}

// ---- the map ----------------------------------------------------------------------------------------------

static u32 read8(u32 port) {
  switch (port) {
  case 0x20: case 0x21: case 0xA0: case 0xA1: return pic_read(port);
  case 0x40: case 0x41: case 0x42: case 0x43: return pit_read(port);
  case 0x60: return 0;
  case 0x61:
    port61 ^= 0x10; // memory refresh toggles
    return (port61 & 0x1Fu) | (pit_output2() ? 0x20 : 0);
  case 0x64: return 0; // keyboard controller: ready for a command, nothing to read
  case 0x70: return cmos_index;
  case 0x71: return cmos_read();
  case 0x92: return 2;
  default: return port >= 0x3F8 && port <= 0x3FF ? uart_read(port) : 0xFF;
  }
}

static void write8(u32 port, u8 value) {
  switch (port) {
  case 0x20: case 0x21: case 0xA0: case 0xA1: pic_write(port, value); break;
  case 0x40: case 0x41: case 0x42: case 0x43: pit_write(port, value); break;
  case 0x61:
    port61 = (port61 & 0x10) | (value & 15);
    pit_gate2(value & 1);
    break;
  case 0x64:
    if (value == 0xFE) stop(STOP_RESET);
    break;
  case 0x70: cmos_index = value & 0x7F; break;
  case 0x71: cmos_write(value); break;
  case 0x92:
    if (value & 1) stop(STOP_RESET);
    break;
  case 0xCF9:
    if (value & 4) stop(STOP_RESET);
    break;
  default:
    if (port >= 0x3F8 && port <= 0x3FF) uart_write(port, value);
  }
}

// A wide access is one access to each byte's port.
u32 port_read(u32 port, u32 size) {
  u32 value = 0;
  for (u32 i = 0; i < size; i++) value |= read8((port + i) & 0xFFFF) << (8 * i);
  return value;
}

void port_write(u32 port, u32 size, u32 value) {
  for (u32 i = 0; i < size; i++) write8((port + i) & 0xFFFF, (u8)(value >> (8 * i)));
}
