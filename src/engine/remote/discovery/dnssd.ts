/**
 * Servers on the local network by DNS-SD over multicast DNS (RFC 6762, RFC 6763): service type `_vskd._tcp`, with
 * what a client needs to know in the TXT record, never a secret:
 *
 *   v=1   id=ENTRY   kind=debugger|process|kernel   host=COMPUTER NAME   spec=STRING AS .servers SHOWS IT
 *
 * Everybody on the network may send to these sockets: what they take is bounded, and what it says is judged.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { EventEmitter } from 'node:events';
import type { Bonjour, Service } from 'bonjour-service';
import { errorText, UserError } from '../../base/errors';
import { oneLine } from '../../session/text';
import { parseClientString } from '../sessionString';
import { isKind, type ServerKind } from './registry';
import { Rate } from './responder';

const serviceType = 'vskd';
/** Named pipes reach other machines by file sharing. */
const sharingPort = 445;
/** Largest multicast DNS message (RFC 6762, 17), and how many are looked at in a second. */
const maxMessage = 9000;
const maxRate = 100;
/** Longest item of a TXT record. */
const maxItem = 255;
const maxFound = 100;
/** Milliseconds to say goodbye. */
const goodbyeLimit = 1000;

/** Where multicast DNS runs; everything left out is the system's and the standard's. */
export interface MulticastOptions {
  readonly interface?: string;
  readonly port?: number;
}

export interface Announced {
  readonly id: string;
  readonly kind: ServerKind;
  readonly spec: string;
  /** The computer's name. */
  readonly host: string;
  readonly port: number | undefined;
}

export interface FoundServer {
  readonly id: string;
  readonly kind: ServerKind;
  readonly spec: string;
  readonly host: string;
  readonly address: string;
  /** What a client of it gives; the address is the one that answered. */
  readonly clientString: string;
}

/** Rejects when there is no multicast here. One socket for each, because the library's withdrawal is for all of one. */
export async function announceOnNetwork(
  { id, kind, spec, host, port }: Announced,
  options: MulticastOptions = {},
): Promise<{ dispose(): Promise<void> }> {
  const txt = { v: '1', id, kind, host: oneLine(host, 64), spec };
  if (Object.entries(txt).some(([key, value]) => Buffer.byteLength(`${key}=${value}`) > maxItem)) {
    throw new UserError('its string is too long for DNS.');
  }
  const bonjour = await openBonjour(options);
  const name = `vskd-${id}`;
  const service = bonjour.publish({
    name,
    type: serviceType,
    port: port ?? sharingPort,
    // Not the machine's own name, which belongs to the system's responder.
    host: `${name}.local`,
    txt,
    // The name is unique.
    probe: false,
  });
  return {
    dispose: async () => {
      await within(goodbyeLimit, (done) => void service.stop(done));
      await within(goodbyeLimit, (done) => bonjour.destroy(done));
    },
  };
}

/** Asks the network and listens until `signal` aborts. Rejects when there is no multicast here. */
export async function browseNetwork(
  found: (server: FoundServer) => void,
  signal: AbortSignal,
  options: MulticastOptions = {},
): Promise<void> {
  const bonjour = await openBonjour(options);
  const ids = new Set<string>();
  const browser = bonjour.find({ type: serviceType }, (service) => {
    const server = judge(service);
    if (!server || ids.has(server.id) || ids.size >= maxFound) return;
    ids.add(server.id);
    found(server);
  });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  browser.stop();
  await within(goodbyeLimit, (done) => bonjour.destroy(done));
}

/** What somebody on the network says of itself; undefined when that makes no sense. */
export function judge(service: Pick<Service, 'txt' | 'referer'>): FoundServer | undefined {
  const { id, kind, host, spec } = (service.txt ?? {}) as Record<string, unknown>;
  const address = service.referer?.address;
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id) || !isKind(kind)) return undefined;
  if (typeof spec !== 'string' || typeof host !== 'string' || address === undefined) return undefined;
  try {
    const clientString = `${spec},Server=${address}`;
    parseClientString(clientString);
    return { id, kind, spec: oneLine(spec, maxItem), host: oneLine(host, 64), address, clientString };
  } catch {
    return undefined;
  }
}

async function openBonjour(options: MulticastOptions): Promise<Bonjour> {
  // Loaded when first needed: few servers are announced.
  const { default: Library } = await import('bonjour-service');
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  const settings = { ...options, bind: '0.0.0.0', socket };
  const bonjour = new Library(settings as object, () => {
    // An answer that could not be sent is as good as a lost one.
  });
  const { mdns } = (bonjour as unknown as { server: { mdns: EventEmitter } }).server;
  try {
    await new Promise<void>((resolve, reject) => {
      mdns.once('ready', resolve);
      mdns.on('error', reject);
      mdns.on('warning', () => {});
    });
  } catch (error) {
    bonjour.destroy();
    throw new UserError(`multicast DNS is not to be had here (${errorText(error)}).`, { cause: error });
  }
  guard(socket);
  return bonjour;
}

/** Nothing that arrives can end the process or keep it busy. */
function guard(socket: Socket): void {
  const rate = new Rate(maxRate);
  const listeners = socket.listeners('message') as ((bytes: Buffer, from: unknown) => void)[];
  socket.removeAllListeners('message');
  socket.on('message', (bytes, from) => {
    if (bytes.length > maxMessage || !rate.take()) return;
    try {
      for (const listener of listeners) listener.call(socket, bytes, from);
    } catch {
      // The library does not know what to do with it; neither do we.
    }
  });
}

function within(milliseconds: number, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    start(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
