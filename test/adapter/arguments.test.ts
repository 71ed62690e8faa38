import { describe, expect, it } from 'vitest';
import { Arguments } from '../../src/adapter/arguments';

const args = (value: unknown) => new Arguments('stackTrace', value);

describe('Arguments', () => {
  it('reads what is there', () => {
    const given = args({ text: 'a', count: 3, on: true, list: [{ x: 1 }], names: ['a'], none: null });
    expect(given.string('text')).toBe('a');
    expect(given.integer('count')).toBe(3);
    expect(given.boolean('on')).toBe(true);
    expect(given.objects('list')[0]?.integer('x')).toBe(1);
    expect(given.stringOrStrings('text')).toEqual(['a']);
    expect(given.stringOrStrings('names')).toEqual(['a']);
    expect(given.optionalString('none')).toBeUndefined();
    expect(given.has('none')).toBe(false);
  });

  it('takes no arguments for an empty object', () => {
    expect(args(undefined).optionalInteger('count')).toBeUndefined();
  });

  it.each<[string, (given: Arguments) => unknown, unknown]>([
    ["stackTrace: 'text' is missing; expected a string.", (given) => given.string('text'), {}],
    ["stackTrace: 'text' must be a string.", (given) => given.string('text'), { text: 5 }],
    ["stackTrace: 'n' is missing; expected a whole number.", (given) => given.integer('n'), {}],
    ["stackTrace: 'n' must be a whole number.", (given) => given.integer('n'), { n: 1.5 }],
    ["stackTrace: 'n' must be a whole number.", (given) => given.integer('n'), { n: '5' }],
    ["stackTrace: 'n' must be from 0 to 7.", (given) => given.integer('n', { min: 0, max: 7 }), { n: 8 }],
    ["stackTrace: 'on' must be true or false.", (given) => given.boolean('on'), { on: 1 }],
    ["stackTrace: 'list' must be a list.", (given) => given.objects('list'), { list: {} }],
    ["stackTrace: 'list' has more than 2 entries.", (given) => given.objects('list', 2), { list: [1, 2, 3] }],
    ["stackTrace: 'list[1]' must be an object.", (given) => given.objects('list'), { list: [{}, 5] }],
    [
      "stackTrace: 'list[0].x' must be a string.",
      (given) => given.objects('list')[0]?.string('x'),
      { list: [{ x: 1 }] },
    ],
    ["stackTrace: 'names[1]' must be a string.", (given) => given.strings('names'), { names: ['a', 1] }],
    ["stackTrace: 'toString' is missing; expected a string.", (given) => given.string('toString'), {}],
  ])('says %s', (message, read, value) => {
    expect(() => read(args(value))).toThrow(message);
  });

  it.each([5, 'x', [], true])('refuses %j as the arguments', (value) => {
    expect(() => args(value)).toThrow('stackTrace: the arguments must be an object.');
  });
});
