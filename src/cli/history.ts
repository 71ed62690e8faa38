/** The command history of the interactive prompt: a plain file, newest line last, of bounded length. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Environment } from './options';

/** Lines kept in the file and in memory. */
export const historyLimit = 1000;

/** The history file of this user. */
export function historyPath(environment: Environment): string {
  const state =
    process.platform === 'win32'
      ? (environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'))
      : (environment['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'));
  return join(state, 'vskd', 'history');
}

/** Newest first, as node:readline wants it; empty when there is none that can be read. */
export function loadHistory(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return lines.slice(-historyLimit).reverse();
  } catch {
    return [];
  }
}

/**
 * Writes the history (newest first). Lines with a password are left out; the file is only for its user. A history
 * that cannot be written is not worth an error.
 */
export function saveHistory(path: string, history: readonly string[]): void {
  const lines = history
    .filter((line) => !/password\s*=/i.test(line))
    .slice(0, historyLimit)
    .reverse();
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const fresh = `${path}.${process.pid}`;
    writeFileSync(fresh, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    renameSync(fresh, path);
  } catch {
    // The next session simply starts with the older history.
  }
}
