/** A tcp proxy between a client and its server, whose connections the test breaks. */
import { connect, createServer, type Socket } from 'node:net';
import { nextPort } from './ports';
import type { Trial } from './trial';

export interface Proxy {
  readonly port: number;
  /** Cuts what is connected now; the next connection goes through again. */
  breakNow(): void;
}

export async function breakableProxy(trial: Trial, target: number): Promise<Proxy> {
  const port = await nextPort();
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, 'localhost');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const breakNow = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  trial.onEnd(() => {
    breakNow();
    server.close();
  });
  return { port, breakNow };
}
