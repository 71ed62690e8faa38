/** Carrier of `tcp:` and `ssl:`: sockets on a port, or on the first free one of a range. */
import { UserError } from '../../base/errors';
import { errorCode } from '../../wire/openErrors';
import { connectTcp, formatAddress, listenTcp, type Listener, type TcpAddress } from '../../wire/tcp';
import type { Wire } from '../../wire/wire';
import { remoteMessages as messages } from '../messages';
import { hostOf, portRange, type SessionString } from '../sessionString';
import type { Carrier } from './transport';

export const tcpCarrier: Carrier = {
  async listen(string, onConnection) {
    const listener = await listenInRange(string, (wire, address) =>
      onConnection(wire, { address, host: address.slice(0, address.lastIndexOf(':')) }),
    );
    const { port } = listener.address;
    return { string, port, firewallPorts: [port], close: () => listener.close() };
  },
  connect: (string, signal) => connectTcp(remoteAddress(string), { signal }),
  where: (string) => formatAddress(remoteAddress(string)),
};

function remoteAddress({ values }: SessionString): TcpAddress {
  return { host: hostOf(values, 'Server') ?? hostOf(values, 'CliCon') ?? '', port: portRange(values).low };
}

async function listenInRange(
  { values }: SessionString,
  onConnection: (wire: Wire, address: string) => void,
): Promise<Listener<TcpAddress>> {
  const { low, high } = portRange(values);
  const host = hostOf(values, 'Bind') ?? (values.has('IpVersion') ? '::' : undefined);
  for (let port = low; port <= high; port++) {
    try {
      return await listenTcp({ host, port }, onConnection);
    } catch (error) {
      const taken = error instanceof UserError && errorCode(error.cause) === 'EADDRINUSE';
      if (!taken || low === high) throw error;
    }
  }
  throw new UserError(messages.noFreePort(low, high));
}
