// The 8254 timer: channel 0 raises IRQ 0, channel 2 is read through port 61. Counters are not stepped; where a
// counter stands follows from the time since it was loaded.
#include "machine.h"

#define PIT_HZ 1193182ull
#define SECOND 1000000000ull

typedef struct {
  u64 start;      // machine time when the count was loaded
  u64 edges;      // of channel 0: how many rising edges have been given to the PIC
  u32 reload;     // 1..65536
  u8 mode, access;
  bool running, write_high, read_high;
  bool latched, status_latched;
  u8 low, status;
  u16 latch;
} Channel;
static Channel channels[3];
static bool gate2;

void pit_reset(void) {
  for (u32 i = 0; i < 3; i++) {
    channels[i] = (Channel){0};
    channels[i].reload = 0x10000;
    channels[i].access = 3;
  }
  gate2 = false;
}

static u64 ticks(const Channel *c) { // no overflow: whole seconds and the rest apart
  u64 elapsed = machine.time - c->start;
  return elapsed / SECOND * PIT_HZ + elapsed % SECOND * PIT_HZ / SECOND;
}

static bool periodic(const Channel *c) { return c->mode == 2 || c->mode == 3; }

static u16 count(const Channel *c) {
  if (!c->running) return (u16)c->reload;
  u64 t = ticks(c);
  if (!periodic(c)) return (u16)(c->reload - t); // goes on through zero
  if (c->mode == 3) t *= 2;                      // a square wave counts down by two
  return (u16)(c->reload - t % c->reload);
}

static bool output(const Channel *c) {
  if (!c->running) return c->mode != 0;
  u64 t = ticks(c);
  if (c->mode == 3) return t % c->reload < (c->reload + 1) / 2;
  if (c->mode == 2) return true; // low for one tick only
  return t >= c->reload;
}

// Rising edges of OUT since the count was loaded.
static u64 edges(const Channel *c) {
  u64 t = ticks(c);
  return periodic(c) ? t / c->reload : t >= c->reload;
}

void pit_advance(void) {
  Channel *c = &channels[0];
  if (!c->running) return;
  u64 now = edges(c);
  if (now == c->edges) return;
  c->edges = now; // ticks that were missed are lost, as on hardware
  pic_set(0, false);
  pic_set(0, true);
}

u64 pit_next(void) {
  const Channel *c = &channels[0];
  if (!c->running || pic_masked(0) || (!periodic(c) && c->edges)) return ~0ull;
  u64 target = (c->edges + 1) * c->reload, t = ticks(c);
  return target <= t ? 0 : (target - t) * SECOND / PIT_HZ + 1;
}

bool pit_output2(void) {
  clock_update();
  return output(&channels[2]);
}

void pit_gate2(bool on) {
  if (on && !gate2) channels[2].start = machine.time;
  gate2 = on;
}

static void latch_status(Channel *c) {
  c->status = (u8)(output(c) << 7 | !c->running << 6 | c->access << 4 | c->mode << 1);
  c->status_latched = true;
}
static void latch_count(Channel *c) {
  if (c->latched) return;
  c->latch = count(c);
  c->latched = true;
}

static void control(u8 value) {
  u32 select = value >> 6, access = value >> 4 & 3;
  if (select == 3) { // read-back
    for (u32 i = 0; i < 3; i++) {
      if (!(value & 2 << i)) continue;
      if (!(value & 0x20)) latch_count(&channels[i]);
      if (!(value & 0x10)) latch_status(&channels[i]);
    }
    return;
  }
  Channel *c = &channels[select];
  if (access == 0) {
    latch_count(c);
    return;
  }
  u8 mode = value >> 1 & 7;
  *c = (Channel){.access = (u8)access, .mode = mode > 5 ? mode - 4 : mode, .reload = 0x10000};
}

static void load_count(Channel *c, u32 value) {
  c->reload = value ? value : 0x10000;
  c->start = machine.time;
  c->edges = 0;
  c->running = true;
}

void pit_write(u32 port, u32 value) {
  clock_update();
  if (port == 0x43) {
    control((u8)value);
    return;
  }
  Channel *c = &channels[port - 0x40];
  value &= 0xFF;
  if (c->access == 1) load_count(c, value);
  else if (c->access == 2) load_count(c, value << 8);
  else if (c->write_high) load_count(c, c->low | value << 8);
  else c->low = (u8)value;
  if (c->access == 3) c->write_high = !c->write_high;
}

u32 pit_read(u32 port) {
  if (port == 0x43) return 0xFF;
  clock_update();
  Channel *c = &channels[port - 0x40];
  if (c->status_latched) {
    c->status_latched = false;
    return c->status;
  }
  u16 value = c->latched ? c->latch : count(c);
  bool high = c->access == 2 || (c->access == 3 && c->read_high);
  if (c->access == 3) c->read_high = !c->read_high;
  if (c->access != 3 || high) c->latched = false;
  return high ? value >> 8 : value & 0xFF;
}
