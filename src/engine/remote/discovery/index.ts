/**
 * Finding servers: those of this machine by the user's registry, those of other machines by their responder or by
 * DNS-SD. Servers make themselves known with `announceServer`. Needs nothing of the engine, so a face that only looks
 * for servers may load it alone.
 */
import { hostname, networkInterfaces } from 'node:os';
import { withLimit } from '../../base/abort';
import { errorText, UserError } from '../../base/errors';
import { isThisMachine } from '../transports/pipeNames';
import { announceOnNetwork, browseNetwork, type FoundServer, type MulticastOptions } from './dnssd';
import { discoveryMessages as messages } from './messages';
import { registeredServers, registerServer, type NewEntry, type Registered } from './registry';
import { queryResponder, startResponder, type ListedServer, type Responder } from './responder';

export type { ServerKind } from './registry';

/** Where discovery runs; all left out but in tests. */
export interface NetworkOptions {
  readonly multicast?: MulticastOptions;
  readonly responderPort?: number;
}

export interface AnnouncedServer extends NewEntry {
  /** The port clients dial; undefined for pipes. */
  readonly port: number | undefined;
}

export interface Announcement {
  /** What the user should know; a server that cannot be announced serves all the same. */
  readonly notices: readonly string[];
  dispose(): Promise<void>;
}

let responder: { users: number; readonly started: Promise<Responder> } | undefined;

/** Puts a server that is not hidden into the registry and, with `advertise`, on the network. Never rejects. */
export async function announceServer(
  server: AnnouncedServer,
  network: NetworkOptions = {},
): Promise<Announcement> {
  let registered: Registered;
  try {
    registered = await registerServer(server);
  } catch (error) {
    return { notices: [messages.unlisted(errorText(error))], dispose: () => Promise.resolve() };
  }
  if (!server.advertise) return { notices: [], dispose: registered.dispose };
  const { id } = registered.entry;
  const { kind, spec, port } = server;
  responder ??= { users: 0, started: startResponder(network.responderPort) };
  const shared = responder;
  shared.users++;
  const notices = [...(await shared.started).notices];
  const announced = await announceOnNetwork(
    { id, kind, spec, host: hostname(), port },
    network.multicast,
  ).catch((error: unknown) => {
    notices.push(messages.notAnnounced(errorText(error)));
    return undefined;
  });
  return {
    notices,
    dispose: async () => {
      await registered.dispose();
      if (--shared.users === 0) {
        if (responder === shared) responder = undefined;
        await (await shared.started).dispose();
      }
      await announced?.dispose();
    },
  };
}

/**
 * The text of `-QR HOST`, whole lines. This machine's servers come from the registry, others' from the responder
 * there. Rejects with a one-line UserError.
 */
export async function listServers(
  host: string,
  signal?: AbortSignal,
  network: NetworkOptions = {},
): Promise<string> {
  const name = host.replace(/^\\\\/, '').replace(/^\[(.*)\]$/, '$1');
  if (!/^[^\s\\/"',]{1,255}$/.test(name)) {
    throw new UserError(`Bad host name '${host.slice(0, 60)}' for '-QR'; give a computer's name or address.`);
  }
  const servers: readonly ListedServer[] = isOurs(name)
    ? await registeredServers()
    : await queryResponder(name, { port: network.responderPort, signal });
  if (servers.length === 0) return `${messages.none(host)}\n`;
  const lines = servers.map(({ kind, spec }) => messages.server(kind, spec));
  return [messages.header(host), ...lines].map((line) => `${line}\n`).join('');
}

/** A debugging server to join, for a list to choose from. */
export interface DiscoveredServer {
  /** `LAB - tcp:Port=5005,Password=*` */
  readonly label: string;
  /** What *Connect to Remote Session* takes; `Password=*` where one is needed. */
  readonly clientString: string;
  /** The computer's name. */
  readonly host: string;
  readonly origin: 'machine' | 'network';
}

export interface DiscoverOptions extends NetworkOptions {
  /** Told of each server as soon as it is known, those of this machine first. */
  readonly found?: (server: DiscoveredServer) => void;
  /** Ends the search; what was found so far is returned. */
  readonly signal?: AbortSignal;
  /** Milliseconds that machines on the network have to answer; 2 s when left out. */
  readonly timeout?: number;
}

/** The debugging servers of this machine and those announced on the network. Never rejects. */
export async function discoverServers(options: DiscoverOptions = {}): Promise<DiscoveredServer[]> {
  const { signal, timeout = 2000, multicast } = options;
  const all: DiscoveredServer[] = [];
  const add = (server: Omit<DiscoveredServer, 'label'> & { readonly spec: string }) => {
    const { spec, clientString, host, origin } = server;
    const discovered = { label: `${host} - ${spec}`, clientString, host, origin };
    all.push(discovered);
    options.found?.(discovered);
  };
  const own = await registeredServers();
  const host = hostname();
  for (const server of own) if (server.kind === 'debugger') add({ ...server, host, origin: 'machine' });
  const ownIds = new Set(own.map(({ id }) => id));
  // Pipes of other machines are for Windows alone.
  const reachable = ({ spec }: FoundServer) => process.platform === 'win32' || !/^s?n?pipe:/.test(spec);
  await browseNetwork(
    (server) => {
      const wanted = server.kind === 'debugger' && !ownIds.has(server.id) && reachable(server);
      if (wanted) add({ ...server, origin: 'network' });
    },
    withLimit(signal, timeout),
    multicast,
  ).catch(() => {
    // Without multicast there are this machine's servers.
  });
  return all;
}

function isOurs(host: string): boolean {
  if (isThisMachine(host)) return true;
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.some(({ address }) => address === host.toLowerCase());
}
