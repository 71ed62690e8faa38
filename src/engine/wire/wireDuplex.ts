/** A Node duplex stream over a Wire, for library code that wants a stream (TLS). */
import { Duplex } from 'node:stream';
import type { Wire } from './wire';

/**
 * `first` sees the first bytes before anybody else; when it returns an error, the stream is destroyed with it. Bytes
 * are counted in `received`.
 */
export class WireDuplex extends Duplex {
  received = 0;
  private looked = false;

  constructor(
    private readonly wire: Wire,
    private readonly first: (bytes: Uint8Array) => Error | undefined = () => undefined,
  ) {
    super({ allowHalfOpen: false });
    wire.closed((reason) => {
      if (reason) this.destroy(reason);
      else this.push(null);
    });
    wire.data((bytes) => this.onData(bytes));
  }

  override _read(): void {
    this.wire.resume?.();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.wire.write(chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.wire.close();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.wire.close();
    done(error);
  }

  private onData(bytes: Uint8Array): void {
    if (this.destroyed) return;
    this.received += bytes.length;
    if (!this.looked) {
      this.looked = true;
      const error = this.first(bytes);
      if (error) {
        this.destroy(error);
        return;
      }
    }
    if (!this.push(bytes)) this.wire.pause?.();
  }
}
