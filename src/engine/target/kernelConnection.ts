/**
 * `-k` strings: every documented form of a kernel connection, as a typed value. Opening one is connection.ts; forms
 * that are not supported yet are understood all the same, so that the user is told what to use instead.
 */
import {
  numberCheck,
  parseConnectionString,
  type ConnectionGrammar,
  type ConnectionString,
} from '../base/connectionString';
import { UserError } from '../base/errors';

export type KernelConnection =
  | { readonly kind: 'serial'; readonly port: string; readonly baudRate: number }
  | {
      readonly kind: 'pipe';
      readonly path: string;
      readonly unlimitedResets: boolean;
      readonly reconnect: boolean;
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'demo' }
  /** Lent by a KD connection server: `server` is a client string, `trans` a `-k` string for that machine. */
  | { readonly kind: 'kdsrv'; readonly server: string; readonly trans: string }
  /** Understood, not supported yet; `advice` says what to use instead. */
  | { readonly kind: 'unsupported'; readonly name: string; readonly advice: string };

const baudRates = [9600, 19200, 38400, 57600, 115200];
const defaultBaudRate = 115200;

/** A check for the documented `resets=0`. */
const zero = (value: string) => (value === '0' ? undefined : '0 (no limit to the RESET packets)');

const baud = (value: string) =>
  /^\d{1,7}$/.test(value) && Number(value) >= 300 && Number(value) <= 4_000_000
    ? undefined
    : `a rate such as ${baudRates.join(', ')}`;

const networkKey = (value: string) =>
  /^[0-9a-z]{1,13}(\.[0-9a-z]{1,13}){3}$/i.test(value)
    ? undefined
    : 'four parts w.x.y.z of digits and letters';

const usbName = (value: string) =>
  /^[-\w]{1,24}$/.test(value) && !/debug/i.test(value)
    ? undefined
    : `up to 24 letters, digits, '-' and '_', without the word 'debug'`;

const grammar: ConnectionGrammar = {
  com: {
    options: [
      { name: 'port' },
      { name: 'baud', check: baud },
      { name: 'pipe', flag: true },
      { name: 'resets', check: zero },
      { name: 'reconnect', flag: true },
      { name: 'ipport', check: numberCheck('a TCP port', 1, 65535) },
      { name: 'modem', flag: true },
    ],
    check: checkCom,
    example: 'com:port=COM2,baud=115200 or com:pipe,port=\\\\.\\pipe\\NAME',
  },
  demo: { options: [], example: 'demo:' },
  net: {
    options: [
      { name: 'port', required: true, check: numberCheck('a UDP port', 1, 65535) },
      { name: 'key', required: true, secret: true, check: networkKey },
      { name: 'target' },
    ],
    example: 'net:port=50000,key=1.2.3.4',
  },
  usb: { options: [{ name: 'targetname', required: true, check: usbName }], example: 'usb:targetname=NAME' },
  usb2: {
    options: [{ name: 'targetname', required: true, check: usbName }],
    example: 'usb2:targetname=NAME',
  },
  1394: {
    options: [
      { name: 'channel', required: true, check: numberCheck('a channel', 0, 62) },
      { name: 'symlink' },
    ],
    example: '1394:channel=1',
  },
  kdsrv: {
    options: [
      { name: 'server', required: true, secret: true },
      { name: 'trans', required: true, secret: true },
    ],
    example: 'kdsrv:server=@{tcp:server=HOST,port=1234},trans=@{com:port=COM1,baud=115200}',
  },
  exdi: {
    options: [
      { name: 'CLSID', required: true },
      { name: 'Kd' },
      { name: 'InProc' },
      { name: 'DataBreaks' },
      { name: 'ForceX86', flag: true },
      { name: 'PathToSrvCfgFiles' },
    ],
    example: 'exdi:CLSID={29f9906e-9dbe-4d4b-b0fb-6acf7fb6d014},Kd=Guess',
  },
};

const otherWays = 'use com:port=, com:pipe,port= or com:ipport= instead';

/**
 * Parses a `-k` string; an empty one means the environment's. Throws a one-line UserError. `environment` holds the
 * documented fall-backs `_NT_DEBUG_PORT` and `_NT_DEBUG_BAUD_RATE`.
 */
export function parseKernelConnection(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): KernelConnection {
  if (text.trim() === '') {
    if (!environment._NT_DEBUG_PORT) {
      throw new UserError('No target is given; name one, for example com:port=COM2,baud=115200 or demo:');
    }
    return serial(new Map(), environment);
  }
  const { scheme, values }: ConnectionString = parseConnectionString(text, grammar);
  switch (scheme) {
    case 'demo':
      return { kind: 'demo' };
    case 'com':
      return com(values, environment);
    case 'net':
      return unsupported('Network debugging (net:)');
    case 'usb':
    case 'usb2':
      return unsupported(`USB debugging (${scheme}:)`);
    case '1394':
      return unsupported('1394 debugging (1394:)');
    case 'kdsrv':
      return kdsrv(values.get('server') ?? '', values.get('trans') ?? '');
    default:
      return unsupported('EXDI (exdi:)');
  }
}

function unsupported(name: string): KernelConnection {
  return { kind: 'unsupported', name, advice: otherWays };
}

/** The port and rate that `trans` leaves out are the other machine's. */
function kdsrv(server: string, trans: string): KernelConnection {
  const lent = parseKernelConnection(trans, { _NT_DEBUG_PORT: 'com1' });
  if (lent.kind === 'kdsrv') {
    throw new UserError(
      "'trans' names the link at the KD connection server itself; for example trans=@{com:port=COM1,baud=115200}",
    );
  }
  return lent.kind === 'unsupported' ? lent : { kind: 'kdsrv', server, trans };
}

function com(
  values: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): KernelConnection {
  const port = values.get('port') ?? '';
  if (values.has('modem')) return unsupported('A modem (com:modem)');
  if (values.has('pipe')) {
    return {
      kind: 'pipe',
      path: port,
      unlimitedResets: values.has('resets'),
      reconnect: values.has('reconnect'),
    };
  }
  const ipport = values.get('ipport');
  if (ipport !== undefined) return { kind: 'tcp', host: port.replace(/^\\\\/, ''), port: Number(ipport) };
  return serial(values, environment);
}

function serial(
  values: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): KernelConnection {
  const port = values.get('port') ?? environment._NT_DEBUG_PORT?.trim();
  if (!port) {
    throw new UserError(
      `'com:' needs port=, for example com:port=COM2,baud=115200 (or the variable _NT_DEBUG_PORT).`,
    );
  }
  if (/^\d+$/.test(port)) throw new UserError(`Bad value '${port}' for 'port'; write com${port}.`);
  const rate = values.get('baud') ?? environment._NT_DEBUG_BAUD_RATE?.trim() ?? '';
  const wrong = rate === '' ? undefined : baud(rate);
  if (wrong !== undefined)
    throw new UserError(`Bad value '${rate}' of _NT_DEBUG_BAUD_RATE; expected ${wrong}.`);
  return { kind: 'serial', port: portPath(port), baudRate: rate === '' ? defaultBaudRate : Number(rate) };
}

/** `com2` and `\\.\com2` are COM2; device paths stay. */
function portPath(port: string): string {
  const name = /^(?:\\\\\.\\)?(com\d{1,3})$/i.exec(port)?.[1];
  return name === undefined ? port : name.toUpperCase();
}

function checkCom(values: ReadonlyMap<string, string>): string | undefined {
  const kinds = ['pipe', 'ipport', 'modem'].filter((name) => values.has(name));
  if (kinds.length > 1) return `'${kinds[0]}' and '${kinds[1]}' exclude each other.`;
  const kind = kinds[0] ?? 'serial';
  const example = { pipe: 'com:pipe,port=\\\\.\\pipe\\NAME', ipport: 'com:ipport=5555,port=HOST' };
  if ((kind === 'pipe' || kind === 'ipport') && !values.has('port')) {
    return `'com:${kind}' needs port=; for example ${example[kind]}`;
  }
  for (const name of ['resets', 'reconnect']) {
    if (values.has(name) && kind !== 'pipe')
      return `'${name}' goes with 'pipe' only: ${example.pipe},${name === 'resets' ? 'resets=0' : name}`;
  }
  if (values.has('baud') && kind !== 'serial' && kind !== 'modem')
    return `'baud' does not go with '${kind}'.`;
  return undefined;
}
