/** vertarget version .time .lastevent .crash .reboot ~ */
import { formatAddress } from '../../arch/format';
import { UserError } from '../../base/errors';
import type { SharedData } from '../../nt/sharedData';
import { formatFileTime, formatUpTime, readSharedData } from '../../nt/sharedData';
import { isCrashable, isRebootable, type TargetVersion } from '../../target/target';
import { version as productVersion } from '../../../../package.json';
import { noArguments } from '../arguments';
import type { CommandContext } from '../command';
import type { Engine } from '../engine';
import type { CommandRow } from '../rows';
import { findRow } from '../lookup';

const family = 'System';
const machines: Readonly<Record<number, string>> = { 0x8664: 'x64', 0x14c: 'x86', 0xaa64: 'ARM64' };
const products: Readonly<Record<number, string>> = { 1: 'WinNt', 2: 'LanManNt', 3: 'Server' };
const suites: readonly (readonly [bit: number, name: string])[] = [
  [0x02, 'Enterprise'],
  [0x10, 'TerminalServer'],
  [0x80, 'DataCenter'],
  [0x100, 'SingleUserTS'],
  [0x200, 'Personal'],
];
const MAX_LAB_LENGTH = 128;

function localOffset(time: Date): number {
  return -time.getTimezoneOffset();
}

function systemName(build: number): string {
  if (build >= 10240) return 'Windows 10';
  if (build >= 9600) return 'Windows 8.1';
  if (build >= 9200) return 'Windows 8';
  if (build >= 7600) return 'Windows 7';
  return 'Windows NT';
}

async function buildLab(engine: Engine): Promise<string | undefined> {
  const address = (await engine.kdbg())?.get('buildLab');
  if (address === undefined) return undefined;
  const bytes = await engine.target.readVirtual(address, MAX_LAB_LENGTH);
  const text = Buffer.from(bytes).toString('latin1').split('\0')[0] ?? '';
  return /^[\x20-\x7e]+$/.test(text) ? text : undefined;
}

function versionLine(engine: Engine, version: TargetVersion): string {
  const count = engine.target.processorCount;
  const kind = version.multiprocessor ? `MP (${count} proc${count === 1 ? '' : 's'})` : 'UP';
  const flavour = (version.majorVersion & 0xff) === 0x0c ? 'Checked' : 'Free';
  const machine = machines[version.machineType] ?? version.machineType.toString(16);
  return `${systemName(version.build)} Kernel Version ${version.build} ${kind} ${flavour} ${machine}`;
}

async function target({ engine, write }: CommandContext): Promise<void> {
  const { version, state } = engine.target;
  if (!version) throw new UserError('The target has not been reached yet.');
  const lines = [versionLine(engine, version)];
  const stopped = state === 'stopped';
  const shared = stopped ? await readShared(engine) : undefined;
  if (shared) {
    const suite = suites.filter(([bit]) => (shared.suiteMask & bit) !== 0).map(([, name]) => name);
    const product = products[shared.productType];
    if (product !== undefined)
      lines.push(`Product: ${product}${suite.length > 0 ? `, suite: ${suite.join(' ')}` : ''}`);
  }
  const lab = stopped ? await buildLab(engine) : undefined;
  if (lab !== undefined) lines.push(`Built by: ${lab}`);
  lines.push('Machine Name:');
  const address = (value: bigint) => `0x${formatAddress(value)}`;
  lines.push(
    `Kernel base = ${address(version.kernelBase)} PsLoadedModuleList = ${address(version.loadedModuleList)}`,
  );
  if (shared) lines.push(...timeLines(shared, localOffset(new Date())));
  write(lines.map((line) => `${line}\n`).join(''));
}

function readShared(engine: Engine): Promise<SharedData | undefined> {
  return readSharedData((address, length) => engine.target.readVirtual(address, length));
}

function timeLines(shared: SharedData, offset: number): string[] {
  return [
    `Debug session time: ${formatFileTime(shared.systemTime, offset)}`,
    `System Uptime: ${formatUpTime(shared.upTime)}`,
  ];
}

async function time({ engine, write }: CommandContext, text: string): Promise<void> {
  const match = /^(?:-h\s+([+-]?\d{1,2}))?$/.exec(text.trim());
  if (!match) throw new UserError(`Syntax error at '${text.trim()}': .time [-h HOURS].`);
  const shared = await readShared(engine);
  if (!shared)
    throw new UserError("Memory access error at '0xfffff780`00000000': the target's clock cannot be read.");
  const offset = match[1] === undefined ? localOffset(new Date()) : Number(match[1]) * 60;
  write(
    timeLines(shared, offset)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

async function lastEvent({ engine, write }: CommandContext, text: string): Promise<void> {
  noArguments('.lastevent', text);
  const event = engine.lastEvent;
  if (!event) throw new UserError('There has been no event yet.');
  const what =
    event.text === '' ? (event.stop.reason === 'switch' ? 'Processor switch' : 'Single step') : event.text;
  const fileTime = (BigInt(event.time.getTime()) + 11_644_473_600_000n) * 10_000n;
  write(`Last event: ${what.replaceAll('\n', ', ')}\n`);
  write(`  debugger time: ${formatFileTime(fileTime, localOffset(event.time))}\n`);
}

/** `~` lists; `~Ns` switches; `~N COMMAND` runs r or k for a processor. */
async function processor(context: CommandContext, text: string): Promise<void> {
  const { engine, write } = context;
  const count = engine.target.processorCount;
  if (text.trim() === '') {
    for (let i = 0; i < count; i++) {
      const registers = await engine.registers(i);
      const mark = i === engine.processor ? '.' : ' ';
      const symbol = (await engine.symbolFor(registers.pc)) ?? '';
      write(`${`${mark} ${i.toString().padStart(2)}  ${formatAddress(registers.pc)} ${symbol}`.trimEnd()}\n`);
    }
    return;
  }
  const match = /^\s*(\d{1,4})\s*(.*)$/s.exec(text);
  const rest = match?.[2]?.trim() ?? '';
  const number = Number(match?.[1]);
  if (!match || rest === '')
    throw new UserError(`Syntax error at '${text.trim()}': ~Ns makes N the current processor.`);
  if (number >= count) throw new UserError(`There is no processor ${number}; the target has ${count}.`);
  if (rest.toLowerCase() === 's') {
    // Reading first: what cannot be read is no place to be.
    await engine.registers(number);
    engine.processor = number;
    engine.cursor.code = undefined;
    return;
  }
  const found = findRow(rest);
  if (!found?.row.runOn)
    throw new UserError(`Syntax error at '${rest}': after ~${number} may stand s, r or k.`);
  await found.row.runOn(context, found.args, number);
}

export const systemCommands: readonly CommandRow[] = [
  {
    name: 'vertarget',
    syntax: 'vertarget',
    summary: 'Shows the version of the target.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    async run(context, text) {
      noArguments('vertarget', text);
      await target(context);
    },
  },
  {
    name: 'version',
    syntax: 'version',
    summary: 'Shows the versions of target and debugger.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    async run(context, text) {
      noArguments('version', text);
      if (context.engine.target.version) await target(context);
      context.write(
        `vskd ${productVersion}, Node.js ${process.version}, ${process.platform} ${process.arch}\n`,
      );
    },
  },
  {
    name: '.time',
    syntax: '.time [-h HOURS]',
    summary: "Shows the target's time and for how long it has been up.",
    tier: 1,
    family,
    whileRunning: 'wait',
    observer: true,
    run: time,
  },
  {
    name: '.lastevent',
    syntax: '.lastevent',
    summary: 'Shows what stopped the target last.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    run: lastEvent,
  },
  {
    name: '~',
    open: true,
    syntax: '~ | ~Ns | ~N COMMAND',
    summary: 'Lists processors; makes processor N the current one; runs r or k for it.',
    tier: 1,
    family,
    whileRunning: 'wait',
    run: processor,
  },
  {
    name: '.crash',
    syntax: '.crash',
    summary: 'Makes the target bugcheck.',
    tier: 1,
    family,
    whileRunning: 'wait',
    async run({ engine }, text) {
      noArguments('.crash', text);
      if (!isCrashable(engine.target))
        throw new UserError('This target cannot be made to bugcheck by the debugger.');
      await engine.target.crash();
    },
  },
  {
    name: '.reboot',
    syntax: '.reboot',
    summary: 'Restarts the target; the debugger waits for it.',
    tier: 1,
    family,
    whileRunning: 'wait',
    async run({ engine }, text) {
      noArguments('.reboot', text);
      if (!isRebootable(engine.target))
        throw new UserError('This target cannot be restarted by the debugger.');
      await engine.target.reboot();
    },
  },
];
