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
  pipeInUse: (name: string) =>
    `Pipe name '${name}' is in use on this machine; choose another one (npipe:pipe=NAME%d adds the process id).`,
  noPipe: (name: string, host: string) =>
    `No debugging server has a pipe '${name}' on ${host}; check the name, and that the server was started first.`,
  pipeElsewhere: (host: string) =>
    `Pipes reach only this machine on this system, not '${host}'; use tcp: or ssl:, or log in there with ssh -L.`,
  tooManyCodes: (name: string) =>
    `'${name}' has more than two number codes; the first is the process id, the second the thread id.`,
  foreignFolder: (folder: string) =>
    `'${folder}' is not a folder of yours, so pipes in it would not be safe; remove it or set XDG_RUNTIME_DIR.`,
  noRuntimeFolder: (folder: string, reason: string) =>
    `The folder for pipes, '${folder}', cannot be used: ${reason}`,
  devicePathNeeded: (written: string) =>
    `'${written}' names no serial port on this system; give its device path, /dev/...`,
  otherBaudRate: (port: string, rate: number) =>
    `Port '${port}' is open at ${rate} baud already; give the same rate or another port.`,
  channelBusy: (port: string, channel: number) =>
    `Channel ${channel} of ${port} is in use by another client; the server needs a channel for each.`,
  noChannel: (port: string, channel: number) =>
    `No debugging server listens on channel ${channel} of the line at ${port}; check the channel there.`,
  lineSilent: (port: string, baud: number, channel: number, reason: string) =>
    `Nobody answers on channel ${channel} of ${port} at ${baud} baud; check cable, rate and server. (${reason})`,
  doorFailed: (spec: string, reason: string) => `The server ${spec} takes no more clients: ${reason}`,
  dialing: (where: string) =>
    `Connecting to ${where}; the client must be waiting there, or be within two minutes.`,
  reverseFailed: (where: string, reason: string) =>
    `The reverse connection to ${where} did not come to be (${reason}); start it anew with .server.`,
  reverseRefused: (where: string) =>
    `What waits at ${where} did not join; check its string (CliCon=, Password=) and start anew with .server.`,
  awaiting: (where: string, port: number) =>
    `the debugging server of ${where} is to call port ${port}; its string needs port=${port} and clicon= ` +
    'with the name of this machine',
  nobodyCame: (where: string, seconds: number) =>
    `No debugging server connected within ${seconds} s; there it needs clicon= with the name of this machine (${where}).`,
  notReverse: (where: string) =>
    `The debugging server at ${where} waits for clients; join it with Server= instead of CliCon=.`,
  firewallOpened: (ports: string) => `Windows firewall: port ${ports} opened; it stays open afterwards.`,
  firewallFailed: (reason: string) =>
    `Warning: the Windows firewall was not changed (run elevated, or open the port by hand): ${reason}`,
  firewallNotNeeded: 'IcfEnable: not needed on this system; it has no Windows firewall.',

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
  speaksTls: (where: string) =>
    `${where} takes encrypted connections only; use ssl: instead of tcp:, or spipe: instead of npipe:.`,
  speaksPlain: (where: string) =>
    `${where} does not encrypt; use tcp: instead of ssl:, or npipe: instead of spipe:.`,
  clientCertificate: (where: string) =>
    `${where} wants a certificate of yours that its CA signed; add ClientCert=NAME (and see that it is valid).`,
  lendsLink: (where: string) =>
    `${where} is a KD connection server; use it with -k kdsrv:server=@{...},trans=@{...} instead of -remote.`,
  hasSession: (where: string) =>
    `${where} is a debugging server; join its session with -remote instead of -k kdsrv:.`,
  closedAtOnce: (where: string) =>
    `${where} closed the connection at once; it is no debugging server of this kind, or takes no clients now.`,
  silent: (where: string, seconds: number) =>
    `What listens at ${where} does not greet within ${seconds} s; it is no debugging server of this kind.`,
  noAnswer: (where: string) => `${where} does not answer; it may be busy with others.`,
  lostWhileJoining: (where: string, reason: string) => `Joining the session of ${where} failed: ${reason}`,
  gone: (where: string) => `The session of ${where} does not know this client any more.`,
  away: (where: string, reason: string, seconds: number) =>
    `The connection to ${where} is lost (${reason}); trying to get back for ${seconds} s.`,
  back: (where: string) => `Back in the session of ${where}.`,
  notBack: (where: string, reason: string) => `${where} could not be reached again: ${reason}`,
  hostOption: (what: string) =>
    `${what} concerns the machine of the debugging server and is refused to remote clients (unless their server has trust=full).`,
  samePasswords: 'The password of the observers is that of the others; it must be another one.',
  noSense: (where: string) => `${where} broke off the connection while joining.`,
};
