/** State changes (packet type 7): why the target stopped to talk to us. */
import { ShortRecordError, struct } from './struct';

/** DBGKD_ANY_WAIT_STATE_CHANGE for AMD64 is 240 bytes, then trailing data. */
const fixed = struct(240, {
  newState: [0, 'u32'],
  processorLevel: [4, 'u16'],
  processor: [6, 'u16'],
  processorCount: [8, 'u32'],
  thread: [16, 'u64'],
  pc: [24, 'u64'],
});

const exceptionLayout = struct(160, {
  code: [0, 'u32'],
  flags: [4, 'u32'],
  address: [16, 'u64'],
  parameterCount: [24, 'u32'],
  firstChance: [152, 'u32'],
});
const parameter = struct(8, { value: [0, 'u64'] });
const parametersOffset = 32;
const maxParameters = 15;

const loadSymbols = struct(160, {
  pathLength: [0, 'u32'],
  base: [8, 'u64'],
  processId: [16, 'u64'],
  checksum: [24, 'u32'],
  size: [28, 'u32'],
  unload: [32, 'u8'],
});

/** AMD64_DBGKD_CONTROL_REPORT, 48 bytes. */
const controlReport = struct(48, {
  dr6: [0, 'u64'],
  dr7: [8, 'u64'],
  efl: [16, 'u32'],
  streamLength: [20, 'u16'],
});

const unionOffset = 32;
const reportOffset = 192;
/** Bit or-ed into the state by targets with a second partition. */
const alternate = 0x10000;
/** Windows has at most 2048 processors; a larger number is nonsense. */
export const maxProcessors = 2048;

interface Common {
  readonly processor: number;
  readonly processorCount: number;
  readonly thread: bigint;
  readonly pc: bigint;
}

export interface ExceptionChange extends Common {
  readonly kind: 'exception';
  readonly code: number;
  readonly flags: number;
  readonly address: bigint;
  readonly parameters: readonly bigint[];
  readonly firstChance: boolean;
  readonly dr6: bigint;
  /** Bytes at pc in which the target has removed its breakpoints, 0 to 16. */
  readonly streamLength: number;
}

export interface SymbolsChange extends Common {
  readonly kind: 'load' | 'unload' | 'unloadAll';
  readonly path: string;
  readonly base: bigint;
  readonly size: number;
  readonly checksum: number;
}

export interface CommandChange extends Common {
  readonly kind: 'command';
  readonly name: string;
  readonly command: string;
}

export interface UnknownChange extends Common {
  readonly kind: 'unknown';
  readonly newState: number;
}

export type StateChange = ExceptionChange | SymbolsChange | CommandChange | UnknownChange;

const allOnes = 0xffffffffffffffffn;

/** Undefined when the packet is too short to be a state change. */
export function decodeStateChange(payload: Uint8Array): StateChange | undefined {
  try {
    return decode(payload);
  } catch (error) {
    if (error instanceof ShortRecordError) return undefined;
    throw error;
  }
}

function decode(payload: Uint8Array): StateChange {
  const { newState, processor, processorCount, thread, pc } = fixed.decode(payload);
  const common: Common = {
    processor: Math.min(processor, maxProcessors - 1),
    // 0 is told early at boot.
    processorCount: Math.min(Math.max(processorCount, 1, processor + 1), maxProcessors),
    thread,
    pc,
  };
  switch (newState & ~alternate) {
    case 0x3030:
      return { ...common, kind: 'exception', ...decodeException(payload) };
    case 0x3031:
      return { ...common, ...decodeSymbols(payload) };
    case 0x3032: {
      const [name = '', command = ''] = decodeText(payload.subarray(fixed.size)).split('\0');
      return { ...common, kind: 'command', name, command };
    }
    default:
      return { ...common, kind: 'unknown', newState };
  }
}

function decodeException(payload: Uint8Array) {
  const { parameterCount, firstChance, ...exception } = exceptionLayout.decode(payload, unionOffset);
  const parameters = Array.from(
    { length: Math.min(parameterCount, maxParameters) },
    (_, i) => parameter.decode(payload, unionOffset + parametersOffset + 8 * i).value,
  );
  const { dr6, streamLength } = controlReport.decode(payload, reportOffset);
  return {
    ...exception,
    parameters,
    firstChance: firstChance !== 0,
    dr6,
    streamLength: Math.min(streamLength, 16),
  };
}

function decodeSymbols(payload: Uint8Array) {
  const { pathLength, base, checksum, size, unload } = loadSymbols.decode(payload, unionOffset);
  const end = Math.min(fixed.size + pathLength, payload.length);
  const [path = ''] = decodeText(payload.subarray(fixed.size, end)).split('\0');
  const kind =
    unload === 0 ? ('load' as const) : base === allOnes ? ('unloadAll' as const) : ('unload' as const);
  return { kind, path, base, size, checksum };
}

/** 8-bit text: UTF-8 where it is valid, else one character per byte. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }
}
