/** Slows down those who guess passwords: every failure from an address doubles the wait before its next attempt. */

const firstDelay = 250;
const longestDelay = 8000;
/** After this long without an attempt an address starts anew, in milliseconds. */
const forgetAfter = 10 * 60_000;
const maxAddresses = 1000;

interface Entry {
  failures: number;
  /** When the next attempt may be looked at, in milliseconds since the epoch. */
  next: number;
}

export class AttemptLimiter {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Counts an attempt as failed until `succeeded` says otherwise. Returns the milliseconds to wait before looking at
   * it; undefined when so many are waiting that it is to be refused unseen.
   */
  begin(host: string): number | undefined {
    const now = this.now();
    const key = networkOf(host);
    const entry = this.entries.get(key) ?? { failures: 0, next: now };
    if (now - entry.next > forgetAfter) entry.failures = 0;
    const wait = Math.max(0, entry.next - now);
    if (wait > longestDelay) return undefined;
    const delay = Math.min(longestDelay, firstDelay * 2 ** entry.failures);
    entry.failures++;
    entry.next = now + wait + delay;
    // Newest last, so that the oldest are forgotten first.
    this.entries.delete(key);
    this.entries.set(key, entry);
    const [oldest] = this.entries.keys();
    if (this.entries.size > maxAddresses && oldest !== undefined) this.entries.delete(oldest);
    return wait;
  }

  succeeded(host: string): void {
    this.entries.delete(networkOf(host));
  }
}

/** An IPv6 host owns a whole /64, so all of it counts as one. */
function networkOf(host: string): string {
  if (!host.includes(':')) return host;
  const [head = ''] = host.split('%');
  return head.split(':').slice(0, 4).join(':');
}
