/**
 * The strings after `.server`, `-server`, `-remote` and in *Connect to Remote Session*: what each of the five
 * transports takes on either side, and how a server's string is shown. Syntax as documented for WinDbg ("Activating a
 * Debugging Server", "Activating a Debugging Client"); `bind=`, `advertise`, `ca=`,
 * `clientcert=` and `password=@FILE`, `@env:NAME` are ours.
 */
import {
  numberCheck,
  parseConnectionString,
  type ConnectionGrammar,
  type ConnectionOption,
  type ConnectionScheme,
} from '../base/connectionString';

export type SessionTransport = 'tcp' | 'npipe' | 'com' | 'spipe' | 'ssl';

export interface SessionString {
  readonly transport: SessionTransport;
  /** By canonical name, see the grammars below: `Port`, `Server`, `Pipe`, `Password`, ... */
  readonly values: ReadonlyMap<string, string>;
}

export interface ClientString extends SessionString {
  /** Something around the string, or `\\` before the server's name, was dropped: a dialog may want to say so. */
  readonly cleaned: boolean;
}

/** Longest password written in a string, by the documented rule. */
const maxWrittenPassword = 12;
const pipeName = (value: string) =>
  /[\s"'`]/.test(value) ? 'a pipe name without spaces and quotation marks' : undefined;
const hostName = (value: string) =>
  /^(\\\\)?[^\s\\/"',]{1,255}$/.test(value) ? undefined : 'a host name or an IP address';

const password: ConnectionOption = { name: 'Password', secret: true, check: checkPassword };
const people: readonly ConnectionOption[] = [
  password,
  { name: 'Observer', secret: true, check: checkPassword },
  { name: 'Trust', check: (value) => (/^(full|none)$/i.test(value) ? undefined : 'full or none') },
];
const hidden: ConnectionOption = { name: 'Hidden', flag: true };
const advertise: ConnectionOption = { name: 'Advertise', flag: true };
const firewall: ConnectionOption = { name: 'IcfEnable', flag: true };
const listenPort: ConnectionOption = { name: 'Port', required: true, check: (value) => checkPorts(value, 0) };
const dialPort: ConnectionOption = { name: 'Port', required: true, check: (value) => checkPorts(value, 1) };
const pipe: ConnectionOption = { name: 'Pipe', required: true, check: pipeName };
const server: ConnectionOption = { name: 'Server', check: hostName };
const reverse: ConnectionOption = { name: 'CliCon', check: hostName };
const bind: ConnectionOption = { name: 'Bind', check: hostName };
const ipVersion: ConnectionOption = {
  name: 'IpVersion',
  check: (value) => (value === '6' ? undefined : '6'),
};
const serial: readonly ConnectionOption[] = [
  { name: 'Port', required: true, check: checkComPort },
  { name: 'Baud', required: true, check: numberCheck('a rate', 1, 100_000_000) },
  { name: 'Channel', required: true, check: numberCheck('a channel', 0, 254) },
];
const certificate: readonly ConnectionOption[] = [
  { name: 'Proto', required: true, check: checkProtocol },
  { name: 'CertUser' },
  { name: 'MachUser' },
  { name: 'Ca' },
];
const clientCertificate: ConnectionOption = { name: 'ClientCert' };

const serverGrammar: ConnectionGrammar = {
  tcp: {
    options: [listenPort, reverse, bind, hidden, advertise, ...people, ipVersion, firewall],
    check: (values) => checkServer(values) ?? checkReverseServer(values),
    example: 'tcp:port=5005',
  },
  npipe: {
    options: [pipe, hidden, advertise, ...people, firewall],
    check: checkServer,
    example: 'npipe:pipe=NAME',
  },
  com: {
    options: [...serial, hidden, ...people],
    check: checkServer,
    example: 'com:port=COM1,baud=115200,channel=0',
  },
  spipe: {
    options: [...certificate, pipe, hidden, advertise, ...people],
    check: (values) => checkCertificate(values) ?? checkServer(values),
    example: 'spipe:proto=tls1,certuser=NAME,pipe=NAME',
  },
  ssl: {
    options: [...certificate, listenPort, reverse, bind, hidden, advertise, ...people],
    check: (values) => checkCertificate(values) ?? checkServer(values) ?? checkReverseServer(values),
    example: 'ssl:proto=tls1,certuser=NAME,port=5005',
  },
} satisfies Record<SessionTransport, ConnectionScheme>;

const clientGrammar: ConnectionGrammar = {
  tcp: {
    options: [dialPort, server, reverse, password, ipVersion],
    check: checkPeer,
    example: 'tcp:Port=5005,Server=HOST',
  },
  npipe: {
    options: [pipe, { ...server, required: true }, password],
    example: 'npipe:Pipe=NAME,Server=HOST',
  },
  com: { options: [...serial, password], example: 'com:Port=COM1,Baud=115200,Channel=0' },
  spipe: {
    options: [...certificate, clientCertificate, pipe, { ...server, required: true }, password],
    check: checkCertificate,
    example: 'spipe:Proto=tls1,CertUser=NAME,Pipe=NAME,Server=HOST',
  },
  ssl: {
    options: [...certificate, clientCertificate, dialPort, server, reverse, password],
    check: (values) => checkCertificate(values) ?? checkPeer(values),
    example: 'ssl:Proto=tls1,CertUser=NAME,Port=5005,Server=HOST',
  },
} satisfies Record<SessionTransport, ConnectionScheme>;

/** Throws a one-line UserError that names the wrong part, its column and what would be right. */
export function parseServerString(text: string): SessionString {
  const { scheme, values } = parseConnectionString(text.trim(), serverGrammar);
  return { transport: scheme as SessionTransport, values };
}

/** Takes what people paste, see `cleanClientString`. Throws as `parseServerString` does. */
export function parseClientString(text: string): ClientString {
  const cleaned = cleanClientString(text);
  const { scheme, values } = parseConnectionString(cleaned, clientGrammar);
  return { transport: scheme as SessionTransport, values, cleaned: cleaned !== text.trim() };
}

/** What may stand before the string in a line printed by a debugger, or be typed with it. */
const lead =
  /^(?:\d{1,9}\s*:\s*<debugger>|\d{1,9}\s*-\s*(?=Debugger Server))?\s*(?:Debugger Server\s*-\s*)?(?:[-/]remote\s+)?/i;
const longestPaste = 64 * 1024;

/**
 * The bare client string in a pasted text: `0: <debugger> -remote tcp:...`, `0 - Debugger Server - tcp:...`,
 * `-remote tcp:...`, the whole answer of `.server`; quotation marks around it and `\\` before the host go too.
 */
export function cleanClientString(text: string): string {
  const lines = text.slice(0, longestPaste).split(/[\r\n]+/);
  const chosen =
    lines.length === 1 ? text : (lines.find((line) => /\b(?:tcp|npipe|com|spipe|ssl):/i.test(line)) ?? text);
  const bare = chosen.trim().replace(lead, '').trim();
  const quoted = /^(["'])(.*)\1$/s.exec(bare);
  return (quoted?.[2] ?? bare).trim().replace(/([:,]\s*(?:server|clicon)\s*=\s*)\\\\/i, '$1');
}

export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** `5005` or `51:60`; the text has passed the grammar. */
export function portRange(values: ReadonlyMap<string, string>): PortRange {
  const [low = '0', high] = (values.get('Port') ?? '').split(':');
  return { low: Number(low), high: Number(high ?? low) };
}

/** A host's name without the `\\` that may stand before it. */
export function hostOf(
  values: ReadonlyMap<string, string>,
  name: 'Server' | 'CliCon' | 'Bind',
): string | undefined {
  return values
    .get(name)
    ?.replace(/^\\\\/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

/** The order in which a server's options are shown; the rest is not for clients. */
const shownOrder = ['Proto', 'CertUser', 'MachUser', 'Port', 'Pipe', 'Baud', 'Channel', 'CliCon'];

/** A server as `.servers` lists it: `tcp:Port=5005,Password=*`. `port` is the one in use. */
export function formatServerString({ transport, values }: SessionString, port?: number): string {
  const parts = shownOrder.flatMap((name) => {
    const value = name === 'Port' && port !== undefined ? shownPort(values, port) : values.get(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  if (values.has('Password')) parts.push('Password=*');
  return `${transport}:${parts.join(',')}`;
}

/** What a client of the server gives after `-remote `: the same with `Server=HOST` at the end. */
export function formatClientString(string: SessionString, host: string, port?: number): string {
  if (string.transport === 'com') return formatServerString(string);
  if (!string.values.has('CliCon')) return `${formatServerString(string, port)},Server=${host}`;
  const values = new Map([...string.values, ['CliCon', host]]);
  return formatServerString({ transport: string.transport, values }, port);
}

/** Of a range the port in use comes first and the second number means nothing, as documented. */
function shownPort(values: ReadonlyMap<string, string>, port: number): string {
  const { low, high } = portRange(values);
  return low === high ? String(port) : `${port}:${high}`;
}

function checkPorts(value: string, lowest: number): string | undefined {
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(value);
  const low = Number(match?.[1]);
  const high = Number(match?.[2] ?? low);
  if (match && low >= lowest && high <= 65_535 && low <= high && (low > 0 || match[2] === undefined))
    return undefined;
  return `a port from ${lowest} to 65535 or a range LOW:HIGH`;
}

function checkComPort(value: string): string | undefined {
  return /^(?:(?:\\\\\.\\)?(?:com)?\d{1,3}|\/[^\s"']+)$/i.test(value)
    ? undefined
    : 'COM2, 2 or a device path';
}

function checkProtocol(value: string): string | undefined {
  const known = ['tls1', 'pct1', 'ssl2', 'ssl3', 'tls', 'tls12', 'tls13'];
  return known.includes(value.toLowerCase()) ? undefined : `one of ${known.join(', ')}`;
}

function checkPassword(value: string): string | undefined {
  if (value === '*' || /^@env:\w{1,128}$/.test(value) || /^@(?!env:)./.test(value)) return undefined;
  if (new RegExp(`^[A-Za-z0-9]{1,${maxWrittenPassword}}$`).test(value)) return undefined;
  return `1 to ${maxWrittenPassword} letters and digits, @FILE, @env:NAME or *`;
}

function checkServer(values: ReadonlyMap<string, string>): string | undefined {
  if (values.has('Observer') && !values.has('Password'))
    return "'Observer' needs 'Password' too, or whoever gives none would have control.";
  if (values.has('Advertise') && values.has('Hidden')) return "'Advertise' and 'Hidden' exclude each other.";
  return undefined;
}

function checkReverseServer(values: ReadonlyMap<string, string>): string | undefined {
  if (!values.has('CliCon')) return undefined;
  const bad = ['Hidden', 'Advertise', 'IcfEnable', 'Bind'].find((name) => values.has(name));
  if (bad) return `'${bad}' does not go with 'CliCon': a reverse connection does not listen.`;
  const { low, high } = portRange(values);
  return low === high && low > 0 ? undefined : "With 'CliCon' the server needs the one port of the client.";
}

function checkPeer(values: ReadonlyMap<string, string>): string | undefined {
  if (values.has('Server') === values.has('CliCon')) {
    return values.has('Server')
      ? "Give either 'Server' or 'CliCon', not both."
      : 'The name of the server is missing; add Server=HOST.';
  }
  return undefined;
}

function checkCertificate(values: ReadonlyMap<string, string>): string | undefined {
  if (values.has('CertUser') !== values.has('MachUser')) return undefined;
  return values.has('CertUser')
    ? "Give either 'CertUser' or 'MachUser', not both."
    : 'The certificate is missing; add CertUser=NAME or MachUser=NAME.';
}
