// What the opcode maps say about each opcode, and the decoder that obeys them.
#pragma once
#include "machine.h"

// What follows the opcode byte, and how the operand size is chosen.
enum {
  MODRM = 1 << 0,  // a ModRM byte (with SIB and displacement)
  IMM8 = 1 << 1,   // one byte, sign-extended
  IMM16 = 1 << 2,  // two bytes, zero-extended
  IMMZ = 1 << 3,   // two bytes with operand size 2, else four, sign-extended
  IMMV = 1 << 4,   // as wide as the operand (MOV r, imm)
  MOFFS = 1 << 5,  // an absolute address of 8 bytes (4 with prefix 67)
  GROUP3 = 1 << 6, // F6, F7: an immediate only for /0 and /1 (TEST)
  BYTE = 1 << 7,   // operand size 1
  D64 = 1 << 8,    // default operand size 8 (stack operations)
  BRANCH = 1 << 9, // near branch: always 8; the prefix 66 is ignored
  LOCKS = 1 << 10, // LOCK is allowed when the ModRM operand is memory
  PREFIX = 1 << 11,
  REGISTER = 1 << 12, // ModRM names registers whatever its mod says (MOV to and from control registers)
};

typedef struct {
  void (*execute)(void);
  u32 form;
} Opcode;
extern const Opcode one_byte[256];
extern const Opcode two_byte[256];

// Decodes the instruction at RIP into `insn`; returns the function that executes it, or 0 after raising.
typedef void (*Execute)(void);
Execute decode(void);
