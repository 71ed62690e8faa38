/** Carrier of `com:`: a channel of a serial line that several share. */
import type { Wire } from '../../wire/wire';
import { leasePort, lentBack, openChannel } from '../channels/ports';
import type { SessionString } from '../sessionString';
import type { Carrier } from './transport';

export const comCarrier: Carrier = {
  async listen(string, onConnection) {
    const { port, baud, channel } = read(string);
    const address = `${port} channel ${channel}`;
    const lease = await leasePort(port, baud);
    try {
      const acceptor = lease.line.listen(channel, (wire) => {
        keepOpen(wire, port, baud);
        onConnection(wire, { address, host: `com ${address}` });
      });
      return {
        string,
        firewallPorts: [],
        failed: new Promise((resolve) => lease.line.broken(resolve)),
        close: () => {
          acceptor.close();
          lease.release();
          return Promise.resolve();
        },
      };
    } catch (error) {
      lease.release();
      throw error;
    }
  },
  connect: (string, signal) => {
    const { port, baud, channel } = read(string);
    return openChannel(port, baud, channel, signal);
  },
  where: (string) => `${string.values.get('Port') ?? ''} channel ${string.values.get('Channel') ?? ''}`,
  slow: true,
  lastWords: () => lentBack(lastWordsLimit),
};

/** Milliseconds in which other processes hear through this one that the session is over. */
const lastWordsLimit = 3000;

/** A connection keeps the port open, also when its server has been told to exit. */
function keepOpen(wire: Wire, port: string, baud: number): void {
  void leasePort(port, baud).then(
    (lease) => wire.closed(() => lease.release()),
    () => undefined,
  );
}

function read({ values }: SessionString) {
  return {
    port: values.get('Port') ?? '',
    baud: Number(values.get('Baud')),
    channel: Number(values.get('Channel')),
  };
}
