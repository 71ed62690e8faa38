/** TCP wires: connecting, and the listener that debugging servers and tests share. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { CancelledError } from '../base/errors';
import { brokenError, openError, openWithin } from './openErrors';
import { streamWire } from './stream';
import type { Wire } from './wire';

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

export interface OpenOptions {
  /** Milliseconds; 10 s when left out. */
  readonly timeLimit?: number;
  readonly signal?: AbortSignal;
}

const defaultTimeLimit = 10_000;
const keepAliveDelay = 15_000;

/** Connects to `host:port`. Rejects with a one-line UserError. */
export async function connectTcp({ host, port }: TcpAddress, options: OpenOptions = {}): Promise<Wire> {
  const what = formatAddress({ host, port });
  if (options.signal?.aborted) throw new CancelledError();
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelay,
  });
  try {
    await openWithin<void>(
      (resolve, reject) => {
        socket.once('connect', () => resolve());
        socket.once('error', reject);
      },
      () => socket.destroy(),
      options.timeLimit ?? defaultTimeLimit,
      `No answer from ${what}; check the host name, the port and firewalls on the way.`,
      options.signal,
    );
  } catch (error) {
    throw openError(error, {
      ECONNREFUSED: `Nothing listens on ${what}; check the port, and that the other side was started first.`,
      ENOTFOUND: `Unknown host '${host}'; check the name or use the IP address.`,
      EAI_AGAIN: `The name '${host}' could not be looked up; check the name server or use the IP address.`,
      EHOSTUNREACH: `Host '${host}' is not reachable; check the network and the address.`,
      ENETUNREACH: `The network of '${host}' is not reachable; check the network and the address.`,
      ETIMEDOUT: `No answer from ${what}; check the host name, the port and firewalls on the way.`,
      ECONNRESET: `${what} closed the connection at once; check what listens there.`,
      EACCES: `Connecting to ${what} is not permitted on this machine.`,
      other: `Cannot connect to ${what}`,
    });
  }
  return socketWire(socket, what);
}

export interface Listener<Address> {
  readonly address: Address;
  /** Stops listening. Wires that were handed out stay open; they are their owner's. */
  close(): Promise<void>;
}

/** Called for each new connection; `peer` is its address as text, for people. */
export type ConnectionHandler = (wire: Wire, peer: string) => void;

/**
 * Listens on `port` (0: any free one) of `host` (all interfaces when left out). Rejects with a one-line UserError
 * whose `cause` has the system's code (`EADDRINUSE`).
 */
export async function listenTcp(
  { host, port }: { host?: string; port: number },
  onConnection: ConnectionHandler,
): Promise<Listener<TcpAddress>> {
  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelay },
    (socket) => {
      const peer = formatAddress({ host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 });
      onConnection(socketWire(socket, peer), peer);
    },
  );
  await startListening(server, { host, port }).catch((error: unknown) => {
    throw openError(error, {
      EADDRINUSE: `Port ${port} is in use on this machine; choose another one.`,
      EACCES: `Listening on port ${port} is not permitted; choose a port above 1023.`,
      EADDRNOTAVAIL: `'${host}' is not an address of this machine.`,
      ENOTFOUND: `Unknown host '${host}'; use an address of this machine.`,
      other: `Cannot listen on port ${port}`,
    });
  });
  const bound = server.address() as AddressInfo;
  return { address: { host: bound.address, port: bound.port }, close: () => stopListening(server) };
}

/** `host:port`, with brackets around an IPv6 address; IPv4 in IPv6 is shown as IPv4. */
export function formatAddress({ host, port }: TcpAddress): string {
  const plain = host.replace(/^::ffff:(?=\d+\.)/i, '');
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

export function socketWire(socket: Socket, what: string): Wire {
  return streamWire(socket, brokenError(what));
}

export function startListening(
  server: Server,
  where: { host?: string; port?: number; path?: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeListener('error', reject);
      // Errors of accepting a single connection (too many files) must not end the process.
      server.on('error', () => {});
      resolve();
    });
  });
}

export function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // `close` waits for open connections, which belong to others: resolve as soon as listening has ended.
    server.close();
    resolve();
  });
}
