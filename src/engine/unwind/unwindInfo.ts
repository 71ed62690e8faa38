/** UNWIND_INFO of x64, versions 1 and 2, as a list of operations ("x64 exception handling" in Microsoft's C++ docs). */
import { dataView } from '../image/reader';
import type { RuntimeFunction } from './functionTable';
import { parseRuntimeFunction, RUNTIME_FUNCTION_SIZE } from './functionTable';

/** Amounts and offsets in bytes; registers by their x64 number. `at`: the operation is done from this offset on. */
export type UnwindOperation =
  | { readonly kind: 'push'; readonly at: number; readonly register: number }
  | { readonly kind: 'allocate'; readonly at: number; readonly size: number }
  | { readonly kind: 'setFrame'; readonly at: number }
  | { readonly kind: 'save'; readonly at: number; readonly register: number; readonly offset: number }
  | { readonly kind: 'saveXmm'; readonly at: number }
  | { readonly kind: 'machineFrame'; readonly at: number; readonly errorCode: boolean };

export interface UnwindInfo {
  readonly version: number;
  readonly prologSize: number;
  /** 0 when the function has no frame register. */
  readonly frameRegister: number;
  /** Distance from the stack pointer to the frame register's value when it was set. */
  readonly frameOffset: number;
  /** In the order they are undone. */
  readonly operations: readonly UnwindOperation[];
  /** Version 2: where the epilogues are, as distance of their start from the function's end, and their size. */
  readonly epilogues: { readonly size: number; readonly fromEnd: readonly number[] } | undefined;
  /** The entry this one continues. */
  readonly chained: RuntimeFunction | undefined;
}

/** The largest record: header, 255 codes padded to 256, and a chained entry. */
export const MAX_UNWIND_INFO = 4 + 2 * 256 + RUNTIME_FUNCTION_SIZE;

const CHAIN_FLAG = 4;
const op = {
  pushNonvolatile: 0,
  allocateLarge: 1,
  allocateSmall: 2,
  setFrame: 3,
  saveNonvolatile: 4,
  saveNonvolatileFar: 5,
  epilogue: 6,
  spare: 7,
  saveXmm: 8,
  saveXmmFar: 9,
  pushMachineFrame: 10,
} as const;

/** Undefined when the bytes are cut off or of an unknown version. */
export function parseUnwindInfo(bytes: Uint8Array): UnwindInfo | undefined {
  if (bytes.length < 4) return undefined;
  const view = dataView(bytes);
  const version = view.getUint8(0) & 7;
  const count = view.getUint8(2);
  const codesEnd = 4 + 2 * count;
  if ((version !== 1 && version !== 2) || codesEnd > bytes.length) return undefined;
  const parsed = parseCodes(view, codesEnd, version);
  if (!parsed) return undefined;
  const chainedAt = 4 + 2 * (count + (count & 1));
  const isChained = ((view.getUint8(0) >> 3) & CHAIN_FLAG) !== 0;
  const chained = isChained ? parseRuntimeFunction(bytes, chainedAt) : undefined;
  if (isChained && !chained) return undefined;
  return {
    version,
    prologSize: view.getUint8(1),
    frameRegister: view.getUint8(3) & 15,
    frameOffset: (view.getUint8(3) >> 4) * 16,
    ...parsed,
    chained,
  };
}

function parseCodes(
  view: DataView,
  end: number,
  version: number,
): Pick<UnwindInfo, 'operations' | 'epilogues'> | undefined {
  const operations: UnwindOperation[] = [];
  let epilogues: { size: number; fromEnd: number[] } | undefined;
  let slot = 4;
  const next16 = () => (slot + 2 <= end ? view.getUint16((slot += 2) - 2, true) : undefined);
  const next32 = () => (slot + 4 <= end ? view.getUint32((slot += 4) - 4, true) : undefined);
  const scaled = (value: number | undefined, factor: number) =>
    value === undefined ? undefined : value * factor;
  while (slot + 2 <= end) {
    const at = view.getUint8(slot);
    const kind = view.getUint8(slot + 1) & 15;
    const info = view.getUint8(slot + 1) >> 4;
    slot += 2;
    let amount: number | undefined;
    switch (kind) {
      case op.pushNonvolatile:
        operations.push({ kind: 'push', at, register: info });
        break;
      case op.allocateLarge:
        amount = info === 0 ? scaled(next16(), 8) : next32();
        if (amount === undefined) return undefined;
        operations.push({ kind: 'allocate', at, size: amount });
        break;
      case op.allocateSmall:
        operations.push({ kind: 'allocate', at, size: info * 8 + 8 });
        break;
      case op.setFrame:
        operations.push({ kind: 'setFrame', at });
        break;
      case op.saveNonvolatile:
      case op.saveNonvolatileFar:
        amount = kind === op.saveNonvolatile ? scaled(next16(), 8) : next32();
        if (amount === undefined) return undefined;
        operations.push({ kind: 'save', at, register: info, offset: amount });
        break;
      case op.saveXmm:
      case op.saveXmmFar:
        if ((kind === op.saveXmm ? next16() : next32()) === undefined) return undefined;
        operations.push({ kind: 'saveXmm', at });
        break;
      case op.pushMachineFrame:
        operations.push({ kind: 'machineFrame', at, errorCode: info === 1 });
        break;
      case op.epilogue:
        if (version === 1) {
          // Version 1 had a short form of saving an xmm register here.
          if (next16() === undefined) return undefined;
          operations.push({ kind: 'saveXmm', at });
        } else if (!epilogues) {
          // The first slot gives the size, and whether one epilogue ends the function.
          epilogues = { size: at, fromEnd: (info & 1) === 1 ? [at] : [] };
        } else if (at !== 0 || info !== 0) {
          epilogues.fromEnd.push(at + info * 256);
        }
        break;
      case op.spare:
        slot += 4;
        break;
      default:
        return undefined;
    }
  }
  return { operations, epilogues };
}
