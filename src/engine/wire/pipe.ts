/**
 * Pipe wires: a Windows named pipe (`\\.\pipe\NAME`, `\\HOST\pipe\NAME`) on Windows, a Unix-domain socket given by
 * its path elsewhere. Virtual machines offer their serial ports this way.
 */
import { unlinkSync } from 'node:fs';
import { lstat, unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { CancelledError, UserError } from '../base/errors';
import { errorCode, openError, openWithin } from './openErrors';
import {
  socketWire,
  startListening,
  stopListening,
  type ConnectionHandler,
  type Listener,
  type OpenOptions,
} from './tcp';
import type { Wire } from './wire';

/** Longest path of a Unix-domain socket that every system takes (sun_path less its NUL on macOS). */
const longestUnixPath = 103;

/** Milliseconds; a younger socket may be of a process that has bound it and does not listen yet. */
const youngest = 1000;

/** Connects as a client. Rejects with a one-line UserError; `cause` has the system's code (`ENOENT`). */
export async function connectPipe(path: string, options: OpenOptions = {}): Promise<Wire> {
  checkPath(path);
  if (options.signal?.aborted) throw new CancelledError();
  const socket = connect({ path });
  try {
    await openWithin<void>(
      (resolve, reject) => {
        socket.once('connect', () => resolve());
        socket.once('error', reject);
      },
      () => socket.destroy(),
      options.timeLimit ?? 10_000,
      `No answer on pipe '${path}'; check what owns it.`,
      options.signal,
    );
  } catch (error) {
    throw openError(error, {
      ENOENT: `There is no pipe '${path}'; check the name, and that the virtual machine is running.`,
      ENOTDIR: `There is no pipe '${path}'; check the path.`,
      ECONNREFUSED: `Nothing listens on pipe '${path}'; check that the virtual machine is running.`,
      ENOTSOCK: `'${path}' is no pipe; check the path.`,
      EACCES: `No permission to open pipe '${path}'; run with the rights of the virtual machine's owner.`,
      EPERM: `No permission to open pipe '${path}'; run with the rights of the virtual machine's owner.`,
      EBUSY: `Pipe '${path}' is in use by another program; close that one first.`,
      EAGAIN: `Pipe '${path}' is in use by another program; close that one first.`,
      other: `Cannot open pipe '${path}'`,
    });
  }
  return socketWire(socket, `pipe '${path}'`);
}

/** Listens on a pipe; a socket file that a dead process left behind is replaced. */
export async function listenPipe(path: string, onConnection: ConnectionHandler): Promise<Listener<string>> {
  checkPath(path);
  const server = createServer((socket) =>
    onConnection(socketWire(socket, `a client of pipe '${path}'`), path),
  );
  const listen = () => startListening(server, { path });
  await listen()
    .catch(async (error: unknown) => {
      if (errorCode(error) !== 'EADDRINUSE' || isWindows() || !(await isStale(path))) throw error;
      await unlink(path);
      await listen();
    })
    .catch((error: unknown) => {
      throw openError(error, {
        EADDRINUSE: `Pipe '${path}' is in use on this machine; choose another name.`,
        EACCES: `No permission to create pipe '${path}'.`,
        ENOENT: `Cannot create pipe '${path}': its folder does not exist.`,
        other: `Cannot create pipe '${path}'`,
      });
    });
  if (!isWindows()) removeAtExit(path);
  return {
    address: path,
    close: () => {
      listening.delete(path);
      return stopListening(server);
    },
  };
}

/** Sockets of this process. */
const listening = new Set<string>();
let watchesExit = false;

/** A process that exits without closing its sockets leaves them behind. */
function removeAtExit(path: string): void {
  listening.add(path);
  if (watchesExit) return;
  watchesExit = true;
  process.once('exit', () => {
    for (const each of listening) {
      try {
        unlinkSync(each);
      } catch {
        // Its folder may have gone before.
      }
    }
  });
}

/** Takes away a socket file that a killed process left behind. Never rejects. */
export async function removeDeadPipe(path: string): Promise<void> {
  if (isWindows()) return;
  try {
    const { mtimeMs } = await lstat(path);
    if (Date.now() - mtimeMs > youngest && (await isStale(path))) await unlink(path);
  } catch {
    // Somebody else has taken it away.
  }
}

function checkPath(path: string): void {
  const windowsForm = /^\\\\[^\\]+\\pipe\\./i.test(path);
  if (isWindows()) {
    if (!windowsForm) throw new UserError(`'${path}' is no pipe name; write it as \\\\.\\pipe\\NAME.`);
    return;
  }
  if (windowsForm) {
    throw new UserError(
      `'${path}' is a Windows pipe name; on this system give the path of a Unix-domain socket.`,
    );
  }
  if (Buffer.byteLength(path) > longestUnixPath) {
    throw new UserError(
      `The pipe's path is longer than ${longestUnixPath} bytes: '${path.slice(0, 60)}...'.`,
    );
  }
}

function isWindows(): boolean {
  return process.platform === 'win32';
}

/** True when the socket file exists and nobody listens on it. */
function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve(errorCode(error) === 'ECONNREFUSED'));
  });
}
