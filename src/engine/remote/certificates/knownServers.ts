/**
 * Trust on first use: which certificate each server had when it was first met. One line per server in
 * `known-servers` of the user's folder: the server's address, a tab, the SHA-256 thumbprint.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorText, UserError } from '../../base/errors';
import { errorCode } from '../../wire/openErrors';
import { userFolder } from './folders';
import { certificateMessages as messages } from './messages';

const maxLines = 10_000;

export function knownServersFile(): string {
  return join(userFolder(), 'known-servers');
}

/** The thumbprint met before; undefined for a new server. Throws UserError. */
export async function knownThumbprint(server: string): Promise<string | undefined> {
  const line = (await readLines()).find((each) => each.startsWith(`${server}\t`));
  return line?.slice(server.length + 1);
}

export async function rememberThumbprint(server: string, thumbprint: string): Promise<void> {
  const file = knownServersFile();
  const lines = [...(await readLines()), `${server}\t${thumbprint}`].slice(-maxLines);
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    // By renaming, so that a reader never sees half a file.
    const next = `${file}.${process.pid}`;
    await writeFile(next, `${lines.join('\n')}\n`, { mode: 0o600 });
    await rename(next, file);
  } catch (error) {
    throw new UserError(messages.knownUnreadable(file, errorText(error)), { cause: error });
  }
}

async function readLines(): Promise<string[]> {
  const file = knownServersFile();
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => line !== '');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new UserError(messages.knownUnreadable(file, errorText(error)), { cause: error });
  }
}
