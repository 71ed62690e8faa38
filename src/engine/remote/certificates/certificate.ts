/** What strings say of certificates: names, thumbprints, and what a certificate is good for. */
import type { X509Certificate } from 'node:crypto';

const serverAuthentication = '1.3.6.1.5.5.7.3.1';
const anyPurpose = '2.5.29.37.0';

/** Hexadecimal digits of a SHA-1 or SHA-256 thumbprint in lower case; undefined when `text` is none. */
export function asThumbprint(text: string): string | undefined {
  // The certificate dialog of Windows puts spaces between the bytes and an invisible mark in front.
  const digits = text.replace(/[\s:\u200e]/g, '').toLowerCase();
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(digits) ? digits : undefined;
}

/** SHA-256, as pinned and shown: 64 lower-case digits. */
export function thumbprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

export function hasThumbprint(certificate: X509Certificate, digits: string): boolean {
  const { fingerprint, fingerprint256 } = certificate;
  return [fingerprint, fingerprint256].some((each) => each.replaceAll(':', '').toLowerCase() === digits);
}

/** The common name, or the whole subject when it has none. */
export function nameOf({ subject }: X509Certificate): string {
  return commonName(subject) ?? subject?.replaceAll('\n', ', ') ?? '';
}

/** Whether it is called so: common name, DNS name or whole subject, without regard to case. */
export function isNamed({ subject, subjectAltName }: X509Certificate, name: string): boolean {
  const wanted = name.toLowerCase();
  const alternatives = (subjectAltName ?? '').split(', ').map((each) => each.replace(/^DNS:/, ''));
  const names = [commonName(subject), subject?.replaceAll('\n', ', '), ...alternatives];
  return names.some((each) => each !== undefined && each.toLowerCase() === wanted);
}

function commonName(subject: string | undefined): string | undefined {
  return /^CN=(.+)$/m.exec(subject ?? '')?.[1];
}

/** Why the certificate is of no use today; undefined when it is. */
export function complaint(certificate: X509Certificate, now = new Date()): string | undefined {
  if (new Date(certificate.validFrom) > now) return `is not valid before ${certificate.validFrom}`;
  if (new Date(certificate.validTo) < now) return `expired on ${certificate.validTo}`;
  return undefined;
}

/** A certificate that names its purposes must name this one. */
export function isForServers({ keyUsage }: X509Certificate): boolean {
  return keyUsage === undefined || keyUsage.includes(serverAuthentication) || keyUsage.includes(anyPurpose);
}
