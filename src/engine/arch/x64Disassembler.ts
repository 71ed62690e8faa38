/**
 * Decodes x64 code with iced-x86 and spells it the way WinDbg does. iced's objects live in WebAssembly memory and
 * must be freed by hand; this file frees what it creates.
 */
import {
  Decoder,
  DecoderError,
  DecoderOptions,
  FlowControl,
  Formatter,
  FormatterSyntax,
  Instruction as IcedInstruction,
  MemorySizeOptions,
  OpKind,
  Register,
} from 'iced-x86';
import type { Instruction, SymbolNamer } from './architecture';
import { formatAddress } from './format';

const flows = new Map<FlowControl, Instruction['flow']>([
  [FlowControl.Next, 'next'],
  [FlowControl.UnconditionalBranch, 'jump'],
  [FlowControl.IndirectBranch, 'jump'],
  [FlowControl.ConditionalBranch, 'conditional'],
  [FlowControl.Return, 'return'],
  [FlowControl.Call, 'call'],
  [FlowControl.IndirectCall, 'call'],
  [FlowControl.Interrupt, 'interrupt'],
  [FlowControl.XbeginXabortXend, 'next'],
  [FlowControl.Exception, 'next'],
]);

let sharedFormatter: Formatter | undefined;

/** One for the life of the process: creating it is dear and its settings never change. */
function formatter(): Formatter {
  if (!sharedFormatter) {
    sharedFormatter = new Formatter(FormatterSyntax.Masm);
    sharedFormatter.hexPrefix = '';
    sharedFormatter.hexSuffix = 'h';
    sharedFormatter.uppercaseHex = true;
    sharedFormatter.addLeadingZeroToHexNumbers = true;
    // Done by plainDigits instead: iced 1.21 takes numbers for small whose low 32 bits are.
    sharedFormatter.smallHexNumbersInDecimal = false;
    sharedFormatter.spaceAfterOperandSeparator = false;
    sharedFormatter.showBranchSize = false;
    sharedFormatter.memorySizeOptions = MemorySizeOptions.Always;
  }
  return sharedFormatter;
}

/** See Architecture.disassemble. Bytes that are no instruction become one row `???` per byte. */
export function disassembleX64(
  code: Uint8Array,
  address: bigint,
  count: number,
  namer?: SymbolNamer,
): Instruction[] {
  const rows: Instruction[] = [];
  if (count <= 0 || code.length === 0) return rows;
  const decoder = new Decoder(64, code, DecoderOptions.None);
  const decoded = new IcedInstruction();
  try {
    decoder.ip = BigInt.asUintN(64, address);
    while (rows.length < count && decoder.canDecode) {
      const start = decoder.position;
      const at = BigInt.asUintN(64, address + BigInt(start));
      decoder.decodeOut(decoded);
      if (decoder.lastError === DecoderError.NoMoreBytes) break;
      if (decoder.lastError !== DecoderError.None) {
        rows.push(invalidRow(at, code.slice(start, start + 1)));
        decoder.position = start + 1;
        decoder.ip = BigInt.asUintN(64, at + 1n);
        continue;
      }
      rows.push(describe(decoded, at, code.slice(start, decoder.position), namer));
    }
  } finally {
    decoded.free();
    decoder.free();
  }
  return rows;
}

function invalidRow(address: bigint, bytes: Uint8Array): Instruction {
  return { address, bytes, mnemonic: '???', operands: '', flow: 'invalid' };
}

/** iced prints `stosq`; WinDbg spells the operands out: `stos qword ptr [rdi]`. */
const stringInstruction = /^(.*\b(?:movs|stos|lods|scas|cmps|ins|outs))([bwdq])$/;
const stringSizes: Readonly<Record<string, string>> = { b: 'byte', w: 'word', d: 'dword', q: 'qword' };

function stringOperand(decoded: IcedInstruction, index: number, size: string): string | undefined {
  const register = { [OpKind.MemorySegRSI]: 'rsi', [OpKind.MemorySegESI]: 'esi' }[
    decoded.opKind(index) as number
  ];
  const segment = decoded.memorySegment;
  if (register !== undefined) {
    const prefix = segment === Register.FS ? 'fs:' : segment === Register.GS ? 'gs:' : '';
    return `${size} ptr ${prefix}[${register}]`;
  }
  if (decoded.opKind(index) === OpKind.MemoryESRDI) return `${size} ptr [rdi]`;
  if (decoded.opKind(index) === OpKind.MemoryESEDI) return `${size} ptr [edi]`;
  return decoded.opRegister(index) === Register.DX ? 'dx' : undefined;
}

/** Mnemonic and operands of a string instruction; undefined for any other. */
function describeString(decoded: IcedInstruction): { mnemonic: string; operands: string } | undefined {
  const match = stringInstruction.exec(formatter().formatMnemonic(decoded));
  const size = stringSizes[match?.[2] ?? ''];
  if (!match || size === undefined || formatter().operandCount(decoded) > 0) {
    return undefined;
  }
  const operands: string[] = [];
  for (let i = 0; i < decoded.opCount; i++) {
    const text = stringOperand(decoded, i, size);
    if (text !== undefined) operands.push(text);
  }
  return { mnemonic: match[1] ?? '', operands: operands.join(',') };
}

function describe(
  decoded: IcedInstruction,
  address: bigint,
  bytes: Uint8Array,
  namer?: SymbolNamer,
): Instruction {
  const operands: string[] = [];
  let branchTarget: bigint | undefined;
  const count = formatter().operandCount(decoded);
  for (let i = 0; i < count; i++) {
    const index = formatter().getInstructionOperand(decoded, i);
    const kind = index === undefined ? undefined : decoded.opKind(index);
    if (kind === OpKind.NearBranch64 || kind === OpKind.NearBranch32 || kind === OpKind.NearBranch16) {
      branchTarget = decoded.nearBranchTarget;
      operands.push(named(branchTarget, namer));
    } else if (kind === OpKind.Memory && decoded.isIpRelMemoryOperand) {
      const place = `[${named(decoded.ipRelMemoryAddress, namer)}]`;
      operands.push(
        formatter()
          .formatOperand(decoded, i)
          .replace(/\[[^\]]*\]/, () => place),
      );
    } else {
      operands.push(plainDigits(formatter().formatOperand(decoded, i)));
    }
  }
  const spelled = describeString(decoded);
  return {
    address,
    bytes,
    mnemonic: spelled?.mnemonic ?? formatter().formatMnemonic(decoded),
    operands: spelled?.operands ?? operands.join(','),
    // syscall and its kin leave through the entry point, not to a callee that returns.
    flow: isSystemCall(decoded) ? 'next' : (flows.get(decoded.flowControl) ?? 'next'),
    ...(branchTarget === undefined ? {} : { branchTarget }),
  };
}

/** `8h` is written 8. */
function plainDigits(operand: string): string {
  return operand.replace(/\b([0-9])h\b/g, '$1');
}

function isSystemCall(decoded: IcedInstruction): boolean {
  return decoded.flowControl === FlowControl.Call && !decoded.isCallNear && !decoded.isCallFar;
}

function named(address: bigint, namer: SymbolNamer | undefined): string {
  const name = namer?.(address);
  return name === undefined ? formatAddress(address) : `${name} (${formatAddress(address)})`;
}
