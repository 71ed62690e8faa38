/** The texts of the repeater. */
export const repeaterMessages = {
  started: (clientString: string, where: string) =>
    `Repeater started, to ${where}.  Client can connect with this command line\n<debugger> -remote ${clientString}`,
  forbidden: (name: string, leg: string) =>
    name === 'Password'
      ? `'Password' does not belong in the ${leg} string of a repeater: the debugging server asks, the client answers.`
      : `'${name}' does not go with a repeater, which is always hidden.`,
  encrypted: (transport: string) =>
    transport === 'ssl'
      ? 'A repeater passes ssl: connections on as they are; use tcp: in its strings.'
      : 'A repeater passes spipe: connections on as they are; use npipe: in its strings.',
  samePort: (port: string) => `Both sides of a repeater cannot use the same serial port (${port}).`,
  joined: (peer: string) => `${peer} connected.`,
  left: (peer: string, reason: string | undefined) =>
    reason === undefined ? `${peer} disconnected.` : `${peer} disconnected: ${reason}`,
  noServer: (peer: string, reason: string) => `${peer} was sent away: ${reason}`,
  full: (peer: string, limit: number) => `${peer} was sent away: ${limit} connections are open already.`,
  over: 'The repeater ends, because a side has closed (-p keeps it).',
};
