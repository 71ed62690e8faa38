import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  numberCheck,
  parseConnectionString,
  type ConnectionGrammar,
} from '../../../src/engine/base/connectionString';
import { UserError } from '../../../src/engine/base/errors';

const grammar: ConnectionGrammar = {
  tcp: {
    options: [
      { name: 'Port', required: true, check: numberCheck('a TCP port', 1, 65535) },
      { name: 'Server' },
      {
        name: 'Password',
        secret: true,
        check: (value) => (value.length <= 12 ? undefined : 'at most 12 letters'),
      },
      { name: 'Hidden', flag: true },
      { name: 'CliCon' },
    ],
    check: (values) =>
      values.has('Server') && values.has('CliCon')
        ? `Give either 'Server' or 'CliCon', not both.`
        : undefined,
    example: 'tcp:port=5005',
  },
  kdsrv: { options: [{ name: 'server', required: true }, { name: 'trans' }], example: 'kdsrv:server=@{...}' },
  demo: { options: [], example: 'demo:' },
};

const parse = (text: string) => {
  const { scheme, values } = parseConnectionString(text, grammar);
  return { scheme, ...Object.fromEntries(values) };
};

describe('parseConnectionString', () => {
  it('reads keys in any case, in any order, with spaces around commas', () => {
    expect(parse(' TCP:server=My Host , PORT = 5005,hidden')).toEqual({
      scheme: 'tcp',
      Port: '5005',
      Server: 'My Host',
      Hidden: '',
    });
    expect(parse('demo:')).toEqual({ scheme: 'demo' });
  });

  it('keeps commas and colons inside @{...}, nested too', () => {
    expect(parse('kdsrv:server=@{tcp:server=h,port=1},trans=@{com:port=@{x,y}}')).toEqual({
      scheme: 'kdsrv',
      server: 'tcp:server=h,port=1',
      trans: 'com:port=@{x,y}',
    });
  });

  it.each([
    ['', `The connection string is empty; expected tcp:, kdsrv:, demo:.`],
    ['5005', `'5005' has no transport (column 1); expected tcp:, kdsrv:, demo:.`],
    ['tcp', `':' is missing after 'tcp'; for example tcp:port=5005`],
    ['udp:port=1', `Unknown transport 'udp' (column 1); expected tcp:, kdsrv:, demo:.`],
    ['__proto__:x', `Unknown transport '__proto__' (column 1); expected tcp:, kdsrv:, demo:.`],
    ['tcp:', `'tcp:' needs Port=; for example tcp:port=5005`],
    [
      'tcp:port=5,prot=1',
      `Unknown option 'prot' (column 12); 'tcp:' takes Port=, Server=, Password=, Hidden, CliCon=.`,
    ],
    ['tcp:port=5,port=6', `'Port' is given twice (column 12).`],
    ['tcp:port=5,,hidden', `Empty option (two commas, or one at the end) (column 12).`],
    ['tcp:port=5,', `Empty option (two commas, or one at the end) (column 12).`],
    ['tcp:port', `'Port' needs a value (column 5): Port=...`],
    ['tcp:port=', `'Port' needs a value (column 5): Port=...`],
    ['tcp:port=70000', `Bad value '70000' for 'Port' (column 5); expected a TCP port from 1 to 65535.`],
    ['tcp:port=5,hidden=1', `'Hidden' takes no value (column 12); write just Hidden.`],
    ['tcp:port=5,server=a,clicon=b', `Give either 'Server' or 'CliCon', not both.`],
    ['demo:x', `Unknown option 'x' (column 6); 'demo:' takes no options.`],
    ['kdsrv:server=@{a,b', `'@{' is not closed by '}' (column 14).`],
    ['kdsrv:server=@{a}b', `Text after '}' in 'server' (column 7); expected server=@{...}.`],
    ['tcp:port=5\n', `Unprintable character in the connection string (column 11).`],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(new UserError(message));
  });

  it('never repeats a secret', () => {
    expect(() => parse('tcp:port=1,password=averyverylongsecret')).toThrow(
      new UserError(`Bad value for 'Password' (column 12); expected at most 12 letters.`),
    );
  });

  it('gives a result or a one-line UserError for any text', () => {
    const piece = fc.constantFrom(
      'tcp',
      'kdsrv',
      ':',
      'port',
      '=',
      '5',
      ',',
      '@{',
      '{',
      '}',
      ' ',
      'server',
      '\n',
    );
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.array(piece).map((pieces) => pieces.join('')),
      fc.array(piece).map((pieces) => `tcp:port=5,${pieces.join('')}`),
    );
    fc.assert(
      fc.property(text, (input) => {
        try {
          parse(input);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as Error).message).not.toMatch(/[\r\n]/);
        }
      }),
    );
    expect(() => parse('@{'.repeat(100_000))).toThrow(UserError);
  });
});
