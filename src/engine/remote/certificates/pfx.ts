/** Reads PFX (PKCS #12) files. Node can use them but not look into them, so the certificate is shown by TLS itself. */
import { UserError } from '../../base/errors';
import { memoryWirePair } from '../../wire/memory';
import { secureClient, secureServer, type TlsOptions } from '../../wire/tls';
import { certificateMessages as messages } from './messages';
import type { Credentials } from './store';

/** Throws UserError when the password is wrong or the contents are. */
export async function readPfx(pfx: Buffer, passphrase: string, path: string): Promise<Credentials> {
  const context = { pfx, passphrase };
  const [near, far] = memoryWirePair();
  const common: Omit<TlsOptions, 'context'> = {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    protocol: 'vscode-kd-pfx',
    signal: AbortSignal.timeout(5000),
    describe: (error) => error,
  };
  try {
    const [client] = await Promise.all([
      secureClient(near, { ...common, context: {} }),
      secureServer(far, { ...common, context, askCertificate: false }),
    ]);
    return { certificate: client.certificate, context };
  } catch (error) {
    throw new UserError(messages.pfxPassword(path), { cause: error });
  } finally {
    near.close();
    far.close();
  }
}
