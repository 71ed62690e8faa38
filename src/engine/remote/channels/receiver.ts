/** The receiving half of a channel connection: puts frames in order, each once, and says which are there. */
import { after } from './sender';
import { FrameKind, maxPayload } from './frame';

/** Frames ahead of the next expected one that are kept. */
const window = 32;

export interface Incoming {
  readonly data: readonly Uint8Array[];
  /** The other end has written all it will. */
  readonly ended: boolean;
}

export class Receiver {
  private next = 0;
  private heard = 0xffff;
  private readonly early = new Map<number, { readonly kind: number; readonly payload: Uint8Array }>();
  private over = false;

  /** Takes a data or fin frame; undefined when it is malformed. */
  take(kind: number, body: Uint8Array): Incoming | undefined {
    if (body.length < 4 || body.length > 4 + maxPayload) return undefined;
    const view = Buffer.from(body.buffer, body.byteOffset, body.length);
    const number = view.readUInt16BE(0);
    this.heard = view.readUInt16BE(2);
    if (!this.over && after(number, this.next) < window)
      this.early.set(number, { kind, payload: body.subarray(4) });
    const data: Uint8Array[] = [];
    for (;;) {
      const frame = this.early.get(this.next);
      if (!frame || this.over) break;
      this.early.delete(this.next);
      this.next = (this.next + 1) & 0xffff;
      if (frame.kind === FrameKind.fin) this.over = true;
      else data.push(frame.payload);
    }
    return { data, ended: this.over };
  }

  /** Body of the acknowledgement of all so far. */
  acknowledgement(): Uint8Array {
    let bits = 0;
    for (const number of this.early.keys()) bits |= 1 << (after(number, this.next) - 1);
    const body = Buffer.allocUnsafe(8);
    body.writeUInt16BE(this.next, 0);
    body.writeUInt16BE(this.heard, 2);
    body.writeUInt32BE(bits >>> 0, 4);
    return body;
  }
}
