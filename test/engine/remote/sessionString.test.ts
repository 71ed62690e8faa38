import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/engine/base/errors';
import {
  cleanClientString,
  formatClientString,
  formatServerString,
  hostOf,
  parseClientString,
  parseServerString,
} from '../../../src/engine/remote/sessionString';

const client = (text: string) => {
  const { transport, values } = parseClientString(text);
  return { transport, ...Object.fromEntries(values) };
};
const server = (text: string) => {
  const { transport, values } = parseServerString(text);
  return { transport, ...Object.fromEntries(values) };
};

describe('session strings', () => {
  it.each([
    ['tcp:port=5005', { transport: 'tcp', Port: '5005' }],
    ['TCP:PORT=51:60, Hidden, IcfEnable', { transport: 'tcp', Port: '51:60', Hidden: '', IcfEnable: '' }],
    [
      'tcp:port=0,bind=127.0.0.1,ipversion=6',
      { transport: 'tcp', Port: '0', Bind: '127.0.0.1', IpVersion: '6' },
    ],
    ['tcp:port=1,advertise', { transport: 'tcp', Port: '1', Advertise: '' }],
    ['tcp:port=5005,clicon=\\\\BOX', { transport: 'tcp', Port: '5005', CliCon: '\\\\BOX' }],
    ['tcp:port=1,password=abcdefghijkl', { transport: 'tcp', Port: '1', Password: 'abcdefghijkl' }],
    ['tcp:port=1,password=@env:PW_1', { transport: 'tcp', Port: '1', Password: '@env:PW_1' }],
    ['npipe:pipe=dbg_%x', { transport: 'npipe', Pipe: 'dbg_%x' }],
    [
      'com:port=com2,baud=115200,channel=254',
      { transport: 'com', Port: 'com2', Baud: '115200', Channel: '254' },
    ],
    ['com:port=2,baud=1,channel=0', { transport: 'com', Port: '2', Baud: '1', Channel: '0' }],
    [
      'ssl:proto=tls1,machuser=ab 38 CD,port=1234',
      { transport: 'ssl', Proto: 'tls1', MachUser: 'ab 38 CD', Port: '1234' },
    ],
    ['spipe:proto=ssl3,certuser=me,pipe=x', { transport: 'spipe', Proto: 'ssl3', CertUser: 'me', Pipe: 'x' }],
  ])('reads server string %s', (text, expected) => {
    expect(server(text)).toEqual(expected);
  });

  it.each([
    [
      'tcp:port=70000',
      "Bad value '70000' for 'Port' (column 5); expected a port from 0 to 65535 or a range LOW:HIGH.",
    ],
    [
      'tcp:port=60:51',
      "Bad value '60:51' for 'Port' (column 5); expected a port from 0 to 65535 or a range LOW:HIGH.",
    ],
    ['tcp:', "'tcp:' needs Port=; for example tcp:port=5005"],
    [
      'tcp:port=1,password=abcdefghijklm',
      "Bad value for 'Password' (column 12); expected 1 to 12 letters and digits, @FILE, @env:NAME or *.",
    ],
    [
      'npipe:pipe=a b',
      "Bad value 'a b' for 'Pipe' (column 7); expected a pipe name without spaces and quotation marks.",
    ],
    [
      'npipe:pipe=a"b',
      `Bad value 'a"b' for 'Pipe' (column 7); expected a pipe name without spaces and quotation marks.`,
    ],
    [
      'com:port=2,baud=9600,channel=255',
      "Bad value '255' for 'Channel' (column 22); expected a channel from 0 to 254.",
    ],
    [
      'com:port=2,baud=9600,channel=-1',
      "Bad value '-1' for 'Channel' (column 22); expected a channel from 0 to 254.",
    ],
    ['ssl:certuser=me,port=1', "'ssl:' needs Proto=; for example ssl:proto=tls1,certuser=NAME,port=5005"],
    ['ssl:proto=tls1,port=1', 'The certificate is missing; add CertUser=NAME or MachUser=NAME.'],
    [
      'tcp:port=5,clicon=A,advertise',
      "'Advertise' does not go with 'CliCon': a reverse connection does not listen.",
    ],
    ['tcp:port=5,hidden,advertise', "'Advertise' and 'Hidden' exclude each other."],
    [
      'tcp:port=5,clicon=A,hidden',
      "'Hidden' does not go with 'CliCon': a reverse connection does not listen.",
    ],
    ['tcp:port=5:9,clicon=A', "With 'CliCon' the server needs the one port of the client."],
    ['udp:port=1', "Unknown transport 'udp' (column 1); expected tcp:, npipe:, com:, spipe:, ssl:."],
  ])('refuses server string %s', (text, message) => {
    expect(() => parseServerString(text)).toThrow(new UserError(message));
  });

  it.each([
    'tcp:Port=5005,Server=HOST',
    'tcp:server=HOST,port=5005',
    'tcp:server=\\\\HOST, port=5005',
    ' -remote tcp:Port=5005,Server=HOST\n',
    '0: <debugger> -remote tcp:Port=5005,Server=HOST',
    '"tcp:Port=5005,Server=HOST"',
    '-remote "tcp:Port=5005,Server=HOST"',
    'Server started.  Client can connect with any of these command lines\n0: <debugger> -remote tcp:Port=5005,Server=HOST\n',
  ])('takes the pasted %j', (text) => {
    expect(client(text)).toEqual({ transport: 'tcp', Port: '5005', Server: 'HOST' });
  });

  it('says when something was dropped', () => {
    expect(parseClientString('tcp:Port=1,Server=H').cleaned).toBe(false);
    expect(parseClientString('tcp:Port=1,Server=\\\\H').cleaned).toBe(true);
    expect(parseClientString('0: <debugger> -remote tcp:Port=1,Server=H').cleaned).toBe(true);
    expect(cleanClientString('0 - Debugger Server - tcp:Port=7')).toBe('tcp:Port=7');
    expect(cleanClientString('nonsense')).toBe('nonsense');
  });

  it.each([
    ['0 - Debugger Server - tcp:Port=7', 'The name of the server is missing; add Server=HOST.'],
    ['tcp:port=5,server=a,clicon=b', "Give either 'Server' or 'CliCon', not both."],
    [
      'tcp:port=0,server=a',
      "Bad value '0' for 'Port' (column 5); expected a port from 1 to 65535 or a range LOW:HIGH.",
    ],
    ['npipe:pipe=x', "'npipe:' needs Server=; for example npipe:Pipe=NAME,Server=HOST"],
    ['5005', "'5005' has no transport (column 1); expected tcp:, npipe:, com:, spipe:, ssl:."],
  ])('refuses client string %s', (text, message) => {
    expect(() => parseClientString(text)).toThrow(new UserError(message));
  });

  it.each([
    ['tcp:port=5005', 5005, 'tcp:Port=5005', 'tcp:Port=5005,Server=H'],
    ['tcp:port=51:60', 53, 'tcp:Port=53:60', 'tcp:Port=53:60,Server=H'],
    ['tcp:port=0,hidden', 40001, 'tcp:Port=40001', 'tcp:Port=40001,Server=H'],
    ['tcp:password=x,port=5', 5, 'tcp:Port=5,Password=*', 'tcp:Port=5,Password=*,Server=H'],
    [
      'npipe:pipe=tiger,password=x',
      undefined,
      'npipe:Pipe=tiger,Password=*',
      'npipe:Pipe=tiger,Password=*,Server=H',
    ],
    [
      'com:port=COM1,baud=9600,channel=1',
      undefined,
      'com:Port=COM1,Baud=9600,Channel=1',
      'com:Port=COM1,Baud=9600,Channel=1',
    ],
    [
      'ssl:proto=tls1,certuser=C,port=9',
      9,
      'ssl:Proto=tls1,CertUser=C,Port=9',
      'ssl:Proto=tls1,CertUser=C,Port=9,Server=H',
    ],
    ['tcp:port=5,clicon=A', 5, 'tcp:Port=5,CliCon=A', 'tcp:Port=5,CliCon=H'],
  ])('shows %s', (text, port, listed, forClient) => {
    const string = parseServerString(text);
    expect(formatServerString(string, port)).toBe(listed);
    expect(formatClientString(string, 'H', port)).toBe(forClient);
    expect(() => parseClientString(forClient.replace('Password=*', 'Password=x'))).not.toThrow();
  });

  it('gives a result or a one-line UserError for any text', () => {
    const piece = fc.constantFrom(
      'tcp:',
      'ssl:',
      '-remote ',
      '0: ',
      '<debugger> ',
      'port=',
      '5',
      ':',
      ',',
      'server=',
      '\\\\',
      '"',
      '\n',
      'H',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (input) => {
        for (const parse of [parseServerString, parseClientString]) {
          try {
            parse(input);
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
            expect((error as Error).message).not.toMatch(/[\r\n]/);
          }
        }
      }),
    );
    for (const many of [
      '0: '.repeat(100_000),
      ' '.repeat(1_000_000),
      'tcp:' + '\\'.repeat(500_000),
      '9'.repeat(500_000),
    ]) {
      expect(() => parseClientString(many)).toThrow(UserError);
    }
  });

  it('takes IPv6 addresses with brackets and without', () => {
    for (const written of ['fd99::1', '[fd99::1]', '\\\\[fd99::1]']) {
      const { values } = parseClientString(`tcp:port=5005,server=${written},ipversion=6`);
      expect(hostOf(values, 'Server')).toBe('fd99::1');
    }
  });
});
