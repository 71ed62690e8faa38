/** The table of session transports: all that servers and clients know of `tcp:`, `npipe:` and their like. */
import { UserError } from '../base/errors';
import { remoteMessages as messages } from './messages';
import type { SessionTransport } from './sessionString';
import { pipeCarrier } from './transports/pipe';
import { secure } from './transports/secure';
import { tcpCarrier } from './transports/tcp';
import { plain, type Transport } from './transports/transport';

const transports: Partial<Record<SessionTransport, Transport>> = {
  tcp: plain(tcpCarrier),
  npipe: plain(pipeCarrier),
  ssl: secure(tcpCarrier),
  spipe: secure(pipeCarrier),
};

export function transportOf(name: SessionTransport): Transport {
  const transport = transports[name];
  if (!transport) throw new UserError(messages.unsupported(name));
  return transport;
}
