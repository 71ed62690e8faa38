/** `-k kdsrv:server=@{...},trans=@{...}`: the wire to a target that a KD connection server has. */
import { withLimit } from '../base/abort';
import { UserError } from '../base/errors';
import { oneLine } from '../session/text';
import type { WireSource } from '../target/kdConnection';
import { parseKernelConnection, type KernelConnection } from '../target/kernelConnection';
import type { Wire } from '../wire/wire';
import { clientHandshake, handshakeLimit, localIdentity, type Identity } from './handshake';
import { linkWire } from './kdsrvLink';
import { kdsrvMessages as messages } from './kdsrvMessages';
import { LineError, LineWire, parseLine } from './lineWire';
import { remoteMessages } from './messages';
import { resolvePassword } from './password';
import { parseClientString } from './sessionString';
import { transportOf } from './transports';

export type LentConnection = Extract<KernelConnection, { kind: 'kdsrv' }>;

export interface LentLinkOptions {
  /** Asks for the password when the string has `Password=*`; once, however often the link is opened. */
  readonly askPassword?: () => Promise<string>;
  readonly identity?: Identity;
  /** Told what the user should know of the way there (a certificate that is trusted from now on). */
  readonly notice?: (line: string) => void;
  /** Milliseconds between signs of life, and of silence until the link is given up. */
  readonly heartbeat?: { readonly interval: number; readonly limit: number };
}

/** Milliseconds the server may take to open its link. */
const openLimit = 20_000;

/** Checks the strings and asks for the password; nothing is opened yet. Rejects with a one-line UserError. */
export async function lentLink(
  { server, trans }: LentConnection,
  options: LentLinkOptions = {},
): Promise<WireSource> {
  const string = parseClientString(server);
  if (string.values.has('CliCon')) throw new UserError(messages.notForClients);
  const transport = transportOf(string.transport);
  const where = transport.carrier.where(string);
  const password = await resolvePassword(string.values.get('Password'), { ask: options.askPassword });
  const identity = options.identity ?? localIdentity();
  // Options of the link that are the debugger's business.
  const link = parseKernelConnection(trans, { _NT_DEBUG_PORT: 'com1' });
  const pipe = link.kind === 'pipe' ? link : undefined;
  let bytesPerSecond: number | undefined;
  let denied = false;
  const told = new Set<string>();
  return {
    name: messages.name(trans, where),
    /** A server that does not let us in will not do so the next time. */
    get keepTrying() {
      return (pipe?.reconnect ?? false) && !denied;
    },
    unlimitedResets: pipe?.unlimitedResets,
    get bytesPerSecond() {
      return bytesPerSecond;
    },
    open: async (signal) => {
      denied = false;
      const layer = await transport.clientLayer(string);
      const wire = await transport.carrier.connect(string, signal);
      denied = true;
      const late = () => new UserError(remoteMessages.noAnswer(where));
      const open = await layer.open(wire, withLimit(signal, handshakeLimit, late()));
      const entered = await clientHandshake(open, { where, identity, password, service: 'link', signal });
      denied = false;
      for (const line of layer.notices.filter((each) => !told.has(each))) {
        told.add(line);
        options.notice?.(line);
      }
      const lent = await ask(entered, where, trans, withLimit(signal, openLimit, late()));
      ({ bytesPerSecond } = lent);
      return linkWire(lent.wire, {
        silent: messages.silent(where),
        nonsense: messages.noSense(where),
        ...options.heartbeat,
      });
    },
  };
}

/** Asks for the link on a connection that is through the handshake; closes it and throws when it is not to be had. */
async function ask(
  wire: Wire,
  where: string,
  trans: string,
  signal: AbortSignal,
): Promise<{ readonly wire: Wire; readonly bytesPerSecond: number | undefined }> {
  const lines = new LineWire(wire);
  try {
    await lines.writeLine(JSON.stringify({ trans }));
    const { link, error, bytesPerSecond } = parseLine(await lines.readLine('{', signal));
    if (typeof error === 'string') throw new UserError(oneLine(error, 500));
    if (typeof link !== 'string') throw new LineError(messages.noSense(where), '');
    const rate = typeof bytesPerSecond === 'number' && bytesPerSecond > 0 ? bytesPerSecond : undefined;
    return { wire: lines.release(), bytesPerSecond: rate };
  } catch (error) {
    lines.close();
    if (!(error instanceof LineError)) throw error;
    const text = error.received === '' ? messages.closed(where) : messages.noSense(where);
    throw new UserError(text, { cause: error });
  }
}
