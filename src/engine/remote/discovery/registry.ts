/**
 * The servers of this machine that their owners let others see, one small JSON file each, in a folder that only the
 * user can enter. A process that was killed leaves its files behind; whoever reads the folder next removes them.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { oneLine } from '../../session/text';
import { errorCode } from '../../wire/openErrors';
import { runtimeFolder } from '../transports/pipeNames';

/** `kernel`: a KD connection server. */
export type ServerKind = 'debugger' | 'process' | 'kernel';

export interface ServerEntry {
  /** Of this entry, everywhere; tells nothing. */
  readonly id: string;
  readonly pid: number;
  readonly kind: ServerKind;
  /** As `.servers` shows it: no password, no machine. */
  readonly spec: string;
  /** What a client of it gives; `Password=*` where it needs one. */
  readonly clientString: string;
  /** Other machines may know of it. */
  readonly advertise: boolean;
  /** Milliseconds since the epoch. */
  readonly started: number;
}

/** Larger than any entry. */
const maxFileSize = 8192;
const maxFiles = 1000;
const fileName = /^(\d{1,10})-([0-9a-f]{16})\.json$/;

export type NewEntry = Pick<ServerEntry, 'kind' | 'spec' | 'clientString' | 'advertise'>;

export interface Registered {
  readonly entry: ServerEntry;
  /** Takes it out again. */
  dispose(): Promise<void>;
}

/** Rejects with what the file system says. */
export async function registerServer(server: NewEntry): Promise<Registered> {
  const folder = await registryFolder();
  const id = randomBytes(8).toString('hex');
  const entry: ServerEntry = { id, pid: process.pid, started: Date.now(), ...server };
  const path = join(folder, `${process.pid}-${id}.json`);
  const draft = `${path}.new`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(entry));
  } finally {
    await file.close();
  }
  await rename(draft, path);
  return { entry, dispose: () => rm(path, { force: true }) };
}

/** The servers of this user's living processes, oldest first. Never rejects: what cannot be read is not there. */
export async function registeredServers(): Promise<ServerEntry[]> {
  try {
    const folder = await registryFolder();
    const names = (await readdir(folder)).slice(0, maxFiles);
    const entries: ServerEntry[] = [];
    for (const name of names) {
      const path = join(folder, name);
      const match = fileName.exec(name.replace(/\.new$/, ''));
      if (!match?.[1] || !match[2]) continue;
      if (!isAlive(Number(match[1]))) await rm(path, { force: true });
      else if (!name.endsWith('.new')) {
        const entry = parseEntry(await readSmall(path), Number(match[1]), match[2]);
        if (entry) entries.push(entry);
      }
    }
    return entries.sort((a, b) => a.started - b.started || (a.id < b.id ? -1 : 1));
  } catch {
    return [];
  }
}

async function registryFolder(): Promise<string> {
  const folder = join(await runtimeFolder(), 'servers');
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  return folder;
}

async function readSmall(path: string): Promise<string> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(maxFileSize), position: 0 });
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    // Its server has ended meanwhile.
    return '';
  }
}

function parseEntry(text: string, pid: number, id: string): ServerEntry | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof ServerEntry, unknown>>;
    const { kind, spec, clientString, advertise, started } = value;
    if (!isKind(kind) || typeof spec !== 'string' || typeof clientString !== 'string') return undefined;
    return {
      id,
      pid,
      kind,
      spec: oneLine(spec, 1024),
      clientString: oneLine(clientString, 1024),
      advertise: advertise === true,
      started: typeof started === 'number' ? started : 0,
    };
  } catch {
    return undefined;
  }
}

export function isKind(value: unknown): value is ServerKind {
  return value === 'debugger' || value === 'process' || value === 'kernel';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
