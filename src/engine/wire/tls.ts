/**
 * TLS over any wire. Whether the other end's certificate is to be trusted is the caller's to judge; here it is only
 * made sure that the other end owns it.
 */
import { X509Certificate } from 'node:crypto';
import {
  connect,
  createServer,
  type SecureContextOptions,
  type SecureVersion,
  type TLSSocket,
} from 'node:tls';
import { UserError } from '../base/errors';
import { streamWire } from './stream';
import type { Wire } from './wire';
import { WireDuplex } from './wireDuplex';

export interface TlsOptions {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** Name of the protocol inside (ALPN); both ends must give the same. */
  readonly protocol: string;
  /** Our certificate and key (`cert`, `key` or `pfx`), and whose certificates of the other end we trust (`ca`). */
  readonly context: Pick<SecureContextOptions, 'cert' | 'key' | 'pfx' | 'passphrase' | 'ca'>;
  readonly signal: AbortSignal;
  /** Judges the first bytes of the other end; an error it returns ends the attempt. */
  readonly first?: (bytes: Uint8Array) => Error | undefined;
  /** What the user is told when TLS itself fails. */
  readonly describe: (error: Error) => Error;
}

/** Bytes the other end may send before it has a TLS connection. */
const maxHandshake = 48 * 1024;

export interface SecureClient {
  readonly wire: Wire;
  readonly certificate: X509Certificate;
  /** Why its chain is not trusted (OpenSSL's code, `DEPTH_ZERO_SELF_SIGNED_CERT`); undefined when it is. */
  readonly distrust: string | undefined;
}

/**
 * The side with the certificate. With `askCertificate` the other end is asked for one too; `trusted` says whether it
 * has one that `context.ca` signed.
 */
export async function secureServer(
  wire: Wire,
  options: TlsOptions & { readonly askCertificate: boolean },
): Promise<{ readonly wire: Wire; readonly trusted: boolean }> {
  const { askCertificate, minVersion, maxVersion, protocol, context } = options;
  const server = createServer({
    ...context,
    minVersion,
    maxVersion,
    ALPNProtocols: [protocol],
    requestCert: askCertificate,
    // Node would break off without a word.
    rejectUnauthorized: false,
  });
  const socket = await handshake(wire, options, (duplex, resolve, reject) => {
    server.once('secureConnection', (secured: TLSSocket) => {
      // A peer that names no protocol gets through ALPN.
      if (secured.alpnProtocol === protocol) resolve(secured);
      else {
        secured.destroy();
        reject(new UserError('The peer does not speak the session protocol.'));
      }
    });
    server.once('tlsClientError', reject);
    server.emit('connection', duplex);
  });
  return { wire: streamWire(socket, options.describe), trusted: askCertificate && socket.authorized };
}

/** The side that judges the certificate, which it must do before anything is sent. */
export async function secureClient(wire: Wire, options: TlsOptions): Promise<SecureClient> {
  const { minVersion, maxVersion, protocol, context } = options;
  const socket = await handshake(wire, options, (duplex, resolve, reject) => {
    const started = connect({
      ...context,
      minVersion,
      maxVersion,
      ALPNProtocols: [protocol],
      socket: duplex,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    started.once('secureConnect', () => resolve(started));
    started.once('error', reject);
    started.once('close', () => reject(new Error('closed')));
  });
  const raw = socket.getPeerCertificate(false).raw as Buffer | undefined;
  if (!raw || socket.alpnProtocol !== protocol) {
    socket.destroy();
    throw options.describe(new Error('no certificate, or another protocol'));
  }
  const error: unknown = socket.authorizationError;
  const distrust = socket.authorized ? undefined : error instanceof Error ? error.message : String(error);
  return { wire: streamWire(socket, options.describe), certificate: new X509Certificate(raw), distrust };
}

type Start = (
  duplex: WireDuplex,
  resolve: (socket: TLSSocket) => void,
  reject: (error: Error) => void,
) => void;

/** Runs a handshake within its bounds; the wire is closed when it fails. */
function handshake(wire: Wire, { signal, first, describe }: TlsOptions, start: Start): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let done = false;
    const duplex = new WireDuplex(wire, first);
    const finish = (settle: () => void, failed: boolean) => {
      if (done) return;
      done = true;
      signal.removeEventListener('abort', abort);
      counting.dispose();
      if (failed) duplex.destroy();
      settle();
    };
    const fail = (error: Error) => {
      const known = error instanceof UserError ? error : describe(error);
      finish(() => reject(known), true);
    };
    const abort = () => finish(() => reject(signal.reason), true);
    const counting = wire.data(() => {
      if (duplex.received > maxHandshake)
        fail(new Error('too many bytes before the connection is encrypted'));
    });
    // Errors after the handshake are told by the socket on top.
    duplex.on('error', fail);
    duplex.once('close', () => fail(new Error('closed')));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) {
      abort();
      return;
    }
    start(
      duplex,
      (socket) => {
        if (done) socket.destroy();
        // Neither end may outlive the other.
        socket.once('close', () => duplex.destroy());
        duplex.once('close', () => socket.destroy());
        finish(() => resolve(socket), false);
      },
      fail,
    );
  });
}
