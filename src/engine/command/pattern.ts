/**
 * Wildcards as commands use them: `*` any text, `?` any character, `[a-z]` one of these. Case does not matter. The
 * matcher needs no more than length × length steps, whatever the pattern.
 */

type Piece = { readonly kind: 'star' } | { readonly kind: 'one'; accepts(character: string): boolean };

export function wildcard(pattern: string): (text: string) => boolean {
  const pieces = parse(pattern.toLowerCase());
  return (text) => matches(pieces, text.toLowerCase());
}

function parse(pattern: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern.charAt(i);
    const close = pattern.indexOf(']', i + 2);
    if (character === '*') {
      pieces.push({ kind: 'star' });
    } else if (character === '?') {
      pieces.push({ kind: 'one', accepts: () => true });
    } else if (character === '[' && close > 0) {
      pieces.push({ kind: 'one', accepts: characterSet(pattern.slice(i + 1, close)) });
      i = close;
    } else {
      const literal = character === '\\' && i + 1 < pattern.length ? pattern.charAt(++i) : character;
      pieces.push({ kind: 'one', accepts: (other) => other === literal });
    }
  }
  return pieces;
}

function characterSet(text: string): (character: string) => boolean {
  const ranges = [...text.matchAll(/(.)-(.)|(.)/gs)].map(
    ([, from, to, one]) => [from ?? one ?? '', to ?? one ?? ''] as const,
  );
  return (character) => ranges.some(([from, to]) => character >= from && character <= to);
}

function matches(pieces: readonly Piece[], text: string): boolean {
  let piece = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < text.length) {
    const current = pieces[piece];
    if (current?.kind === 'star') {
      star = piece++;
      starAt = at;
    } else if (current?.kind === 'one' && current.accepts(text.charAt(at))) {
      piece++;
      at++;
    } else if (star >= 0) {
      piece = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (pieces[piece]?.kind === 'star') piece++;
  return piece === pieces.length;
}
