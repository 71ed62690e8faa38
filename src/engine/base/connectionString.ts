/**
 * The lexer shared by everything that is written `scheme:key=value,flag,...`: `-k` strings and debugging-server
 * strings. What a scheme allows is a table (grammar) of the caller's; every mistake is one line that names the
 * offending part, its column and what would be right. Values of secret options are never repeated in a message.
 */
import { UserError } from './errors';

export interface ConnectionOption {
  /** Canonical spelling; keys are compared without regard to case. It is also the key of the result's map. */
  readonly name: string;
  readonly required?: boolean;
  /** A flag has no value (`hidden`); it is in the map with an empty string when given. */
  readonly flag?: boolean;
  /** The value must not show up in messages. */
  readonly secret?: boolean;
  /** Says what would be right (`a port from 1 to 65535`) when the value is wrong; undefined when it is fine. */
  readonly check?: (value: string) => string | undefined;
}

export interface ConnectionScheme {
  readonly options: readonly ConnectionOption[];
  /** Rules between options; returns the complaint (a whole sentence) or undefined. */
  readonly check?: (values: ReadonlyMap<string, string>) => string | undefined;
  /** One well-formed string, shown when something is missing. */
  readonly example: string;
}

/** Scheme names in lower case. */
export type ConnectionGrammar = Readonly<Record<string, ConnectionScheme>>;

export interface ConnectionString {
  readonly scheme: string;
  readonly values: ReadonlyMap<string, string>;
}

const longest = 4096;

interface Part {
  readonly text: string;
  /** Offset of `text` in the whole string. */
  readonly start: number;
}

/**
 * Parses `text` by `grammar`. A value may hold anything but a comma; a value in `@{...}` may hold commas too and is
 * returned without the wrapper. Spaces around commas and `=` are dropped. Throws `UserError`.
 */
export function parseConnectionString(text: string, grammar: ConnectionGrammar): ConnectionString {
  if (text.length > longest)
    throw new UserError(`The connection string is longer than ${longest} characters.`);
  const control = text.search(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  if (control >= 0) {
    throw new UserError(`Unprintable character in the connection string (column ${control + 1}).`);
  }
  const colon = text.indexOf(':');
  const name = (colon < 0 ? text : text.slice(0, colon)).trim().toLowerCase();
  const rules = Object.hasOwn(grammar, name) ? grammar[name] : undefined;
  if (colon < 0 || !rules) throw unknownScheme(text, name, colon, grammar, rules);

  const values = new Map<string, string>();
  for (const part of splitParts(text, colon + 1)) {
    if (part.text === '') {
      // `demo:` has no options at all; an empty part anywhere else is a comma too many.
      if (text.slice(colon + 1).trim() === '') break;
      throw new UserError(`Empty option (two commas, or one at the end) (column ${part.start + 1}).`);
    }
    readOption(part, name, rules, values);
  }
  for (const option of rules.options) {
    if (option.required && !values.has(option.name)) {
      throw new UserError(`'${name}:' needs ${option.name}=; for example ${rules.example}`);
    }
  }
  const complaint = rules.check?.(values);
  if (complaint !== undefined) throw new UserError(complaint);
  return { scheme: name, values };
}

/** A check for a decimal number in a range, for `ConnectionOption.check`. */
export function numberCheck(what: string, low: number, high: number): (value: string) => string | undefined {
  return (value) =>
    /^\d{1,10}$/.test(value) && Number(value) >= low && Number(value) <= high
      ? undefined
      : `${what} from ${low} to ${high}`;
}

function readOption(part: Part, scheme: string, rules: ConnectionScheme, values: Map<string, string>): void {
  const equals = part.text.indexOf('=');
  const key = (equals < 0 ? part.text : part.text.slice(0, equals)).trim();
  const column = `column ${part.start + 1}`;
  const option = rules.options.find((candidate) => candidate.name.toLowerCase() === key.toLowerCase());
  if (!option) {
    const known = rules.options.map((each) => (each.flag ? each.name : `${each.name}=`)).join(', ');
    const allowed = known === '' ? 'takes no options' : `takes ${known}`;
    throw new UserError(`Unknown option '${shorten(key)}' (${column}); '${scheme}:' ${allowed}.`);
  }
  if (values.has(option.name)) throw new UserError(`'${option.name}' is given twice (${column}).`);
  if (option.flag) {
    if (equals >= 0)
      throw new UserError(`'${option.name}' takes no value (${column}); write just ${option.name}.`);
    values.set(option.name, '');
    return;
  }
  const value = equals < 0 ? '' : unwrap(part.text.slice(equals + 1).trim(), option.name, column);
  if (value === '') throw new UserError(`'${option.name}' needs a value (${column}): ${option.name}=...`);
  const expected = option.check?.(value);
  if (expected !== undefined) {
    const shown = option.secret ? '' : ` '${shorten(value)}'`;
    throw new UserError(`Bad value${shown} for '${option.name}' (${column}); expected ${expected}.`);
  }
  values.set(option.name, value);
}

/** Splits at commas outside `@{...}`, trimmed. */
function splitParts(text: string, from: number): Part[] {
  const parts: Part[] = [];
  let start = from;
  let depth = 0;
  let opened = 0;
  for (let i = from; i <= text.length; i++) {
    const ch = text[i];
    if (ch === '{' && (depth > 0 || text[i - 1] === '@')) {
      if (depth++ === 0) opened = i;
    } else if (ch === '}' && depth > 0) {
      depth--;
    } else if (ch === undefined || (ch === ',' && depth === 0)) {
      if (depth > 0) throw new UserError(`'@{' is not closed by '}' (column ${opened}).`);
      const raw = text.slice(start, i);
      parts.push({ text: raw.trim(), start: start + raw.length - raw.trimStart().length });
      start = i + 1;
    }
  }
  return parts;
}

function unwrap(value: string, name: string, column: string): string {
  if (!value.startsWith('@{')) return value;
  if (!value.endsWith('}') || closingBrace(value) !== value.length - 1) {
    throw new UserError(`Text after '}' in '${name}' (${column}); expected ${name}=@{...}.`);
  }
  return value.slice(2, -1).trim();
}

/** Index of the brace that closes the one at index 1, or -1. */
function closingBrace(value: string): number {
  let depth = 0;
  for (let i = 1; i < value.length; i++) {
    if (value[i] === '{') depth++;
    else if (value[i] === '}' && --depth === 0) return i;
  }
  return -1;
}

function unknownScheme(
  text: string,
  name: string,
  colon: number,
  grammar: ConnectionGrammar,
  rules: ConnectionScheme | undefined,
): UserError {
  if (text.trim() === '')
    return new UserError(`The connection string is empty; expected ${examples(grammar)}.`);
  if (rules) return new UserError(`':' is missing after '${name}'; for example ${rules.example}`);
  const what =
    colon < 0 ? `'${shorten(text.trim())}' has no transport` : `Unknown transport '${shorten(name)}'`;
  return new UserError(`${what} (column 1); expected ${examples(grammar)}.`);
}

function examples(grammar: ConnectionGrammar): string {
  return Object.keys(grammar)
    .map((scheme) => `${scheme}:`)
    .join(', ');
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
