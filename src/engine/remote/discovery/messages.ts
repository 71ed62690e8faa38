/** The texts of finding servers; WinDbg's words where its documentation gives them. */
import type { ServerKind } from './registry';

const kinds: Readonly<Record<ServerKind, string>> = {
  debugger: 'Debugger Server',
  process: 'Remote Process Server',
  kernel: 'Remote Kernel Debugger Server',
};

export const discoveryMessages = {
  header: (host: string) => `Servers on ${host}:`,
  server: (kind: ServerKind, spec: string) => `${kinds[kind]} - ${spec}`,
  none: (host: string) => `No visible servers on ${host}.`,
  unlisted: (reason: string) => `Warning: -QR and other debuggers do not list this server: ${reason}`,
  noResponder: (host: string, port: number) =>
    `${host} does not tell its servers (port ${port}); a server there needs the option 'advertise'.`,
  noSense: (host: string, port: number) => `What answers at ${host}, port ${port}, is no list of servers.`,
  portTaken: (port: number) =>
    `Warning: -QR on other machines will not see this server until port ${port} is free here.`,
  notAnnounced: (reason: string) => `Warning: this server is not announced on the network: ${reason}`,
};
