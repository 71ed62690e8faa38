/** Hosted sessions on a fake engine with real TCP servers on loopback, and clients that join them. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { joinSession, type JoinOptions } from '../../../../src/engine/remote/client';
import {
  hostEngine,
  type EngineHostOptions,
  type HostedSession,
} from '../../../../src/engine/remote/hostEngine';
import { FakeEngine, fakeLanguage, Gates } from '../../session/support/fakeEngine';
import { Watcher } from '../../session/support/harness';

const opened: { dispose(): Promise<void> | void }[] = [];

/** For afterEach. */
export async function closeAll(): Promise<void> {
  for (const each of opened.splice(0).reverse()) await each.dispose();
}

export function later(dispose: () => Promise<void> | void): void {
  opened.push({ dispose });
}

export interface Hosted {
  readonly engine: FakeEngine;
  readonly gates: Gates;
  readonly hosted: HostedSession;
  readonly host: Watcher;
  /** Of the first server. */
  readonly port: number;
}

/** A session with a stopped target; `server` is started when given. */
export async function host(server?: string, options: EngineHostOptions = {}): Promise<Hosted> {
  const engine = new FakeEngine();
  const gates = new Gates();
  const hosted = await hostEngine(engine, fakeLanguage(gates), 'fake:', {
    identity: { machine: 'LAB', user: 'host' },
    hostName: 'LAB',
    servers: server === undefined ? [] : [server],
    ...options,
  });
  opened.push(hosted);
  const watcher = new Watcher(hosted.client);
  engine.target.go('running');
  engine.target.halt();
  await watcher.sees('at 1000');
  return { engine, gates, hosted, host: watcher, port: portOf(hosted) };
}

export function portOf({ servers }: HostedSession, id = 0): number {
  return Number(/Port=(\d+)/.exec(servers.infos()[id]?.spec ?? '')?.[1] ?? 0);
}

export async function joinAs(user: string, remote: string, options: JoinOptions = {}): Promise<Watcher> {
  const joined = await joinSession(remote, { clientIdentity: { machine: 'DEV', user }, ...options });
  opened.push(joined);
  return new Watcher(joined.client);
}

export const anyPort = 'tcp:port=0,bind=127.0.0.1';
export const at = (port: number) => `tcp:Port=${port},Server=127.0.0.1`;

/** A TCP server that is none of ours. */
export async function stranger(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    dispose: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

/** A raw connection to one of our servers. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  opened.push({ dispose: () => void socket.destroy() });
  await once(socket, 'connect');
  return socket;
}
