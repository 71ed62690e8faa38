/**
 * Finds a certificate with its private key, by name or thumbprint: in the certificate folder of the user or the
 * machine (`NAME.pem` with both, `NAME.crt` beside `NAME.key`, `NAME.pfx`), and on Windows in the system's stores.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { errorText, UserError } from '../../base/errors';
import { errorCode } from '../../wire/openErrors';
import { asThumbprint, complaint, hasThumbprint, isForServers, isNamed, nameOf } from './certificate';
import { certificateFolder, type CertificateStore } from './folders';
import { certificateMessages as messages } from './messages';
import { readPfx } from './pfx';
import { exportFromWindows } from './windowsStore';

export interface Credentials {
  readonly certificate: X509Certificate;
  readonly context: Pick<SecureContextOptions, 'cert' | 'key' | 'pfx' | 'passphrase'>;
}

const maxFiles = 1000;
const maxFileSize = 1 << 20;
const pemFiles = ['.pem', '.crt', '.cer'];
const pfxFiles = ['.pfx', '.p12'];

/** The certificate a server shows. Throws UserError when there is none, or none that is of use. */
export async function serverCredentials(wanted: string, store: CertificateStore): Promise<Credentials> {
  const found = await findCredentials(wanted, [store]);
  if (!isForServers(found.certificate)) throw new UserError(messages.notForServers(wanted));
  return found;
}

/** The certificate a client shows: a file, or looked up for the user and then for the machine. */
export async function clientCredentials(wanted: string): Promise<Credentials> {
  if (/[\\/]/.test(wanted)) return usable(await readCredentials(wanted), wanted);
  return findCredentials(wanted, ['user', 'machine']);
}

/** Certificates of a file given by the user, in PEM. */
export async function readCa(path: string): Promise<string> {
  const text = await readText(path);
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new UserError(messages.unreadable(path, 'it has no certificate in PEM form.'));
  }
  return text;
}

async function findCredentials(wanted: string, stores: readonly CertificateStore[]): Promise<Credentials> {
  let trouble: unknown;
  for (const store of stores) {
    for (const path of await candidates(certificateFolder(store), wanted)) {
      try {
        const read = await readCredentials(path);
        if (matches(read.certificate, path, wanted)) return usable(read, wanted);
      } catch (error) {
        if (baseOf(path) === wanted.toLowerCase()) throw error;
        // Of files that only might have been meant, the trouble is told when nothing else is found.
        trouble ??= error;
      }
    }
    if (process.platform === 'win32') {
      const exported = await exportFromWindows(wanted, store);
      if (exported) return usable(await readPfx(exported.pfx, exported.passphrase, wanted), wanted);
    }
  }
  throw trouble ?? new UserError(messages.none(wanted, stores.map(certificateFolder)));
}

function matches(certificate: X509Certificate, path: string, wanted: string): boolean {
  const digits = asThumbprint(wanted);
  return digits === undefined
    ? baseOf(path) === wanted.toLowerCase() || isNamed(certificate, wanted)
    : hasThumbprint(certificate, digits);
}

function usable(credentials: Credentials, wanted: string): Credentials {
  const reason = complaint(credentials.certificate);
  if (reason !== undefined)
    throw new UserError(messages.unfit(nameOf(credentials.certificate) || wanted, reason));
  return credentials;
}

/** Files of the folder that may hold the certificate, the one of that name first. */
async function candidates(folder: string, wanted: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return [];
    throw new UserError(messages.unreadable(folder, errorText(error)), { cause: error });
  }
  const known = [...pemFiles, ...pfxFiles];
  const files = names.filter((name) => known.includes(extname(name).toLowerCase())).slice(0, maxFiles);
  const chosen = files.filter((name) => baseOf(name) === wanted.toLowerCase());
  return [...chosen, ...files.filter((name) => !chosen.includes(name)).sort()].map((name) =>
    join(folder, name),
  );
}

async function readCredentials(path: string): Promise<Credentials> {
  if (pfxFiles.includes(extname(path).toLowerCase())) {
    return readPfx(await readBytes(path), process.env['VSKD_PFX_PASSWORD'] ?? '', path);
  }
  const cert = await readText(path);
  const keyPath = cert.includes('PRIVATE KEY-----') ? path : path.replace(/\.[^.]+$/, '.key');
  const key = keyPath === path ? cert : await readText(keyPath).catch(() => undefined);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch (error) {
    throw new UserError(messages.unreadable(path, errorText(error)), { cause: error });
  }
  if (key === undefined) throw new UserError(messages.noKey(path));
  await checkMode(keyPath);
  let fits: boolean;
  try {
    fits = certificate.checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw new UserError(messages.unreadable(keyPath, errorText(error)), { cause: error });
  }
  if (!fits) throw new UserError(messages.wrongKey(path));
  return { certificate, context: { cert, key } };
}

async function checkMode(path: string): Promise<void> {
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o004) !== 0) {
    throw new UserError(messages.worldReadable(path));
  }
}

async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8');
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > maxFileSize) throw new Error('it is larger than 1 MB.');
    return await readFile(path);
  } catch (error) {
    throw new UserError(messages.unreadable(path, errorText(error)), { cause: error });
  }
}

function baseOf(path: string): string {
  return basename(path, extname(path)).toLowerCase();
}
