import { describe, expect, it } from 'vitest';
import {
  fillPassword,
  hasPassword,
  maskPassword,
  passwordProblem,
  wantsPassword,
  writtenPassword,
} from '../../src/extension/passwordText';

describe('passwords in connection strings', () => {
  it.each([
    ['tcp:Port=5005,Server=h', 'tcp:Port=5005,Server=h'],
    ['tcp:Port=5005,Password=abc1,Server=h', 'tcp:Port=5005,Password=*,Server=h'],
    ['tcp:password = Abc , port=1', 'tcp:password = *, port=1'],
    ['npipe:PASSWORD=x', 'npipe:PASSWORD=*'],
    ['tcp:port=1,password=@env:KD', 'tcp:port=1,password=@env:KD'],
    // Another option whose name ends alike keeps its value.
    ['tcp:xpassword=abc', 'tcp:xpassword=abc'],
  ])('masks %s', (text, masked) => {
    expect(maskPassword(text)).toBe(masked);
    expect(maskPassword(masked)).toBe(masked);
  });

  it('tells a written password from a mask and a reference', () => {
    expect(writtenPassword('tcp:port=1,password=Abc')).toBe('Abc');
    expect(writtenPassword('tcp:port=1,password=*')).toBeUndefined();
    expect(writtenPassword('tcp:port=1,password=@/etc/kd')).toBeUndefined();
    expect(wantsPassword('tcp:port=1,Password=*,Server=h')).toBe(true);
    expect(wantsPassword('tcp:port=1')).toBe(false);
    expect(hasPassword('tcp:port=1,password=@/etc/kd')).toBe(true);
    expect(hasPassword('tcp:port=1')).toBe(false);
  });

  it('fills in without reading $ in the password as a pattern', () => {
    expect(fillPassword('tcp:Password=*,Port=1', '$1$&')).toBe('tcp:Password=$1$&,Port=1');
  });

  it('knows the rule for passwords', () => {
    expect(passwordProblem('abcdefghijkl')).toBeUndefined();
    expect(passwordProblem('abcdefghijklm')).toMatch(/12/);
    expect(passwordProblem('a b')).toMatch(/letters and digits/);
    expect(passwordProblem('')).toBeDefined();
  });
});
