/** The search paths of a session: lists of places separated by `;`, each `srv*...` or a folder, as the user wrote them. */
import { Emitter } from '../base/emitter';
import { UserError } from '../base/errors';

export type PathKind = 'symbols' | 'source' | 'images';

const longest = 64 * 1024;

export class SearchPaths {
  private readonly paths = new Map<PathKind, string>();
  private readonly changes = new Emitter<PathKind>();
  /** Tells which path is another one now. */
  readonly changed = this.changes.event;

  /** Empty when nothing was set. */
  get(kind: PathKind): string {
    return this.paths.get(kind) ?? '';
  }

  /** Replaces the path; empty places are left out. Throws UserError when it is too long. */
  set(kind: PathKind, path: string): void {
    const clean = places(path).join(';');
    if (clean.length > longest) throw new UserError(`The path is longer than ${longest} characters.`);
    if (clean === this.get(kind)) return;
    this.paths.set(kind, clean);
    this.changes.fire(kind);
  }

  /** Appends places. */
  add(kind: PathKind, path: string): void {
    this.set(kind, `${this.get(kind)};${path}`);
  }
}

/** The places of a path, in order; quotation marks around the whole or a place go. */
export function places(path: string): string[] {
  return path
    .replace(/^\s*"(.*)"\s*$/s, '$1')
    .split(';')
    .map((place) => place.trim().replace(/^"(.*)"$/, '$1'))
    .filter((place) => place !== '');
}
