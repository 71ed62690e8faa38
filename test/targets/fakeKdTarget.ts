/**
 * A KD target in a few hundred lines for tests of the link and of KdTarget: the target's side of the protocol (ids,
 * acknowledgements, RESET, break-in) over a toy machine with memory, registers and breakpoints. The toy CPU knows
 * `nop`, `int3`, `ret` (out of the break-in routine), short `jmp` and `hlt` (runs on doing nothing); any other byte
 * is a one-byte instruction without effect.
 */
import type { Clock } from '../../src/engine/base/clock';
import type { Disposable } from '../../src/engine/base/emitter';
import {
  encodeControlPacket,
  encodeDataPacket,
  PacketParser,
  PacketType,
  type KdPacket,
} from '../../src/engine/kd/packet';
import type { Wire } from '../../src/engine/wire/wire';
import { serveRequest } from './fakeRequests';

export const initialId = 0x80800000;
const sync = 0x800;
const contextSize = 0x4d0;
const ripOffset = 0xf8;
const eflagsOffset = 0x44;

export const breakInRoutine = 0xfffff80000005000n;
export const codeBase = 0xfffff80000010000n;

export interface FakeProcessor {
  readonly context: Uint8Array;
  readonly special: Uint8Array;
  /** Set once the context was read in this stop. */
  contextRead: boolean;
}

export interface FakeOptions {
  readonly clock: Clock;
  readonly processors?: number;
  /** False answers GetContextEx with STATUS_UNSUCCESSFUL, as boot debuggers do. */
  readonly contextEx?: boolean;
  readonly specialSize?: number;
  readonly machineType?: number;
  /** Largest read answered at once, bytes. */
  readonly readLimit?: number;
}

export class FakeKdTarget {
  /** 4 KiB pages by page number. */
  readonly pages = new Map<bigint, Uint8Array>();
  readonly breakpoints: ({ address: bigint; original: number } | undefined)[] = new Array<undefined>(32).fill(
    undefined,
  );
  readonly processors: FakeProcessor[];
  readonly msrs = new Map<number, bigint>([[0xc0000080, 0xd01n]]);
  readonly ports = new Map<number, number>();
  /** Every request that was carried out, in order. */
  readonly log: { api: number; processor: number; value: bigint }[] = [];
  current = 0;
  state: 'running' | 'stopped' = 'running';
  /** True: takes nothing and says nothing, as a machine that hangs. */
  silent = false;
  rebooted = 0;
  lastDr7 = 0n;
  private returnTo = 0n;
  private stepping = false;

  private nextId = (initialId | sync) >>> 0;
  private expectedId = initialId;
  private pending: { type: number; payload: Uint8Array; then: () => void } | undefined;
  private readonly waiting: { type: number; payload: Uint8Array; then: () => void }[] = [];
  private stateChange: Uint8Array | undefined;
  private timer: Disposable | undefined;
  private readonly parser: PacketParser;
  readonly replies: { type: number; payload: Uint8Array }[] = [];

  constructor(
    private readonly wire: Wire,
    readonly options: FakeOptions,
  ) {
    this.processors = Array.from({ length: options.processors ?? 1 }, (_, i) => ({
      context: new Uint8Array(contextSize),
      special: new Uint8Array(options.specialSize ?? 0xe0).fill(i + 1),
      contextRead: false,
    }));
    this.poke(breakInRoutine, [0xcc, 0xc3]);
    this.poke(codeBase, new Array<number>(64).fill(0x90));
    this.poke(codeBase + 64n, [0xf4]);
    for (const [i] of this.processors.entries()) this.setPc(i, codeBase + 64n);
    this.parser = new PacketParser({
      packet: (packet) => this.silent || this.onPacket(packet),
      damaged: () => this.silent || this.control(PacketType.resend),
      noise: (byte) => {
        if (byte === 0x62 && this.state === 'running' && !this.pending && !this.silent) this.breakIn();
      },
    });
    wire.data((bytes) => this.parser.push(bytes));
    wire.closed(() => this.timer?.dispose());
  }

  // --- the machine

  poke(address: bigint, bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i++) {
      const at = address + BigInt(i);
      let page = this.pages.get(at >> 12n);
      if (!page) this.pages.set(at >> 12n, (page = new Uint8Array(4096)));
      page[Number(at & 0xfffn)] = bytes[i]!;
    }
  }

  peek(address: bigint): number | undefined {
    return this.pages.get(address >> 12n)?.[Number(address & 0xfffn)];
  }

  pc(processor = this.current): bigint {
    return view(this.processors[processor]!.context).getBigUint64(ripOffset, true);
  }

  setPc(processor: number, value: bigint): void {
    view(this.processors[processor]!.context).setBigUint64(ripOffset, BigInt.asUintN(64, value), true);
  }

  /** Goes on running, or makes one step, as a continue asks. */
  resume(step: boolean): void {
    this.stateChange = undefined;
    this.state = 'running';
    this.stepping = step;
    for (const processor of this.processors) processor.contextRead = false;
    const eflags = view(this.processors[this.current]!.context);
    eflags.setUint32(eflagsOffset, step ? 0x302 : 0x202, true);
    this.execute();
  }

  private execute(): void {
    for (let i = 0; i < 10_000; i++) {
      const pc = this.pc();
      const opcode = this.peek(pc);
      if (opcode === 0xf4 && !this.stepping) return;
      if (opcode === 0xcc) return this.exception(0x80000003);
      if (opcode === undefined) return this.exception(0xc0000005, [8n, pc]);
      if (opcode === 0xc3) this.setPc(this.current, this.returnTo);
      else if (opcode === 0xeb) {
        this.setPc(this.current, pc + 2n + BigInt.asIntN(8, BigInt(this.peek(pc + 1n) ?? 0)));
      } else if (opcode !== 0xf4) this.setPc(this.current, pc + 1n);
      if (this.stepping) return this.exception(0x80000004);
    }
  }

  breakIn(): void {
    this.returnTo = this.pc();
    this.setPc(this.current, breakInRoutine);
    this.exception(0x80000003);
  }

  /** Stops with an exception, as the CPU would at its current pc. */
  exception(code: number, parameters: bigint[] = [], firstChance = true): void {
    const payload = this.newStateChange(0x3030);
    const at = view(payload);
    at.setUint32(32, code, true);
    at.setBigUint64(48, this.pc(), true);
    at.setUint32(56, parameters.length, true);
    parameters.forEach((value, i) => at.setBigUint64(64 + 8 * i, value, true));
    at.setUint32(184, firstChance ? 1 : 0, true);
    // Breakpoints in the reported instruction stream are taken out of the table.
    const pc = this.pc();
    this.breakpoints.forEach((breakpoint, i) => {
      if (breakpoint && breakpoint.address >= pc && breakpoint.address < pc + 16n) this.dropBreakpoint(i);
    });
    at.setUint16(192 + 20, 16, true);
    for (let i = 0; i < 16; i++) payload[192 + 24 + i] = this.peek(pc + BigInt(i)) ?? 0;
    this.stopWith(payload);
  }

  loadSymbols(path: string, base: bigint, size: number, unload = false): void {
    const fixed = this.newStateChange(0x3031);
    const text = Buffer.from(`${path}\0`, 'latin1');
    const payload = new Uint8Array([...fixed, ...text]);
    const at = view(payload);
    at.setUint32(32, text.length, true);
    at.setBigUint64(40, base, true);
    at.setUint32(60, size, true);
    at.setUint8(64, unload ? 1 : 0);
    this.stopWith(payload);
  }

  commandString(name: string, command: string): void {
    this.stopWith(new Uint8Array([...this.newStateChange(0x3032), ...Buffer.from(`${name}\0${command}\0`)]));
  }

  dropBreakpoint(index: number): boolean {
    const breakpoint = this.breakpoints[index];
    if (!breakpoint) return false;
    this.breakpoints[index] = undefined;
    this.poke(breakpoint.address, [breakpoint.original]);
    return true;
  }

  private newStateChange(state: number): Uint8Array {
    const payload = new Uint8Array(240);
    const at = view(payload);
    at.setUint32(0, state, true);
    at.setUint16(6, this.current, true);
    at.setUint32(8, this.processors.length, true);
    at.setBigUint64(16, 0xffffe00000001000n + BigInt(this.current), true);
    at.setBigUint64(24, this.pc(), true);
    return payload;
  }

  stopWith(stateChange: Uint8Array): void {
    this.state = 'stopped';
    this.stateChange = stateChange;
    void this.send(PacketType.stateChange64, stateChange);
  }

  // --- what it says by itself

  print(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const payload = new Uint8Array(16 + bytes.length);
    view(payload).setUint32(0, 0x3230, true);
    view(payload).setUint32(8, bytes.length, true);
    payload.set(bytes, 16);
    return this.send(PacketType.debugIo, payload);
  }

  send(type: number, payload: Uint8Array): Promise<void> {
    return new Promise((then) => {
      this.waiting.push({ type, payload, then });
      this.pump();
    });
  }

  /** Starts over as a rebooted machine does: new ids, no breakpoints, running. */
  restart(): void {
    this.timer?.dispose();
    this.pending = undefined;
    this.waiting.length = 0;
    this.stateChange = undefined;
    this.breakpoints.fill(undefined);
    this.state = 'running';
    this.nextId = (initialId | sync) >>> 0;
    this.expectedId = initialId;
    this.parser.clear();
    for (const [i] of this.processors.entries()) this.setPc(i, codeBase + 64n);
  }

  // --- the link

  private pump(): void {
    if (this.pending || this.silent) return;
    this.pending = this.waiting.shift();
    this.transmit();
  }

  private transmit(): void {
    this.timer?.dispose();
    const { pending } = this;
    if (!pending || this.silent) return;
    void this.wire.write(encodeDataPacket(pending.type, this.nextId, pending.payload)).catch(() => {});
    this.timer = this.options.clock.after(3000, () => this.transmit());
  }

  private control(type: number, id = 0): void {
    void this.wire.write(encodeControlPacket(type, id)).catch(() => {});
  }

  private delivered(): void {
    this.timer?.dispose();
    const { pending } = this;
    this.pending = undefined;
    this.nextId = ((this.nextId & ~sync) ^ 1) >>> 0;
    pending?.then();
    this.pump();
  }

  private onPacket(packet: KdPacket): void {
    // A running kernel looks for the break-in byte only.
    if (this.state === 'running' && !this.pending) return;
    if (packet.kind === 'data') this.onData(packet);
    else if (packet.type === PacketType.acknowledge) {
      if (this.pending && packet.id === (this.nextId & ~sync) >>> 0) this.delivered();
    } else if (packet.type === PacketType.resend) this.transmit();
    else {
      this.nextId = this.expectedId = initialId;
      this.control(PacketType.reset);
      if (!this.pending && this.stateChange) {
        this.waiting.unshift({ type: PacketType.stateChange64, payload: this.stateChange, then: () => {} });
        this.pump();
      } else this.transmit();
    }
  }

  private onData({ type, id, payload }: KdPacket): void {
    if (id !== initialId && id !== initialId + 1) return this.control(PacketType.resend);
    if (id !== this.expectedId) return this.control(PacketType.acknowledge, id);
    // The debugger went on, so its acknowledgement of our packet was lost.
    if (this.pending) this.delivered();
    this.control(PacketType.acknowledge, id);
    this.expectedId = (this.expectedId ^ 1) >>> 0;
    if (type !== PacketType.stateManipulate) {
      this.replies.push({ type, payload });
      return;
    }
    const reply = serveRequest(this, payload);
    if (reply) void this.send(PacketType.stateManipulate, reply);
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
