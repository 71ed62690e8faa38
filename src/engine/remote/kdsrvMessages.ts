/** The texts of KD connection servers and of those who use one. */
export const kdsrvMessages = {
  started: (clientString: string) =>
    'KD connection server started.  Debuggers can connect with this command line\n' +
    `<debugger> -k kdsrv:server=@{${clientString}},trans=@{com:port=COM1,baud=115200}`,
  noPassword:
    'Warning: this server asks for no password, so anyone who reaches it can use the serial ports of this machine; ' +
    'add password=... to ask for one.',
  notHere: (name: string) =>
    name === 'CliCon'
      ? "'CliCon' does not go with a KD connection server: it waits for its clients."
      : `'${name}' does not go with a KD connection server; it is for debugging servers.`,
  notForClients: "'CliCon' does not go with 'kdsrv:': the KD connection server waits; use Server=HOST.",
  using: (who: string, link: string) => `${who} uses ${link}.`,
  left: (who: string, link: string, reason: string | undefined) =>
    reason === undefined ? `${who} has left ${link}.` : `${who} has left ${link}: ${reason}`,
  refused: (who: string, reason: string) => `${who} was refused: ${reason}`,

  noTrans: 'This is a KD connection server; it expects a target link (trans=).',
  badTrans: (reason: string) => `The KD connection server cannot use trans=: ${reason}`,
  onlyLinks: (name: string) => `A KD connection server lends serial ports, pipes and TCP links; not ${name}.`,
  noDevice: (port: string) =>
    `'${port}' has no name of a serial port; the KD connection server lends it only when started with -allow.`,
  needsTrust: (link: string) =>
    `The KD connection server lends ${link} only with a password (password= in its string) or when started with -allow.`,
  notAllowed: (link: string) => `The KD connection server was started with -allow, and not for ${link}.`,
  inUse: (link: string, who: string) => `${link} is in use by ${who}.`,
  full: (limit: number) => `The KD connection server lends ${limit} links already.`,

  name: (link: string, where: string) => `${link} through ${where}`,
  silent: (where: string) => `The KD connection server ${where} is silent.`,
  peerSilent: 'the debugger is silent.',
  noSense: (where: string) => `What ${where} sends is no target link.`,
  closed: (where: string) => `The KD connection server ${where} closed the connection.`,
};
