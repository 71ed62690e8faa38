/** lm x ln .reload */
import { formatAddress } from '../../arch/format';
import { UserError } from '../../base/errors';
import { formatFileTime } from '../../nt/sharedData';
import { Arguments } from '../arguments';
import type { CommandContext } from '../command';
import type { Engine, Module } from '../engine';
import { wildcard } from '../pattern';
import type { CommandRow } from '../rows';

const family = 'Symbols';
/** Symbols listed at most by one `x`. */
const MAX_LISTED = 20_000;

interface ListOptions {
  readonly flags: string;
  readonly namesOnly: boolean;
  readonly sorted: boolean;
  accept(module: Module): boolean;
}

async function parseList(engine: Engine, text: string): Promise<ListOptions> {
  const args = new Arguments(engine, text);
  let flags = '';
  let namesOnly = false;
  let sorted = false;
  let accept: (module: Module) => boolean = () => true;
  while (!args.atEnd) {
    const rest = args.rest;
    if (args.take(/1m/y)) {
      namesOnly = true;
      continue;
    }
    if (args.take(/sm(?![A-Za-z])/y)) {
      sorted = true;
      continue;
    }
    const letter = args.take(/[a-zA-Z]/y)?.[0];
    if (letter === 'a') {
      const address = await args.expression();
      accept = both(accept, ({ base, size }) => address >= base && address < base + BigInt(size));
    } else if (letter === 'm' || letter === 'M') {
      const pattern = args.take(/[^\s]+/y)?.[0];
      if (pattern === undefined) throw new UserError(`Syntax error at '${rest}': m and M need a pattern.`);
      const matches = wildcard(pattern);
      const path = letter === 'M';
      accept = both(accept, (module) => matches(path ? module.path : module.name));
    } else if (letter !== undefined && 'ovlkufintpceD'.includes(letter)) {
      flags += letter;
    } else {
      throw new UserError(`Syntax error at '${rest}'`);
    }
  }
  if (flags.includes('u') && !flags.includes('k')) accept = () => false;
  if (flags.includes('l'))
    accept = both(accept, ({ symbols }) => symbols !== undefined && symbols.kind !== 'no symbols');
  return { flags, namesOnly, sorted, accept };
}

function both(first: (module: Module) => boolean, second: (module: Module) => boolean) {
  return (module: Module) => first(module) && second(module);
}

async function list({ engine, write, signal }: CommandContext, text: string): Promise<void> {
  const { flags, namesOnly, sorted, accept } = await parseList(engine, text);
  const key = (module: Module) => (sorted ? module.name.toLowerCase() : module.base);
  const modules = (await engine.modules())
    .filter(accept)
    .sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  if (namesOnly) return write(modules.map(({ name }) => `${name}\n`).join(''));
  write('start             end                 module name\n');
  for (const module of modules) {
    signal.throwIfAborted();
    const end = module.base + BigInt(module.size);
    const head = `${formatAddress(module.base)} ${formatAddress(end)}   ${module.name.padEnd(8)}   `;
    write(`${(head + (await columns(engine, module, flags))).trimEnd()}\n`);
    if (flags.includes('v')) write(await details(engine, module));
  }
}

async function columns(engine: Engine, module: Module, flags: string): Promise<string> {
  const parts: string[] = [];
  if (flags.includes('f')) parts.push(module.path);
  if (flags.includes('i') || flags.includes('n') || flags.includes('p')) parts.push(module.imageName);
  if (flags.includes('t')) parts.push(timestampText((await stamps(engine, module)).timestamp));
  if (flags.includes('c')) parts.push((await stamps(engine, module)).checksum.toString(16).padStart(8, '0'));
  if (parts.length > 0) return parts.join('   ');
  const { symbols } = module;
  if (!symbols) return '(deferred)';
  return `(${symbols.kind})`.padEnd(23) + (symbols.kind === 'no symbols' ? '' : module.imageName);
}

/** The image's own, or the kernel's record of it where the headers are paged out. */
async function stamps(engine: Engine, module: Module): Promise<{ timestamp: number; checksum: number }> {
  if (module.timestamp !== 0 && module.checksum !== 0) return module;
  return (await imageDetails(engine, module)) ?? module;
}

function imageDetails(engine: Engine, module: Module) {
  return engine.target.state === 'stopped' ? engine.imageDetails(module) : Promise.resolve(undefined);
}

function timestampText(timestamp: number): string {
  const offset = -new Date().getTimezoneOffset();
  const time = formatFileTime((BigInt(timestamp) + 11_644_473_600n) * 10_000_000n, offset);
  return `${time.replace(/\.\d+/, '').replace(/ \(.*\)$/, '')} (${timestamp.toString(16).toUpperCase().padStart(8, '0')})`;
}

async function details(engine: Engine, module: Module): Promise<string> {
  const image = await imageDetails(engine, module);
  const { timestamp, checksum } = image ?? module;
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  const lines = [
    `Image path: ${module.path}`,
    `Image name: ${module.imageName}`,
    `Timestamp:        ${timestamp === 0 ? 'unavailable (00000000)' : timestampText(timestamp)}`,
    `CheckSum:         ${hex(checksum)}`,
    `ImageSize:        ${hex(module.size)}`,
  ];
  if (image?.pdb) {
    lines.push(`Symbol file:      ${image.pdb.path.replace(/[^\x20-\x7e]/g, '?')}`);
    lines.push(`Symbol id:        ${image.pdb.guid}${image.pdb.age.toString(16)}`);
  }
  return lines.map((line) => `    ${line}\n`).join('');
}

async function examine({ engine, write, signal }: CommandContext, text: string): Promise<void> {
  const pattern = text.trim();
  if (pattern === '') throw new UserError("Syntax error at '<EOL>': x MODULE!PATTERN, x *.");
  const [modulePattern = '', symbolPattern] = splitPattern(pattern);
  const modules = await engine.modules();
  if (symbolPattern === undefined && pattern === '*') {
    for (const { base, name } of modules) write(`${formatAddress(base)} ${name}\n`);
    return;
  }
  const wantedModule = symbolPattern === undefined ? () => true : wildcard(modulePattern);
  const wantedSymbol = wildcard(symbolPattern ?? modulePattern);
  const chosen = modules.filter(({ name }) => wantedModule(name));
  if (chosen.length === 0)
    throw new UserError(`Couldn't resolve error at '${pattern}': no module matches '${modulePattern}'.`);
  let listed = 0;
  for (const module of chosen) {
    for (const symbol of (await engine.loadSymbols(module)).all()) {
      signal.throwIfAborted();
      if (!wantedSymbol(symbol.name)) continue;
      if (++listed > MAX_LISTED)
        throw new UserError(`More than ${MAX_LISTED} symbols match; give a narrower pattern.`);
      write(`${formatAddress(symbol.address)} ${module.name}!${symbol.name}\n`);
    }
  }
}

function splitPattern(pattern: string): [string, string | undefined] {
  const bang = pattern.indexOf('!');
  return bang < 0 ? [pattern, undefined] : [pattern.slice(0, bang), pattern.slice(bang + 1)];
}

async function nearest({ engine, write }: CommandContext, text: string): Promise<void> {
  const args = new Arguments(engine, text);
  const address = args.atEnd ? (await engine.registers()).pc : await args.expression();
  args.end();
  const place = await engine.place(address);
  if (!place?.symbol) return;
  const { module, symbol, offset } = place;
  let line = `(${formatAddress(symbol.address)})   ${place.text}`;
  for (const other of (await engine.loadSymbols(module)).all()) {
    if (other.address <= address) continue;
    line += `   |  (${formatAddress(other.address)})   ${module.name}!${other.name}`;
    break;
  }
  write(`${line}\n`);
  if (offset === 0n) write(`Exact matches:\n    ${place.text}\n`);
}

async function reload({ engine, write }: CommandContext, text: string): Promise<void> {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const unknown = words.find((word) => !/^\/(d|f|i|l|n|o|s|u|unl|user|v|w)$/i.test(word));
  const wanted = words.filter((word) => !word.startsWith('/'));
  if (wanted.length > 1 || (unknown !== undefined && unknown.startsWith('/'))) {
    throw new UserError(`Syntax error at '${unknown ?? wanted[1] ?? ''}': .reload [/f] [MODULE].`);
  }
  await engine.reload();
  const modules = await engine.modules();
  const name = wanted[0]?.toLowerCase();
  const chosen = modules.filter(
    (m) => name === undefined || m.name.toLowerCase() === name || m.imageName.toLowerCase() === name,
  );
  if (chosen.length === 0)
    throw new UserError(`Couldn't resolve error at '${wanted[0]}': no such module is loaded.`);
  if (name !== undefined || words.some((word) => /^\/f$/i.test(word))) {
    for (const module of chosen) await engine.loadSymbols(module);
  }
  if (name !== undefined) return;
  write('Loading Kernel Symbols\n');
  for (let left = modules.length; left > 0; left -= 63) write(`${'.'.repeat(Math.min(left, 63))}\n`);
}

export const moduleCommands: readonly CommandRow[] = [
  {
    name: 'lm',
    // Options follow the name directly: lmv, lm1m, lmvm nt.
    suffix: /^(?:[ovlkufintpceDamM]|sm|1m)+(?=\s|$|[^A-Za-z])/,
    syntax: 'lm[ovlkufintc|1m|sm] [a ADDR] [m PATTERN | M PATH]',
    summary: 'Lists the loaded modules: v verbose, 1m names only, f paths, t times, sm sorted by name.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    run: list,
  },
  {
    name: 'x',
    syntax: 'x MODULE!PATTERN',
    summary: 'Lists the symbols that match; x * lists the modules.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    run: examine,
  },
  {
    name: 'ln',
    syntax: 'ln [ADDR]',
    summary: 'Shows the symbols nearest to an address.',
    tier: 1,
    family,
    whileRunning: 'wait',
    observer: true,
    run: nearest,
  },
  {
    name: '.reload',
    syntax: '.reload [/f] [MODULE]',
    summary: 'Reads the module list again and forgets symbols; with /f or a module loads them now.',
    tier: 1,
    family,
    whileRunning: 'wait',
    run: reload,
  },
];
