/** Parses MASM expressions to a tree with positions; knows nothing of targets, so an editor can use it as well. */
import { UserError } from '../base/errors';
import type { Radix, Token } from './tokens';
import { tokenAt } from './tokens';

export const unaryOperators = [
  '+',
  '-',
  'not',
  'hi',
  'low',
  'by',
  'wo',
  'dwo',
  'qwo',
  'poi',
  '$pby',
  '$pwo',
  '$pdwo',
  '$pqwo',
  '$ppoi',
] as const;
export type UnaryOperator = (typeof unaryOperators)[number];

export type BinaryOperator =
  '*' | '/' | '%' | '+' | '-' | '<<' | '>>' | '>>>' | '==' | '<' | '>' | '<=' | '>=' | '!=' | '&' | '^' | '|';

interface Span {
  readonly start: number;
  readonly end: number;
}

export type Expression = Span &
  (
    | { readonly kind: 'number'; readonly value: bigint }
    /** Register, pseudo-register or symbol; `at`: written with `@`, so never a symbol. */
    | { readonly kind: 'name'; readonly name: string; readonly at: boolean }
    /** `.`, the instruction pointer. */
    | { readonly kind: 'here' }
    | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
    | {
        readonly kind: 'binary';
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
  );

/** An error in the words WinDbg uses, with the place it is about. */
export class ExpressionError extends UserError {
  override readonly name = 'ExpressionError';
  constructor(
    readonly problem: string,
    text: string,
    readonly position: number,
  ) {
    const rest = (
      text
        .slice(position)
        .trim()
        .split(/[\r\n]/)[0] ?? ''
    ).slice(0, MAX_QUOTED);
    super(
      problem === MISSING
        ? `Numeric expression missing from '${rest || '<EOL>'}'`
        : `${problem} error at '${rest || '<EOL>'}'`,
    );
  }
}

const MISSING = 'Numeric expression missing';
/** Longest part of the user's text that an error repeats. */
const MAX_QUOTED = 80;
const MAX_DEPTH = 200;
/** The longest command line; it also bounds how deep a tree can get. */
const MAX_LENGTH = 4096;

/** Weakest first; words and signs that mean the same share a row. */
const levels: readonly Readonly<Record<string, BinaryOperator>>[] = [
  { '|': '|', or: '|' },
  { '^': '^', xor: '^' },
  { '&': '&', and: '&' },
  { '=': '==', '==': '==', '<': '<', '>': '>', '<=': '<=', '>=': '>=', '!=': '!=' },
  { '<<': '<<', '>>': '>>', '>>>': '>>>' },
  { '+': '+', '-': '-' },
  { '*': '*', '/': '/', '%': '%', mod: '%' },
];

/** Parses the whole text; anything after the expression is an error. */
export function parseExpression(text: string, radix: Radix = 16): Expression {
  const { expression, end } = parseExpressionAt(text, 0, radix);
  const rest = tokenAt(text, end, radix);
  if (rest.kind !== 'end') throw new ExpressionError('Extra character', text, rest.start);
  return expression;
}

/** Parses the longest expression that begins at `offset`; `end` is where it stopped. */
export function parseExpressionAt(
  text: string,
  offset: number,
  radix: Radix = 16,
): { expression: Expression; end: number } {
  if (text.length > MAX_LENGTH) throw new ExpressionError('Overflow', text.slice(0, 40), 0);
  const parser = new Parser(text, offset, radix);
  const expression = parser.binary(0, 0);
  return { expression, end: parser.lastEnd };
}

class Parser {
  lastEnd: number;
  private token: Token;

  constructor(
    private readonly text: string,
    offset: number,
    private readonly radix: Radix,
  ) {
    this.lastEnd = offset;
    this.token = tokenAt(text, offset, radix);
  }

  binary(level: number, depth: number): Expression {
    const operators = levels[level];
    if (!operators) return this.unary(depth);
    let left = this.binary(level + 1, depth);
    for (;;) {
      const operator = this.operatorIn(operators);
      if (operator === undefined) return left;
      this.next();
      const right = this.binary(level + 1, depth);
      left = { kind: 'binary', operator, left, right, start: left.start, end: right.end };
    }
  }

  private unary(depth: number): Expression {
    const token = this.token;
    if (depth > MAX_DEPTH) throw new ExpressionError('Syntax', this.text, token.start);
    const operator = this.unaryOperator();
    if (operator !== undefined) {
      this.next();
      const operand = this.unary(depth + 1);
      return { kind: 'unary', operator, operand, start: token.start, end: operand.end };
    }
    return this.primary(depth);
  }

  private primary(depth: number): Expression {
    const token = this.token;
    const { start, end } = token;
    if (token.kind === 'number') {
      this.next();
      return { kind: 'number', value: token.value, start, end };
    }
    if (token.kind === 'name') {
      this.next();
      if (token.at && /^@masm$/i.test(token.text)) return this.parenthesis(depth);
      return { kind: 'name', name: token.text, at: token.at, start, end };
    }
    if (token.kind === 'symbol' && token.text === '.') {
      this.next();
      return { kind: 'here', start, end };
    }
    if (token.kind === 'symbol' && token.text === '(') return this.parenthesis(depth);
    if (token.kind === 'bad') throw new ExpressionError(token.problem, this.text, start);
    throw new ExpressionError(MISSING, this.text, start);
  }

  private parenthesis(depth: number): Expression {
    this.expect('(');
    const inner = this.binary(0, depth + 1);
    this.expect(')');
    return inner;
  }

  private expect(text: string): void {
    const token = this.token;
    if (token.kind !== 'symbol' || token.text !== text)
      throw new ExpressionError('Syntax', this.text, token.start);
    this.next();
  }

  private operatorIn(operators: Readonly<Record<string, BinaryOperator>>): BinaryOperator | undefined {
    const word = this.operatorWord();
    return word !== undefined && Object.hasOwn(operators, word) ? operators[word] : undefined;
  }

  private unaryOperator(): UnaryOperator | undefined {
    const word = this.operatorWord();
    return unaryOperators.find((operator) => operator === word);
  }

  private operatorWord(): string | undefined {
    if (this.token.kind === 'symbol') return this.token.text;
    return this.token.kind === 'name' && !this.token.at ? this.token.text.toLowerCase() : undefined;
  }

  private next(): void {
    this.lastEnd = this.token.end;
    this.token = tokenAt(this.text, this.token.end, this.radix);
  }
}
