import { describe, expect, it } from 'vitest';
import {
  asctime,
  countLines,
  debuggerTime,
  oneLine,
  pieces,
  printable,
} from '../../../src/engine/session/text';

describe('text helpers', () => {
  it('writes times as C and as WinDbg do', () => {
    expect(asctime(new Date(2018, 11, 9, 6, 3, 7))).toBe('Sun Dec  9 06:03:07 2018');
    expect(debuggerTime(new Date(2018, 1, 28, 17, 16, 23, 51))).toMatch(
      /^Wed Feb 28 17:16:23\.051 2018 \(UTC [+-] \d{1,2}:\d\d\)$/,
    );
  });

  it('makes text printable', () => {
    expect(printable('a\r\nb\rc\td\u0000\u009b\u202e')).toBe('a\nb\nc\td...');
    expect(oneLine('  a\n\tb\u001b  ', 10)).toBe('a b.');
    expect(oneLine('x'.repeat(20), 10)).toBe('x'.repeat(10));
  });

  it('cuts after lines, never inside a character', () => {
    expect(pieces('ab\ncdef\ng', 5)).toEqual(['ab\n', 'cdef\n', 'g']);
    expect(pieces('abc😀def', 4)).toEqual(['abc', '😀de', 'f']);
    expect(pieces('', 5)).toEqual(['']);
    expect(countLines('a\nb')).toBe(2);
    expect(countLines('a\nb\n')).toBe(2);
    expect(countLines('')).toBe(0);
  });
});
