import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/engine/base/errors';
import { encodeMessage, maxBodySize, MessageParser } from '../../../src/engine/session/framing';

const feed = (parser: MessageParser, bytes: Uint8Array, cuts: readonly number[]) => {
  const messages = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(Math.max(cut, from), bytes.length);
    messages.push(...parser.push(bytes.subarray(from, to)));
    from = to;
  }
  messages.push(...parser.push(bytes.subarray(from)));
  return messages;
};

describe('MessageParser', () => {
  it('reads what was encoded, however it is cut', () => {
    const message = fc.record({
      jsonrpc: fc.constant('2.0' as const),
      id: fc.integer(),
      method: fc.string({ maxLength: 20 }),
      params: fc.dictionary(fc.string(), fc.string({ unit: 'binary' })),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(2000)), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map((each) => encodeMessage(each)));
        const read = feed(new MessageParser(false), bytes, cuts);
        expect(read).toEqual(JSON.parse(JSON.stringify(messages)));
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['a header that does not end', 'x'.repeat(300), 'header that is too long'],
    ['no length', 'Content-Type: x\r\n\r\n', 'without Content-Length'],
    ['4 GB', 'Content-Length: 4294967296\r\n\r\n', '4294967296 bytes, which is too long'],
    ['one byte too many', `Content-Length: ${maxBodySize + 1}\r\n\r\n`, 'too long'],
    ['a negative length', 'Content-Length: -1\r\n\r\n', 'without Content-Length'],
    ['no JSON', 'Content-Length: 3\r\n\r\n{"a', 'not JSON.'],
    ['no JSON-RPC', 'Content-Length: 2\r\n\r\n{}', 'not JSON-RPC 2.0'],
    ['an array', 'Content-Length: 2\r\n\r\n[]', 'not JSON-RPC 2.0'],
    [
      'parameters by position',
      'Content-Length: 44\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}'.replace('44', '50'),
      'not JSON-RPC',
    ],
    [
      'an odd id',
      'Content-Length: 41\r\n\r\n{"jsonrpc":"2.0","id":{"a":1},"method":""}'.replace('41', '42'),
      'not JSON-RPC',
    ],
    [
      'a bare cancel',
      'Content-Length: 45\r\n\r\n{"jsonrpc":"2.0","method":"$/cancelRequest" }',
      'not JSON-RPC',
    ],
  ])('refuses %s', (_what, text, complaint) => {
    const feeding = () => new MessageParser(false).push(Buffer.from(text));
    expect(feeding).toThrow(UserError);
    expect(feeding).toThrow(complaint);
  });

  it('gives messages or a UserError for any bytes, and holds no more than it was given', () => {
    const lead = fc.constantFrom(
      '',
      'Content-Length: ',
      'Content-Length: 10\r\n\r\n',
      '\r\n\r\n',
      '{"jsonrpc":"2.0",',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(lead, fc.uint8Array({ maxLength: 40 }))), (parts) => {
        const parser = new MessageParser(true);
        try {
          for (const [text, bytes] of parts) parser.push(Buffer.concat([Buffer.from(text), bytes]));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });

  it('makes strings printable where it is asked to', () => {
    const message = {
      jsonrpc: '2.0',
      method: 'm',
      params: { a: '\u001b[2J\n', b: ['x\u0085'], c: '\u202e' },
    };
    const [clean] = new MessageParser(true).push(encodeMessage(message));
    expect(clean?.params).toEqual({ a: '.[2J\n', b: ['x.'], c: '.' });
    const [raw] = new MessageParser(false).push(encodeMessage(message));
    expect(raw?.params).toEqual(message.params);
  });
});
