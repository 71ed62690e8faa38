/**
 * Recognises the epilogue of an x64 function from its code, which the ABI fixes: an optional `add rsp,n` or
 * `lea rsp,[frame+n]`, pops, then a return or a jump out of the function; trap handlers end by `iretq` instead.
 */
import { dataView } from '../image/reader';

export interface Epilogue {
  /** What the rest of it does to the stack pointer first: add an amount, or load it from the frame register. */
  readonly adjust:
    | { readonly kind: 'add'; readonly amount: bigint }
    | { readonly kind: 'frame'; readonly displacement: bigint }
    | undefined;
  /** Numbers of the registers popped, in order. */
  readonly pops: readonly number[];
  /** Offset of a direct jump's target from the start of `code`; undefined for returns and indirect jumps. */
  readonly jump: number | undefined;
  /** Ends by `iretq`: what lies on the stack is a machine frame. */
  readonly interruptReturn: boolean;
}

/** Enough for an adjustment, sixteen pops and the final instruction. */
export const EPILOGUE_BYTES = 48;

/** Undefined when the code at `code[0]` is not (the rest of) an epilogue. `frameRegister` 0: the function has none. */
export function matchEpilogue(code: Uint8Array, frameRegister: number): Epilogue | undefined {
  const adjusted = matchAdjustment(code, frameRegister);
  let at = adjusted?.length ?? 0;
  const pops: number[] = [];
  while (pops.length < 16) {
    const rex = ((code[at] ?? 0) & 0xf0) === 0x40 ? (code[at] ?? 0) : 0;
    const opcode = code[rex === 0 ? at : at + 1] ?? 0;
    if (opcode < 0x58 || opcode > 0x5f) break;
    pops.push(opcode - 0x58 + ((rex & 1) === 1 ? 8 : 0));
    at += rex === 0 ? 1 : 2;
  }
  const end = matchEnd(code, at);
  return (
    end && { adjust: adjusted?.adjust, pops, jump: end.jump, interruptReturn: end.interruptReturn ?? false }
  );
}

function matchAdjustment(
  code: Uint8Array,
  frameRegister: number,
): { adjust: NonNullable<Epilogue['adjust']>; length: number } | undefined {
  const view = dataView(code);
  const [rex = 0, opcode = 0, modrm = 0] = code;
  if (rex === 0x48 && modrm === 0xc4) {
    if (opcode === 0x83 && code.length >= 4) {
      return { adjust: { kind: 'add', amount: BigInt(view.getInt8(3)) }, length: 4 };
    }
    if (opcode === 0x81 && code.length >= 7) {
      return { adjust: { kind: 'add', amount: BigInt(view.getInt32(3, true)) }, length: 7 };
    }
  }
  // lea rsp,[frame+disp]: the destination is rsp, the base the frame register (r12 would need a SIB byte).
  const base = (modrm & 7) + ((rex & 1) === 1 ? 8 : 0);
  if ((rex & 0xfe) === 0x48 && opcode === 0x8d && (modrm & 0x38) === 0x20 && frameRegister !== 0) {
    if (base !== frameRegister || (modrm & 7) === 4) return undefined;
    const mode = modrm >> 6;
    if (mode === 0 && (modrm & 7) !== 5) return { adjust: { kind: 'frame', displacement: 0n }, length: 3 };
    if (mode === 1 && code.length >= 4) {
      return { adjust: { kind: 'frame', displacement: BigInt(view.getInt8(3)) }, length: 4 };
    }
    if (mode === 2 && code.length >= 7) {
      return { adjust: { kind: 'frame', displacement: BigInt(view.getInt32(3, true)) }, length: 7 };
    }
  }
  return undefined;
}

function matchEnd(
  code: Uint8Array,
  at: number,
): { jump: number | undefined; interruptReturn?: boolean } | undefined {
  const view = dataView(code);
  const [first, second, third] = [code[at], code[at + 1], code[at + 2]];
  if (first === 0xc3 || first === 0xc2) return { jump: undefined };
  if (first === 0x48 && second === 0xcf) return { jump: undefined, interruptReturn: true };
  // rep ret and bnd ret.
  if ((first === 0xf3 || first === 0xf2) && second === 0xc3) return { jump: undefined };
  if (first === 0xeb && second !== undefined) return { jump: at + 2 + view.getInt8(at + 1) };
  if (first === 0xe9 && at + 5 <= code.length) return { jump: at + 5 + view.getInt32(at + 1, true) };
  // jmp [rip+n]; jumps through a register or memory count only with the REX.W that marks tail calls.
  if (first === 0xff && second === 0x25) return { jump: undefined };
  const rexW = first !== undefined && (first & 0xf8) === 0x48;
  if (rexW && second === 0xff && third !== undefined && (third & 0x38) === 0x20) return { jump: undefined };
  return undefined;
}
