/** A network between client and server that can be cut, fall silent, and be mended. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { later } from './hosted';

export class Network {
  private pairs: [Socket, Socket][] = [];
  private dead = false;
  private refuse = false;

  private constructor(
    private readonly target: number | string,
    readonly port: number,
  ) {}

  /** To a port of this machine, by a port; or to a Unix-domain socket, by one at the path `from`. */
  static async to(target: number | string, from = ''): Promise<Network> {
    const server = createServer({ noDelay: true });
    if (from === '') server.listen(0, '127.0.0.1');
    else server.listen(from);
    await once(server, 'listening');
    const address = server.address() as AddressInfo | string;
    const network = new Network(target, typeof address === 'string' ? 0 : address.port);
    server.on('connection', (socket) => network.join(socket));
    later(() => {
      network.cut();
      server.close();
    });
    return network;
  }

  /** Both ends see their connection close. */
  cut(): void {
    for (const pair of this.pairs.splice(0)) for (const socket of pair) socket.destroy();
  }

  /** Nothing goes through any more and nobody is told, also for new connections, until `mend`. */
  silence(): void {
    this.dead = true;
  }

  /** New connections are closed at once, until `mend`. */
  block(): void {
    this.refuse = true;
    this.cut();
  }

  /** New connections go through again; silent ones stay silent. */
  mend(): void {
    this.dead = false;
    this.refuse = false;
  }

  private join(near: Socket): void {
    near.on('error', () => {});
    if (this.refuse) {
      near.destroy();
      return;
    }
    const far =
      typeof this.target === 'string'
        ? connect(this.target)
        : connect({ host: '127.0.0.1', port: this.target, noDelay: true });
    far.on('error', () => {});
    const pair: [Socket, Socket] = [near, far];
    this.pairs.push(pair);
    let silent = false;
    const relay = (from: Socket, into: Socket) => {
      from.on('data', (bytes) => {
        silent ||= this.dead;
        if (!silent && !into.write(bytes)) from.pause();
      });
      into.on('drain', () => from.resume());
      from.on('close', () => {
        if (!silent) into.destroy();
      });
    };
    relay(near, far);
    relay(far, near);
  }
}
