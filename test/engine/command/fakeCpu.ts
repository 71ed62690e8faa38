/** Executes the handful of x64 instructions that the fake kernel is made of, until something stops it. */
import type { Registers } from '../../../src/engine/arch/registers';
import type { FakeTarget } from './fakeTarget';

const pushable = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
/** Two lots of the longest program in the tests. */
const MAX_INSTRUCTIONS = 1000;

/** Returns why it stopped; undefined when it runs on (`hlt`). */
export function runCpu(
  target: FakeTarget,
  processor: number,
  mode: 'go' | 'step',
): 'step' | 'breakpoint' | undefined {
  const registers = target.processors[processor];
  if (!registers) throw new Error('no such processor');
  for (let i = 0; i < MAX_INSTRUCTIONS; i++) {
    const { pc } = registers;
    if (i > 0 && mode === 'go' && target.breakpoints.has(pc)) return 'breakpoint';
    if (target.peek(pc, 1)[0] === 0xf4) return mode === 'step' ? 'step' : undefined;
    execute(target, registers);
    if (mode === 'step') return 'step';
  }
  throw new Error('the program does not end');
}

function execute(target: FakeTarget, registers: Registers): void {
  const { pc, sp } = registers;
  const code = target.peek(pc, 15);
  const view = new DataView(code.buffer, code.byteOffset);
  const next = (length: number) => registers.set('rip', pc + BigInt(length));
  const jump = (length: number, distance: number) => registers.set('rip', pc + BigInt(length + distance));
  const push = (value: bigint) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    registers.set('rsp', registers.sp - 8n);
    target.poke(registers.sp, bytes);
  };
  const pop = () => {
    const bytes = target.peek(registers.sp, 8);
    registers.set('rsp', registers.sp + 8n);
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  };
  const [a = 0, b = 0, c = 0] = code;
  if (a === 0x90 || a === 0xcc) return next(1);
  if (a === 0xe8) {
    push(pc + 5n);
    return jump(5, view.getInt32(1, true));
  }
  if (a === 0xc3) return registers.set('rip', pop());
  if (a === 0x48 && b === 0x83 && (c === 0xec || c === 0xc4)) {
    const amount = BigInt(view.getInt8(3));
    registers.set('rsp', c === 0xec ? sp - amount : sp + amount);
    return next(4);
  }
  if (a >= 0x50 && a <= 0x57) {
    push(registers.get(pushable[(a - 0x50) as 0]));
    return next(1);
  }
  if (a >= 0x58 && a <= 0x5f) {
    registers.set(pushable[(a - 0x58) as 0], pop());
    return next(1);
  }
  if (a === 0xff && b === 0xc9) {
    const left = BigInt.asUintN(32, registers.get('ecx') - 1n);
    registers.set('ecx', left);
    registers.set('zf', left === 0n ? 1n : 0n);
    return next(2);
  }
  if (a === 0x74) return jump(2, registers.get('zf') === 1n ? view.getInt8(1) : 0);
  if (a === 0xeb) return jump(2, view.getInt8(1));
  throw new Error(`the fake CPU does not know ${a.toString(16)} at ${pc.toString(16)}`);
}
