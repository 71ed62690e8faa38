/**
 * The grammar of command scripts, by a reader that knows what this grammar uses of TextMate: `match` rules with
 * captures, includes, and one `begin`/`end` pair for strings.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Rule {
  readonly include?: string;
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: readonly Rule[];
}
interface Grammar extends Rule {
  readonly scopeName: string;
  readonly repository: Readonly<Record<string, Rule>>;
}

const grammar = JSON.parse(readFileSync('syntaxes/dbgcmd.tmLanguage.json', 'utf8')) as Grammar;
const configuration = JSON.parse(readFileSync('syntaxes/dbgcmd.language-configuration.json', 'utf8')) as {
  wordPattern: string;
};

/** The rules in the order in which they are tried. */
function flat(rules: readonly Rule[] = []): Rule[] {
  return rules.flatMap((rule) => {
    if (rule.include) return flat([grammar.repository[rule.include.slice(1)] as Rule]);
    return (rule.match ?? rule.begin) ? [rule] : flat(rule.patterns);
  });
}

/** JavaScript spells the flag at the front differently. */
function regex(source: string): RegExp {
  return source.startsWith('(?i)') ? new RegExp(source.slice(4), 'dgi') : new RegExp(source, 'dg');
}

/** `[text, scope]` of all that has a scope, in order; the earliest match wins, then the first rule. */
function scopes(line: string): [string, string][] {
  const rules = flat(grammar.patterns);
  const found: [string, string][] = [];
  for (let at = 0; at < line.length;) {
    let best: { rule: Rule; match: RegExpExecArray } | undefined;
    for (const rule of rules) {
      const pattern = regex(rule.match ?? rule.begin ?? '');
      pattern.lastIndex = at;
      const match = pattern.exec(line);
      if (match && match[0] !== '' && (!best || match.index < best.match.index)) best = { rule, match };
    }
    if (!best) break;
    const { rule, match } = best;
    at = match.index + match[0].length;
    if (rule.end !== undefined) {
      const end = regex(rule.end);
      end.lastIndex = at;
      at = end.exec(line)?.indices?.[0]?.[1] ?? line.length;
    }
    if (rule.name) found.push([line.slice(match.index, at).trim(), rule.name]);
    for (const [group, { name }] of Object.entries(rule.captures ?? {})) {
      const text = match[Number(group)];
      if (text !== undefined) found.push([text.trim(), name]);
    }
  }
  return found.map(([text, scope]) => [text, scope.replace(/\.dbgcmd$/, '')]);
}

describe('grammar of command scripts', () => {
  it.each<[string, [string, string][]]>([
    [
      '$$ a note; lm',
      [
        ['$$ a note', 'comment.line.dollar'],
        [';', 'punctuation.separator'],
        ['lm', 'support.function'],
      ],
    ],
    ['* all of it; lm', [['* all of it; lm', 'comment.line.star']]],
    [
      '.reload /f',
      [
        ['.reload', 'support.function.meta'],
        ['/f', 'constant.other.option'],
      ],
    ],
    [
      '!process 0 0',
      [
        ['!process', 'entity.name.function.extension'],
        ['0', 'constant.numeric'],
        ['0', 'constant.numeric'],
      ],
    ],
    [
      '~0 r',
      [
        ['~0', 'constant.other.processor'],
        ['r', 'support.function'],
      ],
    ],
    ['$$>< a.dbgcmd', [['$$><', 'keyword.control.include']]],
    [
      '.if (@$ip == 0n10) { k }',
      [
        ['.if', 'keyword.control'],
        ['@$ip', 'variable.language.pseudo'],
        ['==', 'keyword.operator'],
        ['0n10', 'constant.numeric.other'],
        ['{', 'punctuation.separator'],
        ['k', 'support.function'],
        ['}', 'punctuation.separator'],
      ],
    ],
    [
      'dq poi(@rsp+8) L4',
      [
        ['dq', 'support.function'],
        ['poi', 'keyword.operator.word'],
        ['@rsp', 'variable.language.register'],
        ['+', 'keyword.operator'],
        ['8', 'constant.numeric'],
      ],
    ],
    [
      'bp nt!KeBugCheckEx "k;g"',
      [
        ['bp', 'support.function'],
        ['nt', 'entity.name.namespace'],
        ['!', 'punctuation.accessor'],
        ['KeBugCheckEx', 'entity.name.function'],
        ['"k;g"', 'string.quoted.double'],
      ],
    ],
    [
      'u fffff800`00001000 0x20',
      [
        ['u', 'support.function'],
        ['fffff800`00001000', 'constant.numeric.hex'],
        ['0x20', 'constant.numeric.hex'],
      ],
    ],
    [
      '.echo ${name}',
      [
        ['.echo', 'support.function.meta'],
        ['${name}', 'variable.other.alias'],
      ],
    ],
  ])('%s', (line, expected) => {
    expect(scopes(line)).toEqual(expected);
  });

  it('has patterns that compile, and words that take a whole symbol', () => {
    for (const rule of flat(grammar.patterns))
      for (const each of [rule.match, rule.begin, rule.end]) if (each) regex(each);
    expect('@rax'.match(new RegExp(configuration.wordPattern))?.[0]).toBe('@rax');
    expect(grammar.scopeName).toBe('source.dbgcmd');
  });
});
