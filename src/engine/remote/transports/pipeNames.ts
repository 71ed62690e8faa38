/**
 * From the name in `pipe=` to what is opened: a Windows pipe, elsewhere a socket in a folder that only the user can
 * enter. A name's number codes (`%x`, `%d`) stand for the process id and, the second one, the thread id.
 */
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { errorText, UserError } from '../../base/errors';
import { errorCode } from '../../wire/openErrors';
import { remoteMessages as messages } from '../messages';

/** Longest path of a Unix-domain socket that every system takes. */
const longestPath = 103;

/** The name without its number codes. */
export function finalPipeName(name: string): string {
  const ids = [process.pid, threadId];
  return name.replace(/%(?:0(\d))?([dux])/gi, (_code, width: string | undefined, form: string) => {
    const id = ids.shift();
    if (id === undefined) throw new UserError(messages.tooManyCodes(name));
    const digits = id.toString(/x/i.test(form) ? 16 : 10).padStart(Number(width ?? 0), '0');
    return form === 'X' ? digits.toUpperCase() : digits;
  });
}

/** What to open for pipe `name` of machine `host` (this one when left out). Throws UserError. */
export async function pipePath(name: string, host?: string): Promise<string> {
  if (process.platform === 'win32') {
    return `\\\\${host === undefined || isThisMachine(host) ? '.' : host}\\pipe\\${name}`;
  }
  if (host !== undefined && !isThisMachine(host)) throw new UserError(messages.pipeElsewhere(host));
  const folder = await runtimeFolder();
  return join(folder, fileName(name, longestPath - Buffer.byteLength(folder) - 1));
}

export function isThisMachine(host: string): boolean {
  const name = host.toLowerCase();
  if (['.', 'localhost', '::1', '[::1]'].includes(name) || /^127(\.\d{1,3}){3}$/.test(name)) return true;
  const own = hostname().toLowerCase();
  return name === own || name === own.split('.')[0];
}

/** Windows knows no upper and lower case in pipe names, so neither do we; a long name is shortened to its hash. */
function fileName(name: string, room: number): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9_.-]/g, (ch) => encodeURIComponent(ch).replaceAll('*', '%2a'));
  const safe = `pipe-${plain}`;
  if (safe.length <= room) return safe;
  return `pipe~${createHash('sha256').update(name.toLowerCase()).digest('hex').slice(0, 24)}`;
}

/** The user's own folder for things that live as long as a process; made when it is missing. */
export async function runtimeFolder(): Promise<string> {
  const own = process.env['XDG_RUNTIME_DIR'];
  const uid = process.getuid?.() ?? 0;
  const folder =
    own !== undefined && (await isFolder(own)) ? join(own, 'vscode-kd') : join(tmpdir(), `vscode-kd-${uid}`);
  try {
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    // Not stat: a link that somebody else put there is no folder of ours.
    const found = await lstat(folder);
    if (!found.isDirectory() || found.uid !== uid) throw new UserError(messages.foreignFolder(folder));
    if ((found.mode & 0o077) !== 0) await chmod(folder, 0o700);
    return folder;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(messages.noRuntimeFolder(folder, errorText(error)), { cause: error });
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch {
    return false;
  }
}
