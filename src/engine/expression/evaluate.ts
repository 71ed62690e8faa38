/** Evaluates a parsed MASM expression against whatever gives registers, symbols and memory. All is unsigned 64 bits. */
import type { BinaryOperator, Expression, UnaryOperator } from './parser';
import { ExpressionError } from './parser';

export interface EvaluationScope {
  readonly pointerSize: 4 | 8;
  /** A machine register by name in any case; undefined when there is none of this name. */
  register(name: string): Promise<bigint | undefined>;
  /** A pseudo-register, with its `$`; undefined when unknown or not available now. */
  pseudoRegister(name: string): Promise<bigint | undefined>;
  /** Address of a symbol, `module!name`, `name` or a module's name; undefined when there is none. */
  symbol(name: string): Promise<bigint | undefined>;
  /** Both may give fewer bytes than asked. */
  readVirtual(address: bigint, length: number): Promise<Uint8Array>;
  readPhysical(address: bigint, length: number): Promise<Uint8Array>;
}

/** `text` is what the tree was parsed from, for error messages. */
export async function evaluate(tree: Expression, scope: EvaluationScope, text: string): Promise<bigint> {
  switch (tree.kind) {
    case 'number':
      return tree.value;
    case 'here':
      return named('$ip', tree, scope, text);
    case 'name':
      return named(tree.name, tree, scope, text);
    case 'unary': {
      const operand = await evaluate(tree.operand, scope, text);
      return unary(tree.operator, operand, tree, scope, text);
    }
    case 'binary': {
      const left = await evaluate(tree.left, scope, text);
      const right = await evaluate(tree.right, scope, text);
      if ((tree.operator === '/' || tree.operator === '%') && right === 0n) {
        throw new ExpressionError('Operand', text, tree.right.start);
      }
      return BigInt.asUintN(64, binary[tree.operator](left, right));
    }
  }
}

async function named(name: string, tree: Expression, scope: EvaluationScope, text: string): Promise<bigint> {
  const at = tree.kind === 'name' && tree.at;
  if (name.startsWith('$')) {
    const value = await scope.pseudoRegister(name.toLowerCase());
    if (value === undefined) throw new ExpressionError('Syntax', text, tree.start);
    return value;
  }
  // `!name` is a symbol even where a register has the name.
  const forced = name.startsWith('!');
  const register = forced ? undefined : await scope.register(name);
  if (register !== undefined) return register;
  if (at) throw new ExpressionError('Bad register', text, tree.start);
  const symbol = await scope.symbol(forced ? name.slice(1) : name);
  if (symbol === undefined) throw new ExpressionError("Couldn't resolve", text, tree.start);
  return symbol;
}

type Reading = Extract<UnaryOperator, 'by' | 'wo' | 'dwo' | 'qwo' | 'poi' | `$p${string}`>;

async function unary(
  operator: UnaryOperator,
  operand: bigint,
  tree: Expression,
  scope: EvaluationScope,
  text: string,
): Promise<bigint> {
  switch (operator) {
    case '+':
      return operand;
    case '-':
      return BigInt.asUintN(64, -operand);
    case 'not':
      return operand === 0n ? 1n : 0n;
    case 'hi':
      return (operand >> 16n) & 0xffffn;
    case 'low':
      return operand & 0xffffn;
    default:
      return readNumber(operator, operand, tree, scope, text);
  }
}

async function readNumber(
  operator: Reading,
  address: bigint,
  tree: Expression,
  scope: EvaluationScope,
  text: string,
): Promise<bigint> {
  const physical = operator.startsWith('$p');
  const size =
    { by: 1, wo: 2, dwo: 4, qwo: 8, poi: scope.pointerSize }[physical ? operator.slice(2) : operator] ?? 8;
  const bytes = await (physical ? scope.readPhysical(address, size) : scope.readVirtual(address, size));
  if (bytes.length < size) throw new ExpressionError('Memory access', text, tree.start);
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

const truth = (value: boolean) => (value ? 1n : 0n);
/** A shift by 64 or more leaves nothing; the count is cut so that no giant number is made. */
const count = (value: bigint) => (value > 64n ? 64n : value);

const binary: Readonly<Record<BinaryOperator, (a: bigint, b: bigint) => bigint>> = {
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '<<': (a, b) => a << count(b),
  '>>': (a, b) => a >> count(b),
  '>>>': (a, b) => BigInt.asIntN(64, a) >> count(b),
  '==': (a, b) => truth(a === b),
  '!=': (a, b) => truth(a !== b),
  '<': (a, b) => truth(a < b),
  '>': (a, b) => truth(a > b),
  '<=': (a, b) => truth(a <= b),
  '>=': (a, b) => truth(a >= b),
  '&': (a, b) => a & b,
  '^': (a, b) => a ^ b,
  '|': (a, b) => a | b,
};
