/** .sympath .symfix .srcpath .srcfix .exepath, each with +, and .lsrcpath .lsrcfix, which belong to the client */
import { UserError } from '../../base/errors';
import type { PathKind } from '../searchPaths';
import type { CommandRow } from '../rows';

const family = 'Paths';
const microsoftServer = 'https://msdl.microsoft.com/download/symbols';

/** What each path is called when it is shown, in the words of the field. */
const titles: Readonly<Record<PathKind, string>> = {
  symbols: 'Symbol search path is',
  source: 'Source search path is',
  images: 'Executable image search path is',
};

/** The line that shows a path. */
export function pathLine(title: string, path: string): string {
  return `${title}: ${path === '' ? '<empty>' : path}\n`;
}

/** `.srcpath` and its kin: with `+` the places are appended; without any the path is shown. */
function pathRow(name: string, kind: PathKind, what: string): CommandRow {
  return {
    name,
    syntax: `${name}[+] [PATH[;PATH...]]`,
    summary: `Shows, sets or (+) extends the ${what} path of the session.`,
    tier: 2,
    family,
    whileRunning: 'run',
    takesWholeLine: true,
    async run({ engine, write }, text) {
      const append = text.startsWith('+');
      const path = text.slice(append ? 1 : 0).trim();
      if (path !== '') engine.paths[append ? 'add' : 'set'](kind, path);
      write(pathLine(titles[kind], engine.paths.get(kind)));
    },
  };
}

/** `.srcfix PATHS` is `.srcpath srv*;PATHS`. */
function sourceFix(): CommandRow {
  return {
    name: '.srcfix',
    syntax: '.srcfix[+] [PATH[;PATH...]]',
    summary: 'Sets or (+) extends the source path of the session to a source server, then PATHs.',
    tier: 2,
    family,
    whileRunning: 'run',
    takesWholeLine: true,
    async run({ engine, write }, text) {
      const { append, path } = sourceServer(text);
      engine.paths[append ? 'add' : 'set']('source', path);
      write(pathLine(titles.source, engine.paths.get('source')));
    },
  };
}

/** The arguments of `.srcfix[+]` and `.lsrcfix[+]` as a path. */
export function sourceServer(text: string): { readonly append: boolean; readonly path: string } {
  const append = text.startsWith('+');
  return { append, path: `srv*;${text.slice(append ? 1 : 0)}` };
}

const symbolFix: CommandRow = {
  name: '.symfix',
  syntax: '.symfix[+] [LOCALSTORE]',
  summary: 'Sets or (+) extends the symbol path to the public symbol server, kept in LOCALSTORE.',
  tier: 2,
  family,
  whileRunning: 'run',
  takesWholeLine: true,
  async run({ engine, write }, text) {
    const append = text.startsWith('+');
    const store = text.slice(append ? 1 : 0).trim();
    const path = store === '' ? 'srv*' : `srv*${store}*${microsoftServer}`;
    engine.paths[append ? 'add' : 'set']('symbols', path);
    write(pathLine(titles.symbols, engine.paths.get('symbols')));
  },
};

/** These never reach the session when they are typed at a client's prompt; here they come from scripts. */
function localRow(name: string, summary: string): CommandRow {
  return {
    name,
    syntax: `${name}[+] [PATH[;PATH...]]`,
    summary,
    tier: 2,
    family,
    whileRunning: 'run',
    takesWholeLine: true,
    observer: true,
    async run() {
      throw new UserError(
        `${name} acts at one client alone: type it at that client's prompt, on a line of its own; it is refused in -c and in scripts.`,
      );
    },
  };
}

export const pathCommands: readonly CommandRow[] = [
  pathRow('.sympath', 'symbols', 'symbol'),
  symbolFix,
  pathRow('.srcpath', 'source', 'source'),
  sourceFix(),
  pathRow('.exepath', 'images', 'executable image'),
  localRow('.lsrcpath', 'Shows, sets or (+) extends the source path of this client alone.'),
  localRow('.lsrcfix', 'Sets or (+) extends the source path of this client alone to a source server.'),
];
