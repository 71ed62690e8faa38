/** Makes a certificate for a debugging server of one's own, signed by itself, into the user's certificate folder. */
import { KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorText, UserError } from '../../base/errors';
import { errorCode } from '../../wire/openErrors';
import { thumbprintOf } from './certificate';
import { certificateFolder } from './folders';
import { certificateMessages as messages } from './messages';

export interface CreatedCertificate {
  readonly name: string;
  readonly path: string;
  /** SHA-256 and SHA-1, lower-case hexadecimal digits. */
  readonly thumbprint: string;
  readonly thumbprint1: string;
  /** Strings to use: after `.server` and after `-remote`. */
  readonly serverString: string;
  readonly clientString: string;
}

const yearsValid = 5;
/** Some systems refuse certificates that begin now when clocks differ. */
const clockSkew = 24 * 3600_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** P-256, valid for 5 years; good for servers and, in mutual TLS, for clients. Throws UserError. */
export async function createCertificate(name: string): Promise<CreatedCertificate> {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(name) || name.endsWith(' ')) {
    throw new UserError(messages.badName(name.slice(0, 80)));
  }
  const folder = certificateFolder('user');
  const path = join(folder, `${name}.pem`);
  const pem = await selfSigned(name);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, pem, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw new UserError(messages.exists(path));
    throw new UserError(messages.unreadable(path, errorText(error)), { cause: error });
  }
  const certificate = new X509Certificate(pem);
  const thumbprint = thumbprintOf(certificate);
  return {
    name,
    path,
    thumbprint,
    thumbprint1: certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    serverString: `ssl:proto=tls,certuser=${name},port=5005`,
    clientString: `ssl:proto=tls,certuser=${thumbprint},port=5005,server=${hostname()}`,
  };
}

/** Certificate and key in one PEM text. */
export async function selfSigned(name: string): Promise<string> {
  // A dependency of the library asks for this one to be loaded first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const notBefore = new Date(Date.now() - clockSkew);
  const notAfter = new Date(notBefore);
  notAfter.setFullYear(notAfter.getFullYear() + yearsValid);
  const serial = randomBytes(16);
  // A serial number is positive.
  serial[0] = (serial[0] ?? 0) & 0x7f || 1;
  const { digitalSignature } = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial.toString('hex'),
      name: [{ CN: [name] }],
      notBefore,
      notAfter,
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
      ],
    },
    webcrypto,
  );
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return `${certificate.toString('pem').trim()}\n${key}`;
}
