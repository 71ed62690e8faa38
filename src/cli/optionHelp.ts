/** The option table as text: `vskd -?`, and the Markdown table that docs/vskd.md holds between two markers. */
import { optionRows, type OptionGroup, type OptionRow } from './optionTable';

const groups: readonly OptionGroup[] = [
  'Session',
  'Services',
  'Start',
  'Output',
  'Paths',
  'Security',
  'About',
];

const beginMark = '<!-- begin generated: options -->';
const endMark = '<!-- end generated: options -->';

const helpIndent = 22;

/** What `vskd -?` prints; lines end with `\n`. */
export function helpText(width = 100): string {
  const lines = [
    'Usage: vskd [-server STRING]... -k CONNECTION [options]   own a session with a target kernel',
    '       vskd -remote STRING [options]                      join the session of a debugging server',
    '       vskd -QR HOST | -repeater ... | -kdsrv STRING      services; no debugger starts',
    '       vskd -symdump FILE.pdb                             look inside a PDB',
  ];
  for (const group of groups) {
    const rows = rowsOf(group, 'works');
    lines.push('', `${group}:`, ...rows.flatMap((row) => helpLines(row, width)));
  }
  lines.push('', 'Accepted without effect:', ...wrap(names('noEffect'), width, '  '));
  lines.push('', 'Not supported yet:', ...wrap(names('notYet'), width, '  '));
  lines.push('', "Options may begin with '/' too. Example: vskd -server tcp:port=5005 -k demo: -b");
  return lines.join('\n') + '\n';
}

/** The Markdown table of all options. */
export function optionMarkdown(): string {
  const lines = ['| Option | For | Meaning |', '| --- | --- | --- |'];
  for (const group of groups) {
    for (const row of optionRows.filter((each) => each.group === group)) {
      lines.push(`| \`${cell(spelling(row))}\` | ${audience(row)} | ${cell(meaning(row))} |`);
    }
  }
  return lines.join('\n');
}

/** `page` with the text between the markers replaced by the table of today. Throws when a marker is missing. */
export function withOptionTable(page: string): string {
  const begin = page.indexOf(beginMark);
  const end = page.indexOf(endMark, begin);
  if (begin < 0 || end < 0) throw new Error(`The page lacks '${beginMark}' or '${endMark}'.`);
  return `${page.slice(0, begin + beginMark.length)}\n\n${optionMarkdown()}\n\n${page.slice(end)}`;
}

function rowsOf(group: OptionGroup, status: OptionRow['status']): OptionRow[] {
  return optionRows.filter((row) => row.group === group && row.status === status);
}

function spelling(row: OptionRow): string {
  if (row.value === undefined) return `-${row.name}`;
  return row.optionalValue ? `-${row.name} [${row.value}]` : `-${row.name} ${row.value}`;
}

function names(status: OptionRow['status']): string {
  return optionRows
    .filter((row) => row.status === status)
    .map(spelling)
    .join(', ');
}

function audience(row: OptionRow): string {
  if (row.service) return 'alone';
  if (row.only === 'host') return 'owner';
  return row.only === 'client' ? 'client' : 'both';
}

function meaning(row: OptionRow): string {
  if (row.status === 'notYet') return `${row.help} Not supported yet.`;
  return row.status === 'noEffect' ? `Accepted without effect. ${row.help}` : row.help;
}

/** A `|` ends a table cell even in code, and a backslash there is literal. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function helpLines(row: OptionRow, width: number): string[] {
  const head = `  ${spelling(row)}`;
  const text = wrap(row.help, width, ' '.repeat(helpIndent));
  if (head.length >= helpIndent - 1) return [head, ...text];
  const [first = '', ...rest] = text;
  return [head.padEnd(helpIndent) + first.trimStart(), ...rest];
}

function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  lines.push(indent + line);
  return lines;
}
