/** The texts about certificates and encryption, in one place. */

export const certificateMessages = {
  obsolete: (proto: string) => `Proto=${proto} is obsolete; TLS 1.2 or later is used.`,
  none: (wanted: string, folders: readonly string[]) =>
    `There is no certificate '${wanted}' with its key in ${folders.join(' or ')}; ` +
    'vskd -newcert NAME makes one.',
  noKey: (path: string) =>
    `The certificate in '${path}' has no private key beside it (NAME.key, or in the same file).`,
  wrongKey: (path: string) => `The private key beside '${path}' belongs to another certificate.`,
  unreadable: (path: string, reason: string) => `The certificate file '${path}' cannot be used: ${reason}`,
  worldReadable: (path: string) => `The private key in '${path}' is readable by others; run chmod 600 on it.`,
  unfit: (name: string, reason: string) =>
    `The certificate '${name}' ${reason}; make a new one (vskd -newcert).`,
  notForServers: (name: string) => `The certificate '${name}' is not meant for server authentication.`,
  notExportable: (wanted: string, reason: string) =>
    `The certificate '${wanted}' of the Windows store cannot be used: its key cannot be exported (${reason}); ` +
    'export it as a PFX file, or make another with vskd -newcert.',
  pfxPassword: (path: string) =>
    `The PFX file '${path}' cannot be opened; put its password into the environment variable VSKD_PFX_PASSWORD.`,
  exists: (path: string) => `'${path}' exists already; choose another name or delete it.`,
  badName: (name: string) =>
    `'${name}' is no name for a certificate; use up to 64 letters, digits, spaces, '.', '-' and '_'.`,

  wrongThumbprint: (where: string, wanted: string, found: string) =>
    `${where} has another certificate than you ask for (thumbprint ${found}, expected ${wanted}); not connected.`,
  otherName: (where: string, wanted: string, name: string) =>
    `${where} has a certificate for '${name}', not for '${wanted}'; not connected.`,
  unfitServer: (where: string, reason: string) => `The certificate of ${where} ${reason}; not connected.`,
  untrusted: (where: string, reason: string) =>
    `The certificate of ${where} is not signed by a CA that is trusted here (${reason}); not connected.`,
  firstUse: (where: string, thumbprint: string, file: string) =>
    `The certificate of ${where} is new here and will be trusted from now on; compare its thumbprint with the ` +
    `server's: ${thumbprint} (kept in ${file})`,
  changed: (where: string, now: string, before: string, file: string) =>
    `WARNING: THE CERTIFICATE OF ${where} HAS CHANGED; somebody may be listening in. It is ${now}, it was ${before}. ` +
    `Not connected. If the change is right, remove its line from ${file}.`,
  knownUnreadable: (file: string, reason: string) =>
    `The file of known servers '${file}' cannot be used: ${reason}`,
  otherProtocol: (where: string, proto: string) =>
    `${where} refuses Proto=${proto}; both sides must give the same word after Proto=.`,
  failed: (where: string, reason: string) => `No encrypted connection to ${where}: ${reason}.`,
};
