import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/engine/base/errors';
import { openTarget, parseKernelConnection } from '../../../src/engine/target/connection';

const parse = (text: string, environment = {}) => parseKernelConnection(text, environment);

describe('parseKernelConnection', () => {
  it.each([
    ['com:port=COM2,baud=115200', { kind: 'serial', port: 'COM2', baudRate: 115200 }],
    ['COM:Port=\\\\.\\com12 , Baud = 9600', { kind: 'serial', port: 'COM12', baudRate: 9600 }],
    ['com:port=/dev/ttyUSB0', { kind: 'serial', port: '/dev/ttyUSB0', baudRate: 115200 }],
    ['com:port=/dev/pts/3,baud=57600', { kind: 'serial', port: '/dev/pts/3', baudRate: 57600 }],
    [
      'com:pipe,port=\\\\.\\pipe\\com_1,resets=0,reconnect',
      { kind: 'pipe', path: '\\\\.\\pipe\\com_1', unlimitedResets: true, reconnect: true },
    ],
    ['com:pipe,port=/tmp/kd', { kind: 'pipe', path: '/tmp/kd', unlimitedResets: false, reconnect: false }],
    ['com:ipport=5555,port=10.0.0.1', { kind: 'tcp', host: '10.0.0.1', port: 5555 }],
    ['com:port=::1,ipport=5555', { kind: 'tcp', host: '::1', port: 5555 }],
    ['demo:', { kind: 'demo' }],
    [
      'kdsrv:server=@{tcp:server=h,port=1,password=x},trans=@{com:port=com1,baud=9600}',
      { kind: 'kdsrv', server: 'tcp:server=h,port=1,password=x', trans: 'com:port=com1,baud=9600' },
    ],
    [
      'kdsrv:trans=@{com:},server=@{npipe:server=h,pipe=a}',
      { kind: 'kdsrv', server: 'npipe:server=h,pipe=a', trans: 'com:' },
    ],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it('falls back on the environment', () => {
    const environment = { _NT_DEBUG_PORT: 'com1', _NT_DEBUG_BAUD_RATE: '19200' };
    expect(parse('', environment)).toEqual({ kind: 'serial', port: 'COM1', baudRate: 19200 });
    expect(parse('com:', environment)).toEqual({ kind: 'serial', port: 'COM1', baudRate: 19200 });
    expect(parse('com:port=com2', environment)).toEqual({ kind: 'serial', port: 'COM2', baudRate: 19200 });
    expect(() => parse('com:', { _NT_DEBUG_PORT: 'com1', _NT_DEBUG_BAUD_RATE: 'fast' })).toThrow(
      `Bad value 'fast' of _NT_DEBUG_BAUD_RATE; expected a rate such as 9600, 19200, 38400, 57600, 115200.`,
    );
  });

  it.each([
    'net:port=50000,key=1.2.3.4',
    'net:port=50000,key=1.2.3.4,target=host',
    'usb:targetname=a-B_1',
    'usb2:targetname=x',
    '1394:channel=62',
    '1394:channel=1,symlink=instance',
    'kdsrv:server=@{tcp:server=h,port=1},trans=@{net:port=50000,key=1.2.3.4}',
    'exdi:CLSID={29f9906e-9dbe-4d4b-b0fb-6acf7fb6d014},Kd=Guess,InProc=ExdiGdbDrv.dll,DataBreaks=Exdi',
    'com:modem',
  ])('understands %s, and says that it is not supported yet', (text) => {
    expect(parse(text).kind).toBe('unsupported');
    expect(() => openTarget(text)).toThrow(/is not supported yet; use com:port=, .* instead\.$/);
  });

  it.each([
    ['', 'No target is given; name one, for example com:port=COM2,baud=115200 or demo:'],
    ['com:', `'com:' needs port=, for example com:port=COM2,baud=115200 (or the variable _NT_DEBUG_PORT).`],
    ['com:port=2', `Bad value '2' for 'port'; write com2.`],
    [
      'com:port=com2,baud=12',
      `Bad value '12' for 'baud' (column 15); expected a rate such as 9600, 19200, 38400, 57600, 115200.`,
    ],
    ['com:pipe', `'com:pipe' needs port=; for example com:pipe,port=\\\\.\\pipe\\NAME`],
    ['com:ipport=1', `'com:ipport' needs port=; for example com:ipport=5555,port=HOST`],
    [
      'com:pipe,port=x,resets=1',
      `Bad value '1' for 'resets' (column 17); expected 0 (no limit to the RESET packets).`,
    ],
    [
      'com:port=com1,reconnect',
      `'reconnect' goes with 'pipe' only: com:pipe,port=\\\\.\\pipe\\NAME,reconnect`,
    ],
    ['com:pipe,ipport=1,port=x', `'pipe' and 'ipport' exclude each other.`],
    ['com:pipe,port=x,baud=9600', `'baud' does not go with 'pipe'.`],
    [
      'net:port=1,key=secret',
      `Bad value for 'key' (column 12); expected four parts w.x.y.z of digits and letters.`,
    ],
    [
      'usb:targetname=mydebug',
      `Bad value 'mydebug' for 'targetname' (column 5); expected up to 24 letters, digits, '-' and '_', without the word 'debug'.`,
    ],
    ['1394:channel=63', `Bad value '63' for 'channel' (column 6); expected a channel from 0 to 62.`],
    [
      'kdsrv:server=@{tcp:server=h,port=1},trans=@{kdsrv:server=@{tcp:server=h,port=1},trans=@{com:}}',
      `'trans' names the link at the KD connection server itself; for example trans=@{com:port=COM1,baud=115200}`,
    ],
    ['kdsrv:server=@{tcp:server=h,port=1},trans=@{com:port=2}', `Bad value '2' for 'port'; write com2.`],
    ['demo:fast', `Unknown option 'fast' (column 6); 'demo:' takes no options.`],
    [
      'xyz:',
      `Unknown transport 'xyz' (column 1); expected 1394:, com:, demo:, net:, usb:, usb2:, kdsrv:, exdi:.`,
    ],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(new UserError(message));
  });

  it('gives a connection or a UserError for any text', () => {
    const piece = fc.constantFrom(
      'com',
      'net',
      ':',
      ',',
      '=',
      'port',
      'pipe',
      'baud',
      '1',
      'key',
      'reconnect',
      'x',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (text) => {
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
          }
        },
      ),
    );
  });
});
