/** Carrier of `com:`: a channel of a serial line that several share. */
import { errorText, UserError } from '../../base/errors';
import type { Wire } from '../../wire/wire';
import { RefusedError } from '../channels/line';
import { leasePort } from '../channels/ports';
import { remoteMessages as messages } from '../messages';
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
  async connect(string, signal) {
    const { port, baud, channel } = read(string);
    const lease = await leasePort(port, baud);
    try {
      const wire = await lease.line.connect(channel, signal);
      wire.closed(() => lease.release());
      return wire;
    } catch (error) {
      lease.release();
      signal?.throwIfAborted();
      if (error instanceof RefusedError) {
        throw new UserError(
          error.busy ? messages.channelBusy(port, channel) : messages.noChannel(port, channel),
        );
      }
      throw new UserError(messages.lineSilent(port, baud, channel, errorText(error)), { cause: error });
    }
  },
  where: (string) => `${string.values.get('Port') ?? ''} channel ${string.values.get('Channel') ?? ''}`,
  slow: true,
};

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
