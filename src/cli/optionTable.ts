/**
 * The command-line options of vskd, one row each. The parser (options.ts), `vskd -?` and the table in docs/vskd.md
 * (optionHelp.ts) read these rows and nothing else. Names and meanings are KD's, as its public documentation has them.
 */
import { UserError } from '../engine/base/errors';
import type { Service } from './serviceOptions';

export interface LogFile {
  readonly path: string;
  readonly append: boolean;
}

export interface CommandFile {
  readonly path: string;
  /** Run it again each time the target has been restarted. */
  readonly everyRestart: boolean;
}

/** What the rows fill in; checked as a whole by `parseOptions`. */
export interface Options {
  action: 'debug' | 'version' | 'help' | 'newcert' | 'service';
  /** Of `service`: `-QR`, `-repeater`, `-kdsrv`, `-symdump`. */
  service?: Service;
  /** Of `newcert`. */
  certificateName?: string;
  servers: string[];
  remote?: string;
  /** The `-k` string; empty for `-k` alone. */
  kernel?: string;
  initialBreak: boolean;
  noIo: boolean;
  secure: boolean;
  noShell?: boolean;
  /** The file of the session log. */
  audit?: string;
  symbolPath?: string;
  imagePath?: string;
  sourcePath?: string;
  localSourcePath?: string;
  verbose: boolean;
  noisySymbols: boolean;
  color: boolean;
  commands?: string;
  commandFile?: CommandFile;
  log?: LogFile;
  /** How many lines of earlier output those who join later get. */
  historyLines?: number;
  timeoutSeconds?: number;
}

/** `noEffect`: accepted, so that a WinDbg command line works, but changes nothing. `notYet`: refused by name. */
export type OptionStatus = 'works' | 'noEffect' | 'notYet';

export type OptionGroup = 'Session' | 'Services' | 'Start' | 'Output' | 'Paths' | 'Security' | 'About';

export interface OptionRow {
  /** Without the dash. */
  readonly name: string;
  /** Placeholder of the value, e.g. `FILE`. */
  readonly value?: string;
  /** The value may be left out. */
  readonly optionalValue?: boolean;
  /** `-server` and `-remote`: KD reads all others without regard to case. */
  readonly caseSensitive?: boolean;
  /** It comes first and takes the rest of the command line (serviceOptions.ts); no debugger starts. */
  readonly service?: boolean;
  /** Where it makes sense: for the owner of the session (`host`), for one who joins (`client`), both when left out. */
  readonly only?: 'host' | 'client';
  readonly status: OptionStatus;
  readonly group: OptionGroup;
  readonly help: string;
  /** Throws UserError for a bad value. */
  apply?(options: Options, value: string): void;
}

export const optionRows: readonly OptionRow[] = [
  {
    name: 'k',
    value: 'CONNECTION',
    optionalValue: true,
    only: 'host',
    status: 'works',
    group: 'Session',
    help: 'Debug the kernel at CONNECTION, e.g. demo:, com:port=COM1,baud=115200 or com:pipe,port=\\\\.\\pipe\\kd. Alone: the serial port of _NT_DEBUG_PORT and _NT_DEBUG_BAUD_RATE.',
    apply: (options, value) => (options.kernel = value),
  },
  {
    name: 'server',
    value: 'STRING',
    caseSensitive: true,
    only: 'host',
    status: 'works',
    group: 'Session',
    help: 'Open a debugging server, e.g. tcp:port=5005. Must come first; may be repeated.',
    apply: (options, value) => options.servers.push(value),
  },
  {
    name: 'remote',
    value: 'STRING',
    caseSensitive: true,
    only: 'client',
    status: 'works',
    group: 'Session',
    help: 'Join the session of a debugging server, e.g. tcp:Port=5005,Server=HOST. Must come first.',
    apply: (options, value) => (options.remote = value),
  },
  {
    name: 'timeout',
    value: 'SECONDS',
    status: 'works',
    group: 'Session',
    help: 'Give up (exit code 1) when the session or, with piped input, the target has not been reached by then.',
    apply: (options, value) => (options.timeoutSeconds = wholeNumber('timeout', value, 1, 86_400)),
  },
  {
    name: 'b',
    status: 'works',
    group: 'Start',
    help: 'Break in as soon as the target is reached. Implied for the owner of a session by piped input.',
    apply: (options) => (options.initialBreak = true),
  },
  {
    name: 'bonc',
    status: 'works',
    group: 'Start',
    help: 'Break in as soon as the session begins; also for one who joins a session whose target runs.',
    apply: (options) => (options.initialBreak = true),
  },
  {
    name: 'c',
    value: '"COMMANDS"',
    status: 'works',
    group: 'Start',
    help: 'Run these commands, separated by semicolons, before any other input.',
    apply: (options, value) => (options.commands = value),
  },
  {
    name: 'cf',
    value: 'FILE',
    status: 'works',
    group: 'Start',
    help: 'Run the commands of a file of this machine, line by line, after those of -c.',
    apply: (options, value) => (options.commandFile = { path: value, everyRestart: false }),
  },
  {
    name: 'cfr',
    value: 'FILE',
    status: 'works',
    group: 'Start',
    help: 'Like -cf, and once more at every first stop of a restarted target.',
    apply: (options, value) => (options.commandFile = { path: value, everyRestart: true }),
  },
  {
    name: 'd',
    status: 'notYet',
    group: 'Start',
    help: 'Break at the first kernel module load after a reboot.',
  },
  { name: 'x', status: 'notYet', group: 'Start', help: 'Break in at once on every exception.' },
  {
    name: 'noio',
    only: 'host',
    status: 'works',
    group: 'Start',
    help: 'No input and no output here: only for the clients of -server.',
    apply: (options) => (options.noIo = true),
  },
  {
    name: 'logo',
    value: 'FILE',
    status: 'works',
    group: 'Output',
    help: 'Write everything that is shown to a new file.',
    apply: (options, value) => (options.log = { path: value, append: false }),
  },
  {
    name: 'loga',
    value: 'FILE',
    status: 'works',
    group: 'Output',
    help: 'Write everything that is shown to the end of a file.',
    apply: (options, value) => (options.log = { path: value, append: true }),
  },
  {
    name: 'v',
    status: 'works',
    group: 'Output',
    help: 'Verbose output.',
    apply: (options) => (options.verbose = true),
  },
  {
    name: 'n',
    status: 'works',
    group: 'Output',
    help: 'Show how symbols are looked for (noisy symbol loading).',
    apply: (options) => (options.noisySymbols = true),
  },
  {
    name: 'clines',
    value: 'N',
    status: 'works',
    group: 'Output',
    help: 'Show at most N lines of what happened before joining.',
    only: 'client',
    apply: (options, value) => (options.historyLines = wholeNumber('clines', value, 0, 100_000)),
  },
  {
    name: 'nocolor',
    status: 'works',
    group: 'Output',
    help: 'No colours; also when NO_COLOR is set or the output is no terminal.',
    apply: (options) => (options.color = false),
  },
  {
    name: 'y',
    value: 'PATH',
    only: 'host',
    status: 'works',
    group: 'Paths',
    help: 'Symbol path (.sympath); symbols come from the exports of the images until PDB files are read.',
    apply: (options, value) => (options.symbolPath = value),
  },
  {
    name: 'i',
    value: 'PATH',
    only: 'host',
    status: 'works',
    group: 'Paths',
    help: 'Where the images of the target are (.exepath).',
    apply: (options, value) => (options.imagePath = value),
  },
  {
    name: 'srcpath',
    value: 'PATH',
    only: 'host',
    status: 'works',
    group: 'Paths',
    help: 'Source path of the session (.srcpath).',
    apply: (options, value) => (options.sourcePath = value),
  },
  {
    name: 'lsrcpath',
    value: 'PATH',
    only: 'client',
    status: 'works',
    group: 'Paths',
    help: 'Source path of this client alone (.lsrcpath); after -remote.',
    apply: (options, value) => (options.localSourcePath = value),
  },
  {
    name: 'secure',
    only: 'host',
    status: 'works',
    group: 'Security',
    help: 'Secure mode: no command touches this machine; cannot be turned off again.',
    apply: (options) => (options.secure = true),
  },
  {
    name: 'noshell',
    only: 'host',
    status: 'works',
    group: 'Security',
    help: 'No .shell for anybody, for the life of this debugger.',
    apply: (options) => (options.noShell = true),
  },
  {
    name: 'audit',
    value: 'FILE',
    only: 'host',
    status: 'works',
    group: 'Security',
    help: 'Append who did what in the session to a file that only you can read, one line of JSON each.',
    apply: (options, value) => (options.audit = value),
  },
  {
    name: 'newcert',
    value: 'NAME',
    status: 'works',
    group: 'Security',
    help: 'Make a certificate for ssl: and spipe: servers, print its thumbprint and how to use it, and exit.',
    apply: (options, value) => {
      options.action = 'newcert';
      options.certificateName = value;
    },
  },
  {
    name: 'version',
    status: 'works',
    group: 'About',
    help: 'Print the version and exit.',
    apply: (options) => (options.action = 'version'),
  },
  {
    name: '?',
    status: 'works',
    group: 'About',
    help: 'Print this list and exit (also -help).',
    apply: (options) => (options.action = 'help'),
  },
  { name: 'lines', status: 'noEffect', group: 'Output', help: 'Source line support; it is always on.' },
  { name: 's', status: 'noEffect', group: 'Output', help: 'No deferred symbol loading.' },
  { name: 'r', status: 'noEffect', group: 'Output', help: 'Registers at every stop; type r.' },
  {
    name: 't',
    value: '0..3',
    status: 'noEffect',
    group: 'Output',
    help: 'Error level of user-mode events.',
    apply: (_options, value) => void wholeNumber('t', value, 0, 3),
  },
  {
    name: 'ee',
    value: 'masm|c++',
    status: 'notYet',
    group: 'Output',
    help: 'Default expression evaluator.',
  },
  { name: 'kl', status: 'notYet', group: 'Session', help: 'Debug the kernel of this machine.' },
  {
    name: 'kx',
    value: 'STRING',
    status: 'notYet',
    group: 'Session',
    help: 'Debug by EXDI (hardware probe).',
  },
  { name: 'z', value: 'FILE', status: 'notYet', group: 'Session', help: 'Open a dump file.' },
  { name: 'zp', value: 'FILE', status: 'notYet', group: 'Session', help: 'Page file of a dump file.' },
  { name: 'p', value: 'PID', status: 'notYet', group: 'Session', help: 'Debug a process (user mode).' },
  {
    name: 'premote',
    value: 'STRING',
    status: 'notYet',
    group: 'Session',
    help: 'Use a process server (user mode).',
  },
  {
    name: 'QR',
    value: 'HOST',
    service: true,
    status: 'works',
    group: 'Services',
    help: 'List the servers of a machine.',
  },
  {
    name: 'repeater',
    value: '[-p] -s STRING -c STRING',
    service: true,
    status: 'works',
    group: 'Services',
    help: 'Let clients that connect to -s reach the debugging server of -c, without looking at what they say. Ends when a side has closed, but for -p.',
  },
  {
    name: 'kdsrv',
    value: 'STRING [-allow LINK]...',
    service: true,
    status: 'works',
    group: 'Services',
    help: 'Lend the target links of this machine to debuggers elsewhere (-k kdsrv:server=@{...},trans=@{...}). -allow LINK, e.g. com:port=COM1: no other.',
  },
  {
    name: 'symdump',
    value: 'FILE.pdb',
    service: true,
    status: 'works',
    group: 'Services',
    help: 'Write what a PDB holds to standard output, one line of JSON per symbol, type and source line.',
  },
];

/** Throws UserError that names the option when `value` is no whole decimal number in the range. */
function wholeNumber(name: string, value: string, low: number, high: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= low && number <= high)) {
    throw new UserError(
      `Bad value '${value.slice(0, 60)}' for '-${name}'; expected a number from ${low} to ${high}.`,
    );
  }
  return number;
}
