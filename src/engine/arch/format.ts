/** How addresses are spelled to the user. */

/** 64-bit addresses in two halves: fffff800`00001000. Negative values are taken modulo 2^64. */
export function formatAddress(value: bigint): string {
  const digits = BigInt.asUintN(64, value).toString(16).padStart(16, '0');
  return `${digits.slice(0, 8)}\`${digits.slice(8)}`;
}

export function hexBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
