/** The texts of servers and of joining, in one place: WinDbg's words where its documentation gives them. */

export const remoteMessages = {
  started: 'Server started.  Client can connect with any of these command lines',
  commandLine: (id: number, clientString: string) => `${id}: <debugger> -remote ${clientString}`,
  noPassword:
    'Warning: this server asks for no password, so anyone who reaches it controls this debugger; ' +
    'add password=... to ask for one.',
  listed: (id: number, spec: string) => `${id} - Debugger Server - ${spec}`,
  disabled: (id: number) => `${id} - <Disabled, exit pending>`,
  noServers: 'No debugging servers are running.',
  toldToExit: 'Server told to exit.  Actual exit may be delayed until\nthe next connection attempt.',
  unknownServer: (id: number) => `There is no server ${id}; .servers lists them.`,
  endedAlready: (id: number) => `Server ${id} has been told to exit already.`,
  tooManyServers: (limit: number) => `${limit} servers are running already; end one with .endsrv.`,
  noFreePort: (low: number, high: number) => `No port from ${low} to ${high} is free on this machine.`,
  unsupported: (what: string) => `${what} connections are not supported yet; use tcp:port=PORT.`,

  version: (client: number, server: number) =>
    'The client is not using same version of remoting protocol as the server ' +
    `(client: ${client}, server: ${server}).`,
  access: (where: string) =>
    `Error 0x80004005: ${where} refuses the connection; the password is missing or wrong.`,
  asksForNone: (where: string) =>
    `${where} asks for no password, so it cannot prove to be the server you mean; leave Password= out to join it.`,
  full: (where: string) => `${where} has as many clients as it takes.`,
  later: (where: string) =>
    `${where} is refusing passwords for some seconds after too many wrong ones; try again.`,
  notOurs: (where: string, said: string) =>
    `What listens at ${where} is no debugging server of this kind (it says '${said}').`,
  closedAtOnce: (where: string) =>
    `${where} closed the connection at once; it is no debugging server of this kind, or takes no clients now.`,
  silent: (where: string, seconds: number) =>
    `What listens at ${where} does not greet within ${seconds} s; it is no debugging server of this kind.`,
  noAnswer: (where: string) => `${where} does not answer; it may be busy with others.`,
  lostWhileJoining: (where: string, reason: string) => `Joining the session of ${where} failed: ${reason}`,
  noSense: (where: string) => `${where} broke off the connection while joining.`,
};
