/**
 * What a session transport is: a carrier that opens and accepts connections (tcp, pipe, serial channel) and what both
 * ends do to a new connection before the session handshake (nothing, or TLS). The table is in ../transports.ts.
 */
import type { Wire } from '../../wire/wire';
import type { SessionString } from '../sessionString';

/** The other end of a connection, as far as its carrier knows. */
export interface Peer {
  /** For people: `127.0.0.1:63141`, a pipe's name, `COM1 channel 3`. */
  readonly address: string;
  /** Who wrong passwords are counted against. */
  readonly host: string;
}

export type ConnectionHandler = (wire: Wire, peer: Peer) => void;

/** Something that listens, or dials for a reverse connection. */
export interface Door {
  /** The string with what came of it: the final name of a pipe. */
  readonly string: SessionString;
  /** The port in use. */
  readonly port?: number;
  /** Ports that a firewall has to let through. */
  readonly firewallPorts: readonly number[];
  /** Resolves when it takes no more connections for a reason of its own (a port was unplugged). */
  readonly failed?: Promise<Error>;
  /** Stops taking connections; those handed out stay open. */
  close(): Promise<void>;
}

export interface Carrier {
  /** Rejects with a one-line UserError: a bad name, in use, not allowed. */
  listen(string: SessionString, onConnection: ConnectionHandler): Promise<Door>;
  /** To the machine in `Server=`, or the one in `CliCon=`. Rejects with a one-line UserError. */
  connect(string: SessionString, signal: AbortSignal | undefined): Promise<Wire>;
  /** The other end as told to the user: `HOST:5005`. */
  where(string: SessionString): string;
  /** Its connections may take minutes for what is done in seconds elsewhere. */
  readonly slow?: boolean;
  /** Where other processes reach the session through this one: resolves when they know of its end too. */
  lastWords?(): Promise<void>;
}

/** Does to a new connection what must precede the session handshake; closes the wire when it rejects. */
export type Layer = (wire: Wire, signal: AbortSignal) => Promise<Wire>;

export interface ServerLayer {
  readonly open: Layer;
  /** Lines for who starts the server. */
  readonly notices: readonly string[];
  /** Whoever gets through has proved who he is, so that no password is missing. */
  readonly authenticates: boolean;
}

export interface ClientLayer {
  readonly open: Layer;
  /** Lines for who joins; complete when a connection is open. */
  readonly notices: readonly string[];
}

export interface Transport {
  readonly carrier: Carrier;
  /** Made once per server; rejects with a one-line UserError (no such certificate). */
  serverLayer(string: SessionString): Promise<ServerLayer>;
  /** Made once per join. */
  clientLayer(string: SessionString): Promise<ClientLayer>;
}

const bare: Layer = (wire) => Promise.resolve(wire);

/** A transport that adds nothing to its carrier. */
export function plain(carrier: Carrier): Transport {
  return {
    carrier,
    serverLayer: () => Promise.resolve({ open: bare, notices: [], authenticates: false }),
    clientLayer: () => Promise.resolve({ open: bare, notices: [] }),
  };
}
