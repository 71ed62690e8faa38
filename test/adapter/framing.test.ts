import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frame, FrameReader } from '../../src/adapter/framing';

function reader() {
  const messages: unknown[] = [];
  const malformed: string[] = [];
  const reader = new FrameReader({
    message: (value) => messages.push(value),
    malformed: (reason) => malformed.push(reason),
  });
  return { reader, messages, malformed };
}

describe('FrameReader', () => {
  it('reads messages however the stream cuts them', () => {
    const property = fc.property(
      fc.array(fc.jsonValue(), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
      (values, cuts) => {
        const bytes = Buffer.concat(values.map(frame));
        const { reader: frames, messages, malformed } = reader();
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] ?? 1;
          frames.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(malformed).toEqual([]);
        expect(messages).toEqual(JSON.parse(JSON.stringify(values)));
      },
    );
    fc.assert(property);
  });

  it('goes on after framed bytes that are no JSON', () => {
    const { reader: frames, messages, malformed } = reader();
    frames.push(Buffer.from('Content-Length: 3\r\n\r\n{x}'));
    frames.push(frame({ seq: 1 }));
    expect(malformed).toEqual(['a message that is not JSON']);
    expect(messages).toEqual([{ seq: 1 }]);
  });

  it.each(['Content-Length: -5', 'Content-Length: 999999999', 'Content-Length: x', 'Foo: bar'])(
    'goes on after the header %s',
    (header) => {
      const { reader: frames, messages, malformed } = reader();
      frames.push(Buffer.from(`${header}\r\n\r\n`));
      frames.push(frame({ seq: 1 }));
      expect(malformed).toHaveLength(1);
      expect(messages).toEqual([{ seq: 1 }]);
    },
  );

  it('finds the next message behind bytes without any header', () => {
    const { reader: frames, messages } = reader();
    frames.push(Buffer.alloc(10_000, 'z'));
    frames.push(frame({ seq: 1 }));
    expect(messages).toEqual([{ seq: 1 }]);
  });

  it('survives any bytes', () => {
    const property = fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
      const { reader: frames } = reader();
      for (const chunk of chunks) frames.push(Buffer.from(chunk));
    });
    fc.assert(property);
  });
});
