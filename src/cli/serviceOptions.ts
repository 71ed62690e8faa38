/**
 * The command lines that start no debugger: `-QR`, `-repeater`, `-kdsrv` and `-symdump`. Each comes first, takes all that follows,
 * and gives letters such as `-c` and `-p` a meaning of its own, as the tools it stands for do.
 */
import { UserError } from '../engine/base/errors';

export type Service =
  | { readonly kind: 'list'; readonly host: string }
  | {
      readonly kind: 'repeater';
      readonly server: string;
      readonly client: string;
      readonly persistent: boolean;
    }
  | { readonly kind: 'kdsrv'; readonly server: string; readonly allowed: readonly string[] }
  | { readonly kind: 'symdump'; readonly file: string };

/** Undefined when the arguments are for a debugger. Throws UserError. */
export function parseService(args: readonly string[]): Service | undefined {
  const [first, ...rest] = args;
  switch (nameOf(first)) {
    case 'qr':
      return parseList(rest);
    case 'repeater':
      return parseRepeater(rest);
    case 'kdsrv':
      return parseKdServer(rest);
    case 'symdump':
      return parseSymbolDump(rest);
    default:
      return undefined;
  }
}

function parseList([host, more]: readonly string[]): Service {
  if (host === undefined || host === '' || host.startsWith('-'))
    throw new UserError("'-QR' needs the name of a machine: -QR HOST");
  if (more !== undefined)
    throw new UserError(`'-QR HOST' stands alone on the command line; '${shorten(more)}' is too much.`);
  return { kind: 'list', host };
}

function parseSymbolDump([file, more]: readonly string[]): Service {
  if (file === undefined || file === '') throw new UserError("'-symdump' needs a file: -symdump FILE.pdb");
  if (more !== undefined)
    throw new UserError(
      `'-symdump FILE.pdb' stands alone on the command line; '${shorten(more)}' is too much.`,
    );
  return { kind: 'symdump', file };
}

function parseRepeater(args: readonly string[]): Service {
  const usage = 'vskd -repeater [-p] -s SERVERSTRING -c CLIENTSTRING';
  const { flags, values, rest } = take(args, ['p'], ['s', 'c'], usage);
  const [server] = values.get('s') ?? [];
  const [client] = values.get('c') ?? [];
  if (rest.length > 0) throw new UserError(`Unexpected argument '${shorten(rest[0])}'; ${usage}`);
  if (server === undefined || client === undefined) {
    throw new UserError(
      `'-repeater' needs ${server === undefined ? '-s, the string that clients connect to' : '-c, the string of the debugging server'}: ${usage}`,
    );
  }
  return { kind: 'repeater', server, client, persistent: flags.has('p') };
}

function parseKdServer(args: readonly string[]): Service {
  const usage = 'vskd -kdsrv STRING [-allow LINK]...';
  const { values, rest } = take(args, [], ['t', 'allow'], usage);
  const [server, more] = [...rest, ...(values.get('t') ?? [])];
  if (server === undefined) throw new UserError(`'-kdsrv' needs the string of a server: ${usage}`);
  if (more !== undefined) throw new UserError(`Unexpected argument '${shorten(more)}'; ${usage}`);
  return { kind: 'kdsrv', server, allowed: values.get('allow') ?? [] };
}

interface Taken {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string[]>;
  readonly rest: readonly string[];
}

/** Options without and with a value; only `-allow` may be repeated. */
function take(
  args: readonly string[],
  flagNames: readonly string[],
  valueNames: readonly string[],
  usage: string,
): Taken {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    const name = nameOf(arg);
    if (name === undefined) rest.push(arg);
    else if (flagNames.includes(name)) flags.add(name);
    else if (valueNames.includes(name)) {
      let value = args[++i] ?? '';
      // A shell has split a string with a space after a comma.
      while (value.endsWith(',') && nameOf(args[i + 1]) === undefined && args[i + 1] !== undefined)
        value += args[++i];
      if (value === '' || nameOf(value) !== undefined)
        throw new UserError(`'${arg}' needs a value: ${usage}`);
      const given = values.get(name) ?? [];
      if (given.length > 0 && name !== 'allow') throw new UserError(`'${arg}' is given twice; give it once.`);
      values.set(name, [...given, value]);
    } else throw new UserError(`Unknown option '${shorten(arg)}' here; ${usage}`);
  }
  return { flags, values, rest };
}

/** The name of an option in lower case; undefined for what is none. A path may begin with `/`. */
function nameOf(arg: string | undefined): string | undefined {
  return /^(?:--?|\/)([a-z]+)$/i.exec(arg ?? '')?.[1]?.toLowerCase();
}

function shorten(text: string | undefined): string {
  return text === undefined || text.length <= 60 ? (text ?? '') : `${text.slice(0, 60)}...`;
}
