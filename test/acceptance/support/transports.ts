/** The table of transports: how a test makes the server's and the client's string of each. */
import { mkdtempSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openPtyPair } from '../../support/ptyPair';
import { nextPort } from './ports';
import type { Trial } from './trial';

export type TransportName = 'tcp' | 'tcp6' | 'npipe' | 'ssl' | 'spipe' | 'com' | 'reverse' | 'sslReverse';

/** One server to be, and how its clients reach it. */
export interface Door {
  readonly server: string;
  /** As `.servers` and `-QR` show it, without the options. */
  readonly shown: string;
  /** Without the password. */
  readonly client: string;
}

export interface Transport {
  readonly name: TransportName;
  /** What precedes the address in a client's identity. */
  readonly word: string;
  /** A server of this kind has room for one client. */
  readonly single: boolean;
  /** The client waits for its server. */
  readonly clientFirst: boolean;
  /** `options` follow the server's string: `,hidden`. */
  open(trial: Trial, options: string): Promise<Door>;
}

/** The device paths of its two ends: the server's and the clients'. */
export interface Cable {
  readonly a: string;
  readonly b: string;
}

/** Name of the certificate that every trial finds in its configuration. */
export const certificate = 'acceptance';
const tls = `proto=tls1,certuser=${certificate}`;
const shownTls = `Proto=tls1,CertUser=${certificate}`;

let names = 0;
/** A pipe name that nobody else on this machine uses. */
export function nextName(): string {
  return `acceptance_${process.pid}_${names++}`;
}

function plain(
  name: TransportName,
  word: string,
  open: (trial: Trial) => Promise<Door>,
  nature: { single?: boolean; clientFirst?: boolean } = {},
): Transport {
  return {
    name,
    word,
    single: nature.single ?? false,
    clientFirst: nature.clientFirst ?? false,
    open: async (trial, options) => {
      const door = await open(trial);
      return { ...door, server: door.server + options };
    },
  };
}

async function tcpDoor(scheme: string, host: string): Promise<Door> {
  const port = await nextPort();
  return {
    server: `${scheme}port=${port}`,
    shown: `tcp:Port=${port}`,
    client: `${scheme}server=${host},port=${port}`,
  };
}

async function sslDoor(): Promise<Door> {
  const { server, shown, client } = await tcpDoor(`ssl:${tls},`, '127.0.0.1');
  return { server, shown: shown.replace('tcp:', `ssl:${shownTls},`), client };
}

async function reverseDoor(scheme: string, shown: string): Promise<Door> {
  const port = await nextPort();
  const rest = `clicon=127.0.0.1,port=${port}`;
  return { server: scheme + rest, shown: `${shown}Port=${port},CliCon=127.0.0.1`, client: scheme + rest };
}

function pipeDoor(scheme: string, shown: string): Promise<Door> {
  const name = nextName();
  return Promise.resolve({
    server: `${scheme}pipe=${name}`,
    shown: `${shown}Pipe=${name}`,
    client: `${scheme}server=${hostname()},pipe=${name}`,
  });
}

/** All on one cable, each on a channel of its own. */
async function comDoor(trial: Trial): Promise<Door> {
  const { a, b } = await trial.cable();
  const channel = nextChannel++ % 255;
  const on = (port: string) => `port=${port},baud=115200,channel=${channel}`;
  return {
    server: `com:${on(a)}`,
    shown: `com:Port=${a},Baud=115200,Channel=${channel}`,
    client: `com:${on(b)}`,
  };
}
let nextChannel = 0;

/** Two serial ports joined by a cable. */
export async function serialCable(trial: Trial): Promise<Cable> {
  const pair = await openPtyPair(mkdtempSync(join(trial.folder, 'cable-')));
  trial.onEnd(() => pair.close());
  return { a: realpathSync(pair.a), b: realpathSync(pair.b) };
}

const table: readonly Transport[] = [
  plain('tcp', 'tcp', () => tcpDoor('tcp:', '127.0.0.1')),
  plain('tcp6', 'tcp', () => tcpDoor('tcp:ipversion=6,', '::1')),
  plain('npipe', 'npipe', () => pipeDoor('npipe:', 'npipe:')),
  plain('ssl', 'ssl', sslDoor),
  plain('spipe', 'spipe', () => pipeDoor(`spipe:${tls},`, `spipe:${shownTls},`)),
  plain('com', 'com', comDoor, { single: true }),
  plain('reverse', 'tcp', () => reverseDoor('tcp:', 'tcp:'), { single: true, clientFirst: true }),
  plain('sslReverse', 'ssl', () => reverseDoor(`ssl:${tls},`, `ssl:${shownTls},`), {
    single: true,
    clientFirst: true,
  }),
];

export function transportOf(name: TransportName): Transport {
  const found = table.find((each) => each.name === name);
  if (!found) throw new Error(`No transport ${name}.`);
  return found;
}

export const allTransports: readonly TransportName[] = table.map(({ name }) => name);
/** Those whose servers wait for clients. */
export const listening = allTransports.filter((name) => !transportOf(name).clientFirst);
/** Those whose servers take any number of clients. */
export const shared = allTransports.filter((name) => !transportOf(name).single);
