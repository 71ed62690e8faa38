import type { Event } from '../base/emitter';

/**
 * A duplex byte stream with an end: the one thing that links to targets and session transports have in common.
 * Implementations differ only in how they open. Bytes that arrive before the first `data` listener is added are
 * kept for it; nothing is ever dropped. After `closed` fires (exactly once) no `data` fires any more.
 */
export interface Wire {
  readonly data: Event<Uint8Array>;
  /** Fires once. The value is the reason when the wire broke, undefined when either end closed it in order. */
  readonly closed: Event<Error | undefined>;
  /** Resolves when the bytes were handed on and the wire is ready for more; rejects once the wire is closed. */
  write(bytes: Uint8Array): Promise<void>;
  /** Idempotent. Fires `closed` if it has not fired yet. */
  close(): void;
  /**
   * Stops reading until `resume`, which slows the sender down. Some `data` may still come; the end may come only after
   * `resume`. Wires without the pair cannot be slowed down.
   */
  pause?(): void;
  resume?(): void;
}
