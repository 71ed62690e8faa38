/** The requests of FakeKdTarget: what each API number does to the toy machine and what it answers. */
import type { FakeKdTarget } from './fakeKdTarget';

const unsuccessful = 0xc0000001;
const dataOffset = 56;

/** Carries one request out; returns the reply's payload, or undefined for requests without reply. */
export function serveRequest(target: FakeKdTarget, payload: Uint8Array): Uint8Array | undefined {
  const request = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const api = request.getUint32(0, true);
  const processor = request.getUint16(6, true);
  const address = request.getBigUint64(16, true);
  const data = payload.subarray(dataOffset);
  target.log.push({ api, processor, value: address });

  const reply = (
    status: number,
    edit: (union: DataView) => void = () => {},
    bytes: Uint8Array = new Uint8Array(0),
  ) => {
    const out = new Uint8Array(dataOffset + bytes.length);
    out.set(payload.subarray(0, dataOffset));
    const header = new DataView(out.buffer);
    header.setUint32(8, status, true);
    edit(new DataView(out.buffer, 16, 40));
    out.set(bytes, dataOffset);
    return out;
  };
  const cpu = target.processors[processor];
  const failed = () => reply(unsuccessful);

  switch (api) {
    case 0x3130:
    case 0x313d: {
      const asked = request.getUint32(24, true);
      const count = Math.min(asked, 3944, target.options.readLimit ?? 3944);
      const bytes: number[] = [];
      for (let i = 0; i < count; i++) {
        const byte = target.peek(BigInt.asUintN(64, address + BigInt(i)));
        if (byte === undefined) break;
        bytes.push(byte);
      }
      const whole = bytes.length === count;
      return reply(
        whole ? 0 : unsuccessful,
        (union) => union.setUint32(12, bytes.length, true),
        Uint8Array.from(bytes),
      );
    }
    case 0x3131:
    case 0x313e: {
      let written = 0;
      while (written < data.length && target.peek(address + BigInt(written)) !== undefined) {
        target.poke(address + BigInt(written), [data[written]!]);
        written++;
      }
      return reply(written === data.length ? 0 : unsuccessful, (union) => union.setUint32(12, written, true));
    }
    case 0x3132:
      if (!cpu) return failed();
      cpu.contextRead = true;
      return reply(0, () => {}, cpu.context);
    case 0x3133:
      if (!cpu?.contextRead) return failed();
      cpu.context.set(data.subarray(0, cpu.context.length));
      return reply(0);
    case 0x315f: {
      if (!cpu || target.options.contextEx === false) return failed();
      const offset = request.getUint32(16, true);
      const slice = cpu.context.subarray(offset, offset + request.getUint32(20, true));
      cpu.contextRead = true;
      return reply(0, (union) => union.setUint32(8, slice.length, true), slice);
    }
    case 0x3160:
      if (!cpu?.contextRead || target.options.contextEx === false) return failed();
      cpu.context.set(data, request.getUint32(16, true));
      return reply(0, (union) => union.setUint32(8, data.length, true));
    case 0x3134: {
      const free = target.breakpoints.indexOf(undefined);
      const original = target.peek(address);
      if (
        free < 0 ||
        original === undefined ||
        target.breakpoints.some((each) => each?.address === address)
      ) {
        return failed();
      }
      target.breakpoints[free] = { address, original };
      target.poke(address, [0xcc]);
      return reply(0, (union) => union.setUint32(8, free + 1, true));
    }
    case 0x3135:
      return target.dropBreakpoint(request.getUint32(16, true) - 1) ? reply(0) : failed();
    case 0x3136:
      target.resume(false);
      return undefined;
    case 0x313c:
      target.lastDr7 = request.getBigUint64(24, true);
      target.resume(request.getUint32(20, true) !== 0);
      return undefined;
    case 0x3137:
      if (!cpu || address !== 2n) return failed();
      return reply(0, (union) => union.setUint32(12, cpu.special.length, true), cpu.special);
    case 0x3138:
      if (!cpu || address !== 2n) return failed();
      cpu.special.set(data);
      return reply(0, (union) => union.setUint32(12, data.length, true));
    case 0x3139:
      return reply(0, (union) => union.setUint32(12, target.ports.get(Number(address)) ?? 0xffffffff, true));
    case 0x313a:
      target.ports.set(Number(address), request.getUint32(28, true));
      return reply(0);
    case 0x313b:
      target.rebooted++;
      target.restart();
      return undefined;
    case 0x3146:
      return reply(0, (union) => {
        union.setUint16(0, 0x000f, true);
        union.setUint16(2, 9600, true);
        union.setUint8(4, 6);
        union.setUint8(5, 2);
        union.setUint16(6, 7, true);
        union.setUint16(8, target.options.machineType ?? 0x8664, true);
        union.setBigUint64(16, 0xfffff80000000000n, true);
        union.setBigUint64(24, 0xfffff80000001000n, true);
        union.setBigUint64(32, 0xfffff80000002000n, true);
      });
    case 0x3149:
      target.resume(false);
      target.exception(0x80000003);
      return undefined;
    case 0x3150:
      target.current = processor;
      target.exception(0x80000007);
      return undefined;
    case 0x3152: {
      const value = target.msrs.get(request.getUint32(16, true));
      if (value === undefined) return reply(0xc000000e);
      return reply(0, (union) => {
        union.setUint32(4, Number(value & 0xffffffffn), true);
        union.setUint32(8, Number(value >> 32n), true);
      });
    }
    case 0x3153:
      target.msrs.set(
        request.getUint32(16, true),
        BigInt(request.getUint32(20, true)) | (BigInt(request.getUint32(24, true)) << 32n),
      );
      return reply(0);
    default:
      return failed();
  }
}
