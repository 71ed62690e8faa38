/**
 * The launch configurations of type `kd`, typed and checked. `launch` owns the session (the connection to the
 * kernel); `attach` joins the session of another debugger. Every mistake is one line that names the attribute.
 */
import { posix, win32 } from 'node:path';
import type { Arguments } from './arguments';

interface CommonConfiguration {
  /** Joined with `;` when given as a list. */
  readonly symbolPath: string | undefined;
  readonly imagePath: string | undefined;
  readonly sourcePath: string | undefined;
  /** Where this client looks for source files; the debugger that owns the session never sees it. */
  readonly localSourcePath: string | undefined;
  /** Break in as soon as the target can be reached. */
  readonly initialBreak: boolean;
  /** Run one after the other at the first prompt. */
  readonly commands: readonly string[];
}

export interface LaunchConfiguration extends CommonConfiguration {
  readonly request: 'launch';
  /** What follows `-k` on the command line. */
  readonly target: string;
  /** What follows `.server`, one for each debugging server to open. */
  readonly servers: readonly string[];
  readonly secure: boolean;
  readonly noShell: boolean;
  /** The file of the session log. */
  readonly audit: string | undefined;
}

export interface AttachConfiguration extends CommonConfiguration {
  readonly request: 'attach';
  /** What follows `-remote` on the command line. */
  readonly remote: string;
}

export type SessionConfiguration = LaunchConfiguration | AttachConfiguration;

/** As long as a command line may be in the debugger. */
const longestCommand = 4096;

export function readLaunch(args: Arguments): LaunchConfiguration {
  refuse(args, 'remote', `belongs to "request": "attach"; to own the session give 'target'`);
  return {
    request: 'launch',
    target: connection(args, 'target', `"demo:" or "com:pipe,port=\\\\.\\pipe\\vm"`, ['-k']),
    servers: servers(args),
    secure: args.boolean('secure') ?? false,
    noShell: args.boolean('noShell') ?? false,
    audit: auditFile(args),
    ...readCommon(args, true),
  };
}

export function readAttach(args: Arguments): AttachConfiguration {
  refuse(args, 'target', `belongs to "request": "launch"; to join a session give 'remote'`);
  refuse(
    args,
    'server',
    `belongs to "request": "launch"; a client asks for a server with the command .server`,
  );
  for (const name of ['secure', 'noShell'] as const) {
    if (args.boolean(name)) args.fail(name, 'belongs to "request": "launch"; the owner decides on it');
  }
  refuse(args, 'audit', 'belongs to "request": "launch"; the owner keeps the session log');
  return {
    request: 'attach',
    remote: connection(args, 'remote', '"tcp:Port=5005,Server=HOST"', ['-remote']),
    ...readCommon(args, false),
  };
}

function readCommon(args: Arguments, initialBreak: boolean): CommonConfiguration {
  return {
    symbolPath: path(args, 'symbolPath'),
    imagePath: path(args, 'imagePath'),
    sourcePath: path(args, 'sourcePath'),
    localSourcePath: path(args, 'localSourcePath'),
    initialBreak: args.boolean('initialBreak') ?? initialBreak,
    commands: commands(args),
  };
}

/** A connection string; the option it belongs to on the command line may come along with it. */
function connection(args: Arguments, name: string, example: string, switches: string[]): string {
  const text = (args.optionalString(name) ?? '').trim();
  const bare = switches.reduce(
    (rest, each) => (rest.startsWith(`${each} `) ? rest.slice(each.length) : rest),
    text,
  );
  if (bare.trim() === '') args.fail(name, `is missing; for example ${example}`);
  oneLine(args, name, bare);
  return bare.trim();
}

function servers(args: Arguments): string[] {
  const specs = (args.stringOrStrings('server') ?? []).map((spec) =>
    spec.trim().replace(/^(\.|-)server\s+/, ''),
  );
  specs.forEach((spec, index) => {
    const name = specs.length > 1 ? `server[${index}]` : 'server';
    if (spec === '') args.fail(name, 'is empty; for example "tcp:port=5005"');
    oneLine(args, name, spec);
  });
  return specs;
}

function commands(args: Arguments): string[] {
  const lines = args.strings('commands') ?? [];
  lines.forEach((line, index) => {
    oneLine(args, `commands[${index}]`, line);
    if (line.length > longestCommand) {
      args.fail(`commands[${index}]`, `is longer than ${longestCommand} characters`);
    }
  });
  return lines.filter((line) => line.trim() !== '');
}

function path(args: Arguments, name: string): string | undefined {
  const parts = args.stringOrStrings(name);
  parts?.forEach((part) => oneLine(args, name, part));
  return parts?.filter((part) => part !== '').join(';') || undefined;
}

/** Absolute, because nobody knows what folder the adapter runs in. */
function auditFile(args: Arguments): string | undefined {
  const file = args.optionalString('audit');
  if (file === undefined || file === '') return undefined;
  oneLine(args, 'audit', file);
  if (!(process.platform === 'win32' ? win32 : posix).isAbsolute(file)) {
    args.fail('audit', 'must be an absolute path; for example "${workspaceFolder}/kd-audit.jsonl"');
  }
  return file;
}

function oneLine(args: Arguments, name: string, text: string): void {
  if (/[\r\n\0]/.test(text)) args.fail(name, 'must be one line');
}

function refuse(args: Arguments, name: string, why: string): void {
  if (args.has(name)) args.fail(name, why);
}
