/**
 * Reads the arguments of a DAP request (or a launch configuration) as typed values. The client is not trusted to
 * send what the specification says: every mistake is a UserError that names the argument and what would be right.
 */
import { UserError } from '../engine/base/errors';

export interface IntegerRange {
  readonly min?: number;
  readonly max?: number;
}

/** The client sent something other than the request asks for. */
export class ArgumentError extends UserError {
  override readonly name = 'ArgumentError';
}

export class Arguments {
  private readonly values: Readonly<Record<string, unknown>>;

  /** `where` begins every message: the request's command, or `launch.json`. */
  constructor(
    private readonly where: string,
    value: unknown,
    private readonly path = '',
  ) {
    if (value === undefined || value === null) this.values = {};
    else if (isRecord(value)) this.values = value;
    else
      throw new ArgumentError(`${where}: ${path === '' ? 'the arguments' : `'${path}'`} must be an object.`);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  string(name: string): string {
    return this.optionalString(name) ?? this.fail(name, 'is missing; expected a string');
  }

  optionalString(name: string): string | undefined {
    const value = this.get(name);
    return value === undefined || typeof value === 'string' ? value : this.fail(name, 'must be a string');
  }

  integer(name: string, range: IntegerRange = {}): number {
    return this.optionalInteger(name, range) ?? this.fail(name, 'is missing; expected a whole number');
  }

  optionalInteger(
    name: string,
    { min = -maxInteger, max = maxInteger }: IntegerRange = {},
  ): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) this.fail(name, 'must be a whole number');
    if (value < min || value > max) this.fail(name, `must be from ${min} to ${max}`);
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.get(name);
    return value === undefined || typeof value === 'boolean'
      ? value
      : this.fail(name, 'must be true or false');
  }

  strings(name: string, most = 1000): string[] | undefined {
    return this.list(name, most)?.map((entry, index) =>
      typeof entry === 'string' ? entry : this.fail(`${name}[${index}]`, 'must be a string'),
    );
  }

  numbers(name: string, most = 1000): number[] {
    return (this.list(name, most) ?? []).map((entry, index) =>
      typeof entry === 'number' ? entry : this.fail(`${name}[${index}]`, 'must be a number'),
    );
  }

  /** A string, or a list of strings. */
  stringOrStrings(name: string): string[] | undefined {
    const value = this.get(name);
    if (typeof value === 'string') return [value];
    if (value !== undefined && !Array.isArray(value))
      this.fail(name, 'must be a string or a list of strings');
    return this.strings(name);
  }

  /** A list of objects; empty when it is not given. */
  objects(name: string, most = 1000): Arguments[] {
    return (this.list(name, most) ?? []).map(
      (entry, index) => new Arguments(this.where, entry, `${this.full(name)}[${index}]`),
    );
  }

  fail(name: string, complaint: string): never {
    throw new ArgumentError(`${this.where}: '${this.full(name)}' ${complaint}.`);
  }

  private list(name: string, most: number): unknown[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) this.fail(name, 'must be a list');
    if (value.length > most) this.fail(name, `has more than ${most} entries`);
    return value;
  }

  /** JSON's null counts as not given. */
  private get(name: string): unknown {
    return Object.hasOwn(this.values, name) ? (this.values[name] ?? undefined) : undefined;
  }

  private full(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}

const maxInteger = Number.MAX_SAFE_INTEGER;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
