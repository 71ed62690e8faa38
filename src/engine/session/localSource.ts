/**
 * The source path that one client keeps to itself (`.lsrcpath[+]`, `.lsrcfix[+]`): what the others must not know is
 * never sent to the session. Front ends hand over what was typed at their prompt before it goes there.
 */
import { SearchPaths } from '../command/searchPaths';
import { pathLine, sourceServer } from '../command/families/sessionPaths';

export class LocalSource {
  private readonly paths = new SearchPaths();
  /** Tells that it is another path now. */
  readonly changed = this.paths.changed;

  constructor(path = '') {
    this.paths.set('source', path);
  }

  get path(): string {
    return this.paths.get('source');
  }

  /** Runs a line typed at the prompt; the text to show, undefined when the line is for the session. */
  run(line: string): string | undefined {
    const match = /^\s*\.lsrc(path|fix)(?![A-Za-z_])(.*)$/is.exec(line);
    if (!match) return undefined;
    const [, command = '', rest = ''] = match;
    const fix = command.toLowerCase() === 'fix';
    const append = rest.startsWith('+');
    const path = fix ? sourceServer(rest).path : rest.slice(append ? 1 : 0).trim();
    if (path !== '') this.paths[append ? 'add' : 'set']('source', path);
    return pathLine('Local source search path is', this.path);
  }
}
