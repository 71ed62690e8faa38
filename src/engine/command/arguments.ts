/** Reads the arguments of a command from left to right: expressions, ranges, words, options. */
import { UserError } from '../base/errors';
import { ExpressionError } from '../expression/parser';
import type { Engine } from './engine';

/** Ranges longer than this need `L?`. */
const MAX_RANGE = 256n << 20n;

export interface Range {
  readonly address: bigint;
  /** Objects of the command's size; undefined when only an address was given. */
  readonly count: bigint | undefined;
}

export class Arguments {
  private position = 0;

  constructor(
    private readonly engine: Engine,
    private readonly text: string,
  ) {}

  get rest(): string {
    return this.text.slice(this.position).trim();
  }

  get atEnd(): boolean {
    return this.rest === '';
  }

  /** Takes the text that matches at the current place, white space skipped; `pattern` must be sticky (`y`). */
  take(pattern: RegExp): RegExpExecArray | undefined {
    this.skip(/\s*/y);
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.text);
    if (match) this.position = pattern.lastIndex;
    return match ?? undefined;
  }

  /** An expression; throws in WinDbg's words when there is none. */
  async expression(): Promise<bigint> {
    const { value, end } = await this.engine.evaluateAt(this.text, this.position);
    this.position = end;
    return value;
  }

  /** Skips the space or comma between two arguments. */
  separator(): void {
    this.take(/,?/y);
  }

  /** `ADDR`, `ADDR L COUNT`, `ADDR L-COUNT`, `ADDR END` (inclusive); `unit` is the size of the objects in bytes. */
  async range(unit: number): Promise<Range> {
    const start = this.position;
    const address = await this.expression();
    this.separator();
    if (this.atEnd) return { address, count: undefined };
    const length = this.take(/[lL](\??)\s*(-?)/y);
    if (length) {
      const count = await this.expression();
      if (length[1] === '' && count * BigInt(unit) > MAX_RANGE) this.fail('Range', start);
      const backwards = length[2] === '-';
      const begin = backwards ? BigInt.asUintN(64, address - count * BigInt(unit)) : address;
      return { address: begin, count };
    }
    const end = await this.expression();
    if (end < address) this.fail('Range', start);
    const bytes = end - address + 1n;
    if (bytes > MAX_RANGE) this.fail('Range', start);
    return { address, count: (bytes + BigInt(unit) - 1n) / BigInt(unit) };
  }

  /** Throws when anything is left. */
  end(): void {
    if (!this.atEnd) this.fail('Extra character');
  }

  fail(problem: string, position = this.position): never {
    throw new ExpressionError(problem, this.text, position);
  }

  private skip(pattern: RegExp): void {
    pattern.lastIndex = this.position;
    if (pattern.test(this.text)) this.position = pattern.lastIndex;
  }
}

/** For commands that take nothing. */
export function noArguments(name: string, args: string): void {
  if (args.trim() !== '')
    throw new UserError(`Extra character error at '${args.trim()}': ${name} takes no arguments.`);
}
