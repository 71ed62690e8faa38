/** The name hash (version 1) of PDB tables, as in misc.h of microsoft-pdb. ASCII letters hash alike in both cases. */

const encoder = new TextEncoder();

export function nameHash(name: string): number {
  const bytes = encoder.encode(name);
  const view = new DataView(bytes.buffer);
  let hash = 0;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) hash ^= view.getUint32(at, true);
  if (at + 2 <= bytes.length) {
    hash ^= view.getUint16(at, true);
    at += 2;
  }
  if (at < bytes.length) hash ^= bytes[at] ?? 0;
  hash |= 0x2020_2020;
  hash ^= hash >>> 11;
  return (hash ^ (hash >>> 16)) >>> 0;
}
