/** A file of this machine, or bytes in memory, as what the PDB reader reads. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { errorText, UserError } from '../../base/errors';
import type { RandomAccessFile } from './msf';

export interface LocalFile extends RandomAccessFile {
  dispose(): void;
}

/** Throws UserError when it cannot be opened. Dispose closes it. */
export function openLocalFile(path: string): LocalFile {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    throw new UserError(`Cannot open '${path}': ${reason(error)}`);
  }
  const status = fstatSync(handle);
  if (!status.isFile()) {
    closeSync(handle);
    throw new UserError(`Cannot open '${path}': it is no file.`);
  }
  return {
    name: basename(path),
    size: status.size,
    read: (offset, length) => readFully(handle, path, offset, length),
    dispose: () => closeSync(handle),
  };
}

export function fileInMemory(name: string, bytes: Uint8Array): RandomAccessFile {
  return { name, size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

function readFully(handle: number, path: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  try {
    while (done < length) {
      const count = readSync(handle, bytes, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
  } catch (error) {
    throw new UserError(`Cannot read '${path}': ${reason(error)}`);
  }
  return bytes.subarray(0, done);
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'there is no such file.';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied.';
  return errorText(error);
}
