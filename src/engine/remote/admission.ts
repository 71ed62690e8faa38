/** The door of a server: every peer from its connection until it has shown that it may come in, or is refused. */
import { errorText, UserError } from '../base/errors';
import type { Wire } from '../wire/wire';
import { AttemptLimiter } from './attempts';
import { handshakeLimit, serverHandshake, type Newcomer, type Service } from './handshake';
import type { PasswordVerifier } from './password';
import type { Returning } from './resume';
import type { Peer, ServerLayer } from './transports/transport';

/** Peers that are connected and have not come in yet, on all servers of a process together. */
const maxStrangers = 64;

export interface AdmittingServer {
  readonly layer: ServerLayer;
  readonly verifier: PasswordVerifier | undefined;
  /** It takes newcomers at all. */
  isOpen(): boolean;
  /** Asked last: room for one more? */
  hasRoom(): boolean;
  /** Where clients come back to after the network broke; left out where they cannot. */
  readonly returning?: Returning;
  /** Told why a peer was not let in. */
  refused?(reason: string): void;
}

export interface AdmissionOptions {
  /** Milliseconds a peer may take. */
  readonly handshakeTime?: number;
  /** What peers come for; a session when left out. */
  readonly service?: Service;
}

export type Admitted = Newcomer;

export class Admission {
  private readonly strangers = new Set<AbortController>();
  private readonly attempts = new AttemptLimiter();

  constructor(private readonly options: AdmissionOptions = {}) {}

  /**
   * Undefined when the peer was refused, and the wire is closed then, or when it came back. What went wrong is nobody
   * else's concern.
   */
  async admit(server: AdmittingServer, wire: Wire, peer: Peer): Promise<Admitted | undefined> {
    if (!server.isOpen() || this.strangers.size >= maxStrangers) {
      wire.close();
      return undefined;
    }
    const stranger = new AbortController();
    this.strangers.add(stranger);
    const { handshakeTime = handshakeLimit, service } = this.options;
    const timer = setTimeout(() => stranger.abort(new UserError('took too long')), handshakeTime);
    try {
      const opened = await server.layer.open(wire, stranger.signal);
      return await serverHandshake(opened, {
        verifier: server.verifier,
        service,
        returning: server.returning,
        delay: () => this.attempts.begin(peer.host),
        proved: () => this.attempts.succeeded(peer.host),
        hasRoom: () => server.isOpen() && server.hasRoom(),
        signal: stranger.signal,
      });
    } catch (error) {
      // Layer and handshake have closed the wire and told the peer what it may know.
      server.refused?.(errorText(error));
      return undefined;
    } finally {
      clearTimeout(timer);
      this.strangers.delete(stranger);
    }
  }

  /** Refuses all who are still at the door. */
  dispose(): void {
    for (const stranger of this.strangers) stranger.abort(new UserError('The server ends.'));
  }
}
