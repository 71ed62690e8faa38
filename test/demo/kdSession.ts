/** The bare bones of a debugger, for tests of the machine below the engine: packets by hand, no retransmission. */
import {
  encodeControlPacket,
  encodeDataPacket,
  initialPacketId,
  PacketParser,
  PacketType,
  syncBit,
  type KdPacket,
} from '../../src/engine/kd/packet';

export const requestSize = 56;
/** The first word of a state change: why the kernel stopped. */
export const exceptionState = 0x3030;
export const loadSymbolsState = 0x3031;

/** Acknowledges, asks, and keeps what the target says. */
export class KdSession {
  readonly said: string[] = [];
  private id = initialPacketId;
  private readonly arrived: KdPacket[] = [];
  private wanted: (() => void) | undefined;
  private lastId = -1;
  private readonly parser = new PacketParser({
    packet: (packet) => this.packet(packet),
    damaged: () => this.said.push('damaged'),
    noise: () => {},
  });

  constructor(private readonly send: (bytes: Uint8Array) => void) {}

  receive(bytes: Uint8Array): void {
    this.parser.push(bytes);
  }

  private packet(packet: KdPacket): void {
    if (packet.kind !== 'data') return;
    const first = (packet.id & syncBit) !== 0;
    const acknowledge = encodeControlPacket(PacketType.acknowledge, (packet.id & ~syncBit) >>> 0);
    // A break-in with the very first acknowledgement: the kernel stops as soon as it looks.
    this.send(first ? Uint8Array.of(0x62, ...acknowledge) : acknowledge);
    if (packet.id === this.lastId) return; // sent again, because this computer was slow
    this.lastId = packet.id;
    this.said.push(`${packet.type} ${Buffer.from(packet.payload).toString('hex')}`);
    this.arrived.push({ ...packet, payload: packet.payload.slice() });
    this.wanted?.();
  }

  async next(): Promise<Buffer> {
    while (this.arrived.length === 0) await new Promise<void>((resolve) => (this.wanted = resolve));
    return Buffer.from(this.arrived.shift()!.payload);
  }

  /** Sends a request whose 40 bytes at offset 16 begin with `fields`, and what follows them. */
  request(api: number, fields: Uint8Array = new Uint8Array(), data: Uint8Array = new Uint8Array()): void {
    const payload = Buffer.alloc(requestSize + data.length);
    payload.writeUInt32LE(api, 0);
    payload.set(fields, 16);
    payload.set(data, requestSize);
    this.send(encodeDataPacket(PacketType.stateManipulate, this.id, payload));
    this.id ^= 1;
    this.id >>>= 0;
  }

  ask(api: number, fields?: Uint8Array, data?: Uint8Array): Promise<Buffer> {
    this.request(api, fields, data);
    return this.next();
  }

  read(address: bigint, count: number, api = 0x3130): Promise<Buffer> {
    const fields = Buffer.alloc(16);
    fields.writeBigUInt64LE(address, 0);
    fields.writeUInt32LE(count, 8);
    return this.ask(api, fields);
  }

  /** Lets the target go after an exception, for one instruction when `step` is set. */
  continue(step: boolean): void {
    const fields = Buffer.alloc(32);
    fields.writeUInt32LE(0x10002, 0);
    fields.writeUInt32LE(step ? 1 : 0, 4);
    fields.writeBigUInt64LE(0x400n, 8);
    fields.writeBigUInt64LE(1n, 16);
    this.request(0x313c, fields);
  }

  continueLoad(): void {
    this.request(0x3136, Uint8Array.of(2, 0, 1, 0));
  }
}
