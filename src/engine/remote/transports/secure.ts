/**
 * What `ssl:` and `spipe:` add to their carriers: TLS 1.2 or later. The server shows the certificate that its string
 * names; the client checks that it is the one its own string names, and that somebody vouches for it: a thumbprint in
 * the string, a CA, or the first meeting.
 */
import { rootCertificates, type SecureVersion } from 'node:tls';
import { UserError } from '../../base/errors';
import { PROTOCOL_VERSION } from '../../session/protocol';
import { brokenError, errorCode } from '../../wire/openErrors';
import { secureClient, secureServer, type SecureClient } from '../../wire/tls';
import {
  asThumbprint,
  complaint,
  hasThumbprint,
  isNamed,
  nameOf,
  thumbprintOf,
} from '../certificates/certificate';
import { knownServersFile, knownThumbprint, rememberThumbprint } from '../certificates/knownServers';
import { certificateMessages as messages } from '../certificates/messages';
import { clientCredentials, readCa, serverCredentials } from '../certificates/store';
import { GreetingError, greetingLine } from '../handshake';
import { remoteMessages } from '../messages';
import type { SessionString } from '../sessionString';
import type { Carrier, ClientLayer, ServerLayer, Transport } from './transport';

interface Versions {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
}

/** By the word after `proto=`; the four documented ones are obsolete and stand for what is good today. */
const current: Versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' };
const versions: Readonly<Record<string, Versions>> = {
  tls: current,
  tls12: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
  tls13: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' },
};

/** First byte of every TLS connection: a handshake record. */
const handshakeRecord = 0x16;

export function secure(carrier: Carrier): Transport {
  return {
    carrier,
    serverLayer,
    clientLayer: (string) => clientLayer(string, carrier.where(string)),
  };
}

async function serverLayer(string: SessionString): Promise<ServerLayer> {
  const { values } = string;
  const { proto, notices, tls } = protocolOf(values);
  const machine = values.get('MachUser');
  const wanted = machine ?? values.get('CertUser') ?? '';
  const { context } = await serverCredentials(wanted, machine === undefined ? 'user' : 'machine');
  const caFile = values.get('Ca');
  const ca = caFile === undefined ? undefined : await readCa(caFile);
  const describe = describeFor('the client', proto);
  return {
    notices,
    authenticates: ca !== undefined,
    open: async (wire, signal) => {
      const first = (bytes: Uint8Array) => {
        if (bytes[0] === handshakeRecord) return undefined;
        // For a client of ours that came with tcp: or npipe:; what anybody else makes of it does not matter.
        wire.write(Buffer.from(`${greetingLine(PROTOCOL_VERSION)} tls\n`)).catch(() => {});
        return new UserError('The peer does not encrypt.');
      };
      const options = { ...tls, context: { ...context, ca }, askCertificate: ca !== undefined };
      const opened = await secureServer(wire, { ...options, signal, first, describe });
      if (ca === undefined || opened.trusted) return opened.wire;
      await opened.wire.write(Buffer.from(`${greetingLine(PROTOCOL_VERSION)} certificate\n`));
      opened.wire.close();
      throw new UserError('The peer has no certificate that is trusted.');
    },
  };
}

async function clientLayer({ transport, values }: SessionString, where: string): Promise<ClientLayer> {
  const { proto, notices, tls } = protocolOf(values);
  const caFile = values.get('Ca');
  // Giving any replaces those that are built in.
  const ca = caFile === undefined ? undefined : [...rootCertificates, await readCa(caFile)];
  const own = values.get('ClientCert');
  const context = own === undefined ? {} : (await clientCredentials(own)).context;
  const wanted = values.get('CertUser') ?? values.get('MachUser') ?? '';
  const describe = describeFor(where, proto);
  const first = (bytes: Uint8Array) =>
    Buffer.from(bytes).toString('latin1').startsWith(greetingLine(''))
      ? new UserError(remoteMessages.speaksPlain(where))
      : undefined;
  return {
    notices,
    open: async (wire, signal) => {
      const opened = await secureClient(wire, {
        ...tls,
        context: { ...context, ca },
        signal,
        first,
        describe,
      });
      try {
        const server = { where, key: `${transport} ${where}`, wanted, ca: ca !== undefined };
        const notice = await judge(opened, server);
        if (notice !== undefined) notices.push(notice);
        return opened.wire;
      } catch (error) {
        opened.wire.close();
        throw error;
      }
    },
  };
}

function protocolOf(values: ReadonlyMap<string, string>) {
  const proto = (values.get('Proto') ?? '').toLowerCase();
  const known = versions[proto];
  const notices: string[] = known ? [] : [messages.obsolete(proto)];
  // Both sides must give the same word, as documented: it is part of what they agree on.
  return { proto, notices, tls: { ...(known ?? current), protocol: `vscode-kd-${proto}` } };
}

interface ExpectedServer {
  readonly where: string;
  /** Its name in the file of known servers. */
  readonly key: string;
  /** Name or thumbprint in the client's string. */
  readonly wanted: string;
  /** The client's string names a CA, so nothing less will do. */
  readonly ca: boolean;
}

/** Throws UserError when the server's certificate is not to be trusted; returns what the user should know. */
async function judge(
  { certificate, distrust }: SecureClient,
  { where, key, wanted, ca }: ExpectedServer,
): Promise<string | undefined> {
  const reason = complaint(certificate);
  if (reason !== undefined) throw new UserError(messages.unfitServer(where, reason));
  const thumbprint = thumbprintOf(certificate);
  const digits = asThumbprint(wanted);
  if (digits !== undefined) {
    if (hasThumbprint(certificate, digits)) return undefined;
    const found =
      digits.length === 40 ? certificate.fingerprint.replaceAll(':', '').toLowerCase() : thumbprint;
    throw new UserError(messages.wrongThumbprint(where, digits, found));
  }
  if (!isNamed(certificate, wanted))
    throw new UserError(messages.otherName(where, wanted, nameOf(certificate)));
  if (distrust === undefined) return undefined;
  if (ca) throw new UserError(messages.untrusted(where, distrust));
  const file = knownServersFile();
  const before = await knownThumbprint(key);
  if (before === thumbprint) return undefined;
  if (before !== undefined) throw new UserError(messages.changed(where, thumbprint, before, file));
  await rememberThumbprint(key, thumbprint);
  return messages.firstUse(where, thumbprint, file);
}

/** OpenSSL's alerts, as far as they mean something to the user. */
function describeFor(where: string, proto: string): (error: Error) => Error {
  const broken = brokenError(where);
  return (error) => {
    if (error instanceof UserError) return error;
    const code = errorCode(error) ?? '';
    if (/NO_APPLICATION_PROTOCOL|PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code)) {
      return new UserError(messages.otherProtocol(where, proto), { cause: error });
    }
    if (code.startsWith('ERR_SSL') || code === '') {
      const text = error.message
        .replace(/^.*?:SSL routines:[^:]*:/, '')
        .replace(/:.*$/s, '')
        .slice(0, 100);
      return new GreetingError(messages.failed(where, text), { cause: error });
    }
    return broken(error);
  };
}
