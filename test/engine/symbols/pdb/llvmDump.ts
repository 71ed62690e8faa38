/** What `llvm-pdbutil dump` says about a PDB, in lines that can be compared with what the reader says. */
import { execFileSync } from 'node:child_process';

function* dump(path: string, option: string): Generator<string> {
  const text = execFileSync('llvm-pdbutil', ['dump', option, path], {
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
    timeout: 120_000,
  });
  yield* text.split('\n');
}

/** RVA of each section. */
export function llvmSections(path: string): number[] {
  const found: number[] = [];
  for (const line of dump(path, '-section-headers')) {
    if (line.includes('Original Section Headers')) break;
    const match = /^ *([0-9A-F]+) virtual address$/.exec(line);
    if (match) found.push(parseInt(match[1] ?? '', 16));
  }
  return found;
}

/** Records with an address, as `NAME SECTION:OFFSET` and, for procedures, ` SIZE`. */
export function llvmSymbols(path: string, option: string, kinds: RegExp): string[] {
  const found: string[] = [];
  let name: string | undefined;
  for (const line of dump(path, option)) {
    const record = /\| (S_\w+) \[size = \d+\] `(.*)`$/.exec(line);
    if (record) name = kinds.test(record[1] ?? '') ? record[2] : undefined;
    const address = /addr = (\d+):(\d+)(?:, code size = (\d+))?/.exec(line);
    if (name === undefined || !address) continue;
    const size = address[3] === undefined ? '' : ` ${address[3]}`;
    found.push(`${name} ${Number(address[1])}:${Number(address[2])}${size}`);
    name = undefined;
  }
  return found.sort();
}

/** Line records as `FILE SECTION:OFFSET LINE`, with ` !` for those that begin no statement. */
export function llvmLines(path: string): string[] {
  const found: string[] = [];
  let file = '';
  let section = 0;
  for (const line of dump(path, '-l')) {
    const head = /^(\S.*) \((?:MD5|SHA-1|SHA-256|no checksum)[^()]*\)$/.exec(line);
    const range = /^ {2}([0-9A-F]{4}):[0-9A-F]{8}-[0-9A-F]{8}, line\/addr/.exec(line);
    // For a module without lines, the tool shows those of the one before once more, with unknown files.
    if (/^\(unknown file name offset/.test(line)) file = '';
    else if (head) file = head[1] ?? '';
    else if (range) section = parseInt(range[1] ?? '', 16);
    else if (file !== '' && line.startsWith(' ')) {
      for (const [, number = '', offset = '', mark] of line.matchAll(/\b(\d+|ASI|NSI) ([0-9A-F]{8}) (!?)/g)) {
        const value = number === 'ASI' ? 0xfe_efee : number === 'NSI' ? 0xf0_0f00 : Number(number);
        found.push(`${file} ${section}:${parseInt(offset, 16)} ${value}${mark ? ' !' : ''}`);
      }
    }
  }
  return found.sort();
}

interface LlvmRecord {
  leaf: string;
  name: string;
  text: string;
}

const sizes: Readonly<Record<string, number>> = {
  '0x0010': 1,
  '0x0011': 2,
  '0x0012': 4,
  '0x0013': 8,
  '0x0020': 1,
  '0x0021': 2,
  '0x0022': 4,
  '0x0023': 8,
  '0x0030': 1,
  '0x0070': 1,
  '0x0071': 2,
  '0x0074': 4,
  '0x0075': 4,
  '0x0076': 8,
  '0x0077': 8,
};

/** Definitions as `LEAF NAME SIZE`, each followed by its members. */
export function llvmTypes(path: string): string[] {
  const records = new Map<string, LlvmRecord>();
  let current: LlvmRecord | undefined;
  for (const line of dump(path, '-types')) {
    const head = /^ *(0x[0-9A-F]+) \| (LF_\w+) \[size = \d+\](?: `(.*)`)?$/.exec(line);
    if (head) {
      current = { leaf: head[2] ?? '', name: head[3] ?? '', text: '' };
      records.set(head[1] ?? '', current);
    } else if (current) current.text += `${line}\n`;
  }
  const found: string[] = [];
  for (const { leaf, name, text } of records.values()) {
    if (!/^LF_(CLASS|STRUCTURE|UNION|ENUM|INTERFACE)$/.test(leaf) || text.includes('options: forward ref'))
      continue;
    const underlying = /underlying type: (0x\w+)/.exec(text)?.[1] ?? '';
    const size = leaf === 'LF_ENUM' ? sizes[underlying] : Number(/sizeof (\d+)/.exec(text)?.[1]);
    const list = /field list: (0x\w+)/.exec(text)?.[1];
    found.push([`${leaf} ${name} ${size}`, ...membersOf(list, records)].join('\n'));
  }
  return found.sort();
}

function membersOf(list: string | undefined, records: ReadonlyMap<string, LlvmRecord>): string[] {
  const members: string[] = [];
  const text = (list === undefined ? undefined : records.get(list))?.text ?? '';
  for (const line of text.split('\n')) {
    const field = /- LF_MEMBER \[name = `(.*)`, Type = (0x\w+).*?, offset = (\d+), attrs/.exec(line);
    const enumerator = /- LF_ENUMERATE \[(.*) = (-?\d+)\]$/.exec(line);
    const fixed = /- LF_STMEMBER \[name = `(.*)`, type = /.exec(line);
    const more = /- LF_INDEX \[.*(0x\w+)/.exec(line);
    if (field) members.push(`field ${field[1]} ${field[3]}${bits(records.get(field[2] ?? ''))}`);
    else if (enumerator) members.push(`enumerator ${enumerator[1]} ${enumerator[2]}`);
    else if (fixed) members.push(`static ${fixed[1]}`);
    if (more) members.push(...membersOf(more[1], records));
  }
  return members.sort();
}

function bits(record: LlvmRecord | undefined): string {
  const match =
    record?.leaf === 'LF_BITFIELD' ? /bit offset = (\d+), # bits = (\d+)/.exec(record.text) : null;
  return match ? ` bits ${match[1]}+${match[2]}` : '';
}
