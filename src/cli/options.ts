/**
 * Command line to options. The rules are KD's: `-` or `/` in front, no regard to case except for `-server` and
 * `-remote`, which come first; one-letter options without a value may be joined (`-nv`). Every mistake is one line
 * that names the argument.
 */
import { UserError } from '../engine/base/errors';
import { parseService } from './serviceOptions';
import { optionRows, type OptionRow, type Options } from './optionTable';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `args` without the program's name. Throws UserError. */
export function parseOptions(args: readonly string[], environment: Environment = {}): Options {
  const options: Options = {
    action: 'debug',
    servers: [],
    initialBreak: false,
    noIo: false,
    secure: false,
    verbose: false,
    noisySymbols: false,
    color: true,
  };
  const service = parseService(args);
  if (service) return { ...options, action: 'service', service };
  const given = new Map<OptionRow, string>();
  for (let i = 0; i < args.length;) {
    const arg = args[i++] ?? '';
    const body = optionBody(arg);
    if (body === undefined) {
      throw new UserError(`Unexpected argument '${shorten(arg)}'; every option begins with '-' (vskd -?).`);
    }
    for (const row of rowsFor(body, arg)) {
      if (row.status === 'notYet') {
        throw new UserError(`'${shorten(arg)}' is not supported yet. (${row.help})`);
      }
      if (row.service) {
        const [before] = given.values();
        throw new UserError(
          `'-${row.name}' must come first, before '${shorten(before ?? '')}'; it starts no debugger.`,
        );
      }
      checkOrder(row, given);
      let value = '';
      if (row.value !== undefined) {
        [value, i] = takeValue(row, args, i);
        if (row.name !== 'server' && given.has(row))
          throw new UserError(`'-${row.name}' is given twice; give it once.`);
      }
      given.set(row, arg);
      row.apply?.(options, value);
    }
  }
  if (options.action === 'debug') check(options, [...given.keys()], environment);
  return options;
}

/** The text after `-`, `--` or `/`; undefined when `arg` is no option. */
function optionBody(arg: string): string | undefined {
  return /^(?:--?|\/)([^-/].*)$/s.exec(arg)?.[1];
}

function findRow(name: string): OptionRow | undefined {
  const lower = name.toLowerCase();
  if (lower === 'help' || lower === 'h') return optionRows.find((row) => row.name === '?');
  return optionRows.find((row) => (row.caseSensitive ? row.name === name : row.name.toLowerCase() === lower));
}

/** One row, or several for joined letters. */
function rowsFor(body: string, arg: string): OptionRow[] {
  const row = findRow(body);
  if (row) return [row];
  const misspelt = optionRows.find((each) => each.name === body.toLowerCase());
  if (misspelt) throw new UserError(`'${arg}' must be written '-${misspelt.name}'.`);
  const letters = body.length <= 8 ? [...body].map(findRow) : [];
  const joined = letters.filter(
    (each) => each !== undefined && each.value === undefined && each.name !== '?',
  );
  if (joined.length > 0 && joined.length === letters.length) return joined as OptionRow[];
  throw new UserError(`Unknown option '${shorten(arg)}'; vskd -? lists the options.`);
}

/** `-server` only after others of its kind, `-remote` only as the very first. */
function checkOrder(row: OptionRow, given: ReadonlyMap<OptionRow, string>): void {
  if (row.name !== 'server' && row.name !== 'remote') return;
  for (const [other, arg] of given) {
    if (other === row) continue;
    if (other.name === 'server' || other.name === 'remote') {
      throw new UserError(
        "'-server' and '-remote' exclude each other: a debugging client cannot be a debugging server.",
      );
    }
    throw new UserError(`'-${row.name}' must come first, before '${shorten(arg)}'.`);
  }
}

/** The value after an option and the index behind it. A shell splits `port=1, baud=2`; it is put together again. */
function takeValue(row: OptionRow, args: readonly string[], from: number): [string, number] {
  const next = args[from];
  const missing = next === undefined || next === '' || isOption(next, isConnection(row));
  if (missing) {
    if (row.optionalValue) return ['', from];
    throw new UserError(`'-${row.name}' needs a value: -${row.name} ${row.value ?? ''}`);
  }
  let value = next;
  let end = from + 1;
  if (isConnection(row)) {
    for (
      let more = args[end];
      value.endsWith(',') && more !== undefined && !isOption(more);
      more = args[end]
    ) {
      value += more;
      end++;
    }
  }
  return [value, end];
}

function isConnection(row: OptionRow): boolean {
  return row.name === 'k' || row.name === 'server' || row.name === 'remote';
}

/** True for the exact name of an option: it is never taken as the value of another. A path may look like `/c`. */
function isOption(arg: string, slashToo = true): boolean {
  const body = optionBody(arg);
  return (slashToo || arg.startsWith('-')) && body !== undefined && findRow(body) !== undefined;
}

/** Rules between options. */
function check(options: Options, given: readonly OptionRow[], environment: Environment): void {
  if (options.remote !== undefined) {
    const wrong = given.find((row) => row.only === 'host');
    if (wrong) {
      throw new UserError(
        `'-${wrong.name}' cannot be combined with '-remote': it belongs to the debugger that owns the session.`,
      );
    }
    return;
  }
  const wrong = given.find((row) => row.only === 'client');
  if (wrong) throw new UserError(`'-${wrong.name}' is only for one who joins a session with '-remote'.`);
  if (options.kernel === undefined) {
    throw new UserError(
      "Nothing to debug: give '-k CONNECTION' (e.g. -k demo:) or '-remote STRING' to join a session (vskd -?).",
    );
  }
  if (options.kernel === '') options.kernel = kernelFromEnvironment(environment);
  if (options.noIo && options.servers.length === 0) {
    throw new UserError(
      "'-noio' needs '-server STRING' in front: without clients nobody could type a command.",
    );
  }
}

function kernelFromEnvironment(environment: Environment): string {
  const port = environment['_NT_DEBUG_PORT'];
  const baud = environment['_NT_DEBUG_BAUD_RATE'];
  if (!port) {
    throw new UserError(
      "'-k' without a connection needs the environment variable _NT_DEBUG_PORT (e.g. COM1); or give -k com:port=...,baud=...",
    );
  }
  return `com:port=${port},baud=${baud || '19200'}`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
