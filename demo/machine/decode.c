// Bytes -> `insn`. There is no cache of decoded instructions: bytes are read from RAM each time, so code that
// was just written (a breakpoint, for one) is always seen.
#include "decode.h"
#include "mmu.h"

Insn insn;

static inline u64 sign_extend(u64 value, u32 bytes) {
  u32 shift = 64 - 8 * bytes;
  return (u64)((i64)(value << shift) >> shift);
}

// ModRM, SIB and displacement (Intel SDM volume 2, tables 2-2 and 2-3).
static const u8 *parse_modrm(const u8 *p, bool register_only, bool *rip_relative) {
  u32 modrm = *p++;
  insn.mod = register_only ? 3 : modrm >> 6;
  insn.reg = ((modrm >> 3) & 7) | ((insn.rex & 4) << 1);
  u32 rm = modrm & 7;
  insn.rm = rm | ((insn.rex & 1) << 3);
  if (insn.mod == 3) return p;

  u64 offset = 0;
  u32 base = insn.rm;
  bool has_base = true;
  if (rm == 4) { // SIB
    u32 sib = *p++;
    u32 index = ((sib >> 3) & 7) | ((insn.rex & 2) << 2);
    base = (sib & 7) | ((insn.rex & 1) << 3);
    if (index != RSP) offset = cpu.r[index] << (sib >> 6);
    has_base = !((sib & 7) == 5 && insn.mod == 0);
  } else if (rm == 5 && insn.mod == 0) {
    has_base = false;
    *rip_relative = true;
  }
  if (has_base) {
    offset += cpu.r[base];
    if (base == RSP) insn.on_stack = 3;
    else if (base == RBP) insn.on_stack = 1;
  }
  if (insn.mod == 1) {
    offset += (u64)(i64)(i8)*p++;
  } else if (insn.mod == 2 || !has_base) {
    offset += sign_extend(host_load(p, 4), 4);
    p += 4;
  }
  insn.offset = offset;
  return p;
}

// Parses one instruction at `start`; returns its length.
static u32 parse(const u8 *start, u64 rip, const Opcode **found) {
  const u8 *p = start;
  u32 byte = *p++;
  bool stack_override = false;
  insn.rex = insn.rep = insn.data16 = insn.lock = insn.address32 = insn.on_stack = 0;
  insn.mod = insn.keep_rf = insn.late_tf = 0;
  insn.segment = 0;

  const Opcode *opcode = &one_byte[byte];
  while (opcode->form & PREFIX) {
    if (p - start > 15) return 16;
    u32 rex = 0;
    switch (byte) {
    case 0x26: case 0x2E: case 0x36: case 0x3E: insn.segment = 0; stack_override = true; break; // bases are 0
    case 0x64: insn.segment = cpu.seg[FS].base; stack_override = true; break;
    case 0x65: insn.segment = cpu.seg[GS].base; stack_override = true; break;
    case 0x66: insn.data16 = 1; break;
    case 0x67: insn.address32 = 1; break;
    case 0xF0: insn.lock = 1; break;
    case 0xF2: case 0xF3: insn.rep = byte; break;
    default: rex = byte; break; // 40..4F; counts only right before the opcode
    }
    insn.rex = rex;
    byte = *p++;
    opcode = &one_byte[byte];
  }
  if (byte == 0x0F) {
    byte = *p++;
    opcode = &two_byte[byte];
  }
  *found = opcode;
  insn.opcode = byte;
  u32 form = opcode->form;
  if (form & BYTE) insn.size = 1;
  else if (form & BRANCH) insn.size = 8;
  else if (insn.rex & 8) insn.size = 8;
  else if (insn.data16) insn.size = 2;
  else insn.size = form & D64 ? 8 : 4;

  bool rip_relative = false;
  if (form & MODRM) p = parse_modrm(p, (form & REGISTER) != 0, &rip_relative);
  if (form & GROUP3 && (insn.reg & 7) < 2) form |= insn.size == 1 ? IMM8 : IMMZ;
  if (form & (IMM8 | IMM16 | IMMZ | IMMV | MOFFS)) {
    if (form & IMM16) { // before IMM8: ENTER has both
      insn.imm = host_load(p, 2);
      p += 2;
      if (form & IMM8) insn.imm |= (u64)*p++ << 16;
    } else if (form & IMM8) {
      insn.imm = (u64)(i64)(i8)*p++;
    } else if (form & MOFFS) {
      u32 bytes = insn.address32 ? 4 : 8;
      insn.offset = host_load(p, bytes);
      p += bytes;
    } else {
      u32 bytes = form & IMMZ && insn.size == 8 ? 4 : insn.size;
      insn.imm = sign_extend(host_load(p, bytes), bytes);
      p += bytes;
    }
  }
  u32 length = (u32)(p - start);
  insn.next = rip + length;
  if (rip_relative) insn.offset += insn.next;
  if (insn.address32) insn.offset = (u32)insn.offset;
  insn.address = insn.offset + insn.segment;
  if (stack_override) insn.on_stack &= ~1u;
  return length;
}

Execute decode(void) {
  static u8 buffer[64]; // for code near the end of its page; zeros behind what was copied
  static const u8 outside[64];
  u64 rip = cpu.rip, physical;
  const Opcode *opcode;
  u32 room = 4096 - (u32)(rip & PAGE_MASK);
  if (!translate(rip, FETCH, &physical)) return 0;
  const u8 *code = physical < machine.ram_size ? machine.ram + physical : outside;
  u32 length;
  if (LIKELY(room >= 15)) {
    length = parse(code, rip, &opcode);
  } else {
    __builtin_memset(buffer, 0, sizeof buffer);
    for (u32 i = 0; i < room; i++) buffer[i] = code[i];
    length = parse(buffer, rip, &opcode);
    if (length > room) { // the next page counts only when the instruction really reaches it
      if (!translate(rip + room, FETCH, &physical)) return 0;
      for (u32 i = room; i < 15; i++) buffer[i] = (u8)phys_read(physical + (i - room), 1);
      length = parse(buffer, rip, &opcode);
    }
  }
  if (UNLIKELY(length > 15)) {
    protection(0);
    return 0;
  }
  if (UNLIKELY(insn.lock) && (!(opcode->form & LOCKS) || insn.mod == 3)) {
    undefined();
    return 0;
  }
  return opcode->execute;
}
