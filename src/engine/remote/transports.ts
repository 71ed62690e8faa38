/** The table of session transports: all that servers and clients know of `tcp:`, `npipe:` and their like. */
import type { SessionTransport } from './sessionString';
import { comCarrier } from './transports/com';
import { pipeCarrier } from './transports/pipe';
import { secure } from './transports/secure';
import { tcpCarrier } from './transports/tcp';
import { plain, type Transport } from './transports/transport';

const transports: Record<SessionTransport, Transport> = {
  tcp: plain(tcpCarrier),
  npipe: plain(pipeCarrier),
  com: plain(comCarrier),
  ssl: secure(tcpCarrier),
  spipe: secure(pipeCarrier),
};

export function transportOf(name: SessionTransport): Transport {
  return transports[name];
}
