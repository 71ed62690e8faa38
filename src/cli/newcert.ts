/** `vskd -newcert NAME`: makes a certificate for ssl: and spipe: servers, and says how to use it. */
import { createCertificate } from '../engine/remote/certificates/create';

/** Returns what is printed. Throws UserError when the name will not do, or there is such a certificate already. */
export async function newCertificateText(name: string): Promise<string> {
  const { path, thumbprint, thumbprint1, serverString, clientString } = await createCertificate(name);
  const quoted = (string: string) => (/\s/.test(string) ? `"${string}"` : string);
  return [
    `Certificate '${name}' with its private key is in ${path}`,
    `Thumbprint (SHA-256): ${thumbprint}`,
    `Thumbprint (SHA-1):   ${thumbprint1}`,
    'Debugging server:',
    `  .server ${serverString}`,
    `  vskd -server ${quoted(serverString)} -k ...`,
    'Debugging client, which then takes no other certificate:',
    `  vskd -remote ${quoted(clientString)}`,
    '',
  ].join('\n');
}
