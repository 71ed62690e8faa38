/** The source path of one client. */
import { describe, expect, it } from 'vitest';
import { LocalSource } from '../../../src/engine/session/localSource';

describe('LocalSource', () => {
  it('takes .lsrcpath and .lsrcfix and nothing else', () => {
    const local = new LocalSource('c:\\start');
    expect(local.run('.lsrcpath')).toBe('Local source search path is: c:\\start\n');
    expect(local.run(' .LSRCPATH c:\\a;;"c:\\b b" ')).toBe('Local source search path is: c:\\a;c:\\b b\n');
    expect(local.run('.lsrcpath+ c:\\c')).toBe('Local source search path is: c:\\a;c:\\b b;c:\\c\n');
    expect(local.run('.lsrcfix+ d')).toBe('Local source search path is: c:\\a;c:\\b b;c:\\c;srv*;d\n');
    expect(local.run('.lsrcfix')).toBe('Local source search path is: srv*\n');
    for (const other of ['.srcpath x', 'r', '.lsrcpathological', '* .lsrcpath x'])
      expect(local.run(other)).toBeUndefined();
    expect(local.path).toBe('srv*');
  });
});
