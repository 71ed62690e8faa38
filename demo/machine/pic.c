// Two 8259A interrupt controllers, the second on line 2 of the first. Edge-triggered, fixed priorities.
#include "machine.h"

typedef struct {
  u8 request, service, mask, lines;
  u8 base;        // vector of line 0 (ICW2)
  u8 step;        // the ICW expected next at the odd port; 0 when it is the mask
  bool icw4;      // ICW1 said that ICW4 will follow
  bool auto_end;  // ICW4: no EOI needed
  bool single;    // ICW1: no ICW3
  bool read_service; // OCW3: the even port reads the in-service register
} Pic;
static Pic pics[2];

void pic_reset(void) {
  for (u32 i = 0; i < 2; i++) {
    pics[i] = (Pic){0};
    pics[i].mask = 0xFF;
  }
}

// The line to serve, -1 when none is above what is in service. Lower numbers win.
static i32 best(const Pic *pic) {
  u32 wanted = pic->request & ~pic->mask & 0xFFu;
  if (!wanted) return -1;
  i32 line = __builtin_ctz(wanted);
  if (pic->service && __builtin_ctz(pic->service) <= line) return -1;
  return line;
}

static void cascade(void) {
  if (best(&pics[1]) >= 0) pics[0].request |= 4;
  else pics[0].request &= ~4;
}

void pic_set(u32 line, bool high) {
  Pic *pic = &pics[line >> 3];
  u8 bit = (u8)(1 << (line & 7));
  if (high && !(pic->lines & bit)) pic->request |= bit;
  if (!high) pic->request &= (u8)~bit;
  pic->lines = high ? pic->lines | bit : pic->lines & (u8)~bit;
  cascade();
  attend();
}

bool pic_masked(u32 line) {
  return (pics[line >> 3].mask >> (line & 7) & 1) || (line > 7 && (pics[0].mask & 4));
}

bool pic_waiting(void) { return best(&pics[0]) >= 0; }

static u32 serve(Pic *pic) {
  i32 line = best(pic);
  if (line < 0) return 7; // spurious
  pic->request &= (u8)~(1 << line);
  if (!pic->auto_end) pic->service |= (u8)(1 << line);
  return (u32)line;
}

u32 pic_acknowledge(void) {
  u32 line = serve(&pics[0]), vector = pics[0].base + line;
  if (line == 2) vector = pics[1].base + serve(&pics[1]);
  cascade();
  attend();
  return vector & 0xFF;
}

static void command(Pic *pic, u8 value) {
  if (value & 0x10) { // ICW1
    *pic = (Pic){.lines = pic->lines, .base = pic->base, .step = 2};
    pic->icw4 = value & 1;
    pic->single = value & 2;
  } else if (value & 8) { // OCW3
    if (value & 2) pic->read_service = value & 1;
  } else if (value & 0x20) { // OCW2: end of interrupt, for a given line or the one of highest priority
    u8 which = value & 0x40 ? (u8)(1 << (value & 7)) : (u8)(pic->service & -pic->service);
    pic->service &= (u8)~which;
  }
}

static void data(Pic *pic, u8 value) {
  switch (pic->step) {
  case 2:
    pic->base = value & 0xF8;
    pic->step = !pic->single ? 3 : pic->icw4 ? 4 : 0;
    break;
  case 3: pic->step = pic->icw4 ? 4 : 0; break;
  case 4:
    pic->auto_end = value & 2;
    pic->step = 0;
    break;
  default: pic->mask = value;
  }
}

u32 pic_read(u32 port) {
  const Pic *pic = &pics[port >> 7 & 1];
  return port & 1 ? pic->mask : pic->read_service ? pic->service : pic->request;
}

void pic_write(u32 port, u32 value) {
  Pic *pic = &pics[port >> 7 & 1];
  if (port & 1) data(pic, (u8)value);
  else command(pic, (u8)value);
  cascade();
  attend();
}
