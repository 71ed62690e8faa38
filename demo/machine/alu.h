// The eight basic operations, in the order of their number in opcodes.
#pragma once
#include "operand.h"

enum { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };
u64 alu(u32 operation, u64 a, u64 b, u32 size); // sets the arithmetic flags; operands are cut to `size`
void inc_rm(void); // the ModRM operand plus or minus one
void dec_rm(void);
