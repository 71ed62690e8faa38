// The 16550A serial port COM1 at 3F8. Its line to the host is infinitely fast and never overruns: what the host sends
// waits in a queue whose first 16 bytes are the receiver's FIFO, and the transmitter is always empty.
#include "machine.h"

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
enum { LCR_DLAB = 0x80, MCR_OUT2 = 8, MCR_LOOP = 0x10, LSR_DR = 1, LSR_THRE = 0x20, LSR_TEMT = 0x40 };

#define INPUT_SIZE 4096u // a power of two
#define OUTPUT_SIZE 16384u
#define FIFO_SIZE 16u

static u8 ier, lcr, mcr, scr, fcr, divisor_low, divisor_high;
static bool thr_interrupt; // "transmitter empty" has not been reported yet
static u8 input[INPUT_SIZE];
static u32 input_head, input_tail; // indexes that only grow
static u8 output[OUTPUT_SIZE];
static u32 output_length;
static u8 staging[INPUT_SIZE]; // where the host puts bytes for uart_receive()

// Notices a guest that does nothing but wait for a byte: many empty reads of LSR close to each other.
static u32 idle_polls;
static u64 last_poll;
enum { POLL_DISTANCE = 200, POLL_LIMIT = 500 };

static bool received(void) { return input_head != input_tail; }

static void clear_fifo(void) {
  u32 queued = input_tail - input_head;
  input_head += queued < FIFO_SIZE ? queued : FIFO_SIZE;
}

static u32 interrupt_reason(void) { // IIR, without the FIFO bits
  if ((ier & 1) && received()) return 4;
  if ((ier & 2) && thr_interrupt) return 2;
  return 1;
}

static void update_line(void) { pic_set(4, (mcr & MCR_OUT2) && interrupt_reason() != 1); }

void uart_reset(void) {
  ier = lcr = mcr = scr = fcr = divisor_high = 0;
  divisor_low = 12;
  thr_interrupt = false;
  clear_fifo();
  idle_polls = 0;
}

static void transmit(u8 byte) {
  if (mcr & MCR_LOOP) {
    if (input_tail - input_head < INPUT_SIZE) input[input_tail++ % INPUT_SIZE] = byte;
    return;
  }
  output[output_length++] = byte;
  if (output_length >= OUTPUT_SIZE - 64) stop(STOP_OUTPUT); // no instruction writes more than that
}

static u32 line_status(void) {
  if (received()) {
    idle_polls = 0;
    return LSR_THRE | LSR_TEMT | LSR_DR;
  }
  u64 now = instruction_count();
  idle_polls = now - last_poll <= POLL_DISTANCE ? idle_polls + 1 : 0;
  last_poll = now;
  if (idle_polls >= POLL_LIMIT) {
    idle_polls = 0;
    stop(STOP_POLL);
  }
  return LSR_THRE | LSR_TEMT;
}

static u32 modem_status(void) {
  if (!(mcr & MCR_LOOP)) return 0xB0; // the other end is there: DCD, DSR, CTS
  return (u32)((mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 | (mcr & 8) << 4);
}

u32 uart_read(u32 port) {
  u32 value = 0;
  switch (port & 7) {
  case RBR_THR:
    if (lcr & LCR_DLAB) return divisor_low;
    if (received()) value = input[input_head++ % INPUT_SIZE];
    idle_polls = 0;
    update_line();
    return value;
  case IER: return lcr & LCR_DLAB ? divisor_high : ier;
  case IIR_FCR:
    value = interrupt_reason() | (fcr & 1 ? 0xC0 : 0);
    if ((value & 15) == 2) thr_interrupt = false;
    update_line();
    return value;
  case LCR: return lcr;
  case MCR: return mcr;
  case LSR: return line_status();
  case MSR: return modem_status();
  default: return scr;
  }
}

void uart_write(u32 port, u32 wide) {
  u8 value = (u8)wide;
  switch (port & 7) {
  case RBR_THR:
    if (lcr & LCR_DLAB) {
      divisor_low = value;
      return;
    }
    transmit(value);
    thr_interrupt = true;
    break;
  case IER:
    if (lcr & LCR_DLAB) {
      divisor_high = value;
      return;
    }
    if (!(ier & 2) && (value & 2)) thr_interrupt = true;
    ier = value & 15;
    break;
  case IIR_FCR:
    if (value & 1 && value & 2) clear_fifo();
    fcr = value & 0xC9;
    break;
  case LCR: lcr = value; break;
  case MCR: mcr = value & 0x1F; break;
  case SCR: scr = value; break;
  default: return;
  }
  idle_polls = 0;
  update_line();
}

// ---- the host's end ---------------------------------------------------------------------------------------

__attribute__((export_name("uart_staging"))) u8 *uart_staging(void) { return staging; }
__attribute__((export_name("uart_output"))) u8 *uart_output(void) { return output; }

// How many bytes uart_receive() would take now.
__attribute__((export_name("uart_room"))) u32 uart_room(void) { return INPUT_SIZE - (input_tail - input_head); }

// Takes `count` bytes from the staging area, at most uart_room().
__attribute__((export_name("uart_receive"))) void uart_receive(u32 count) {
  if (count > uart_room()) count = uart_room();
  for (u32 i = 0; i < count; i++) input[input_tail++ % INPUT_SIZE] = staging[i];
  update_line();
}

// The number of bytes at uart_output(), which then count as taken.
__attribute__((export_name("uart_take"))) u32 uart_take(void) {
  u32 length = output_length;
  output_length = 0;
  return length;
}
