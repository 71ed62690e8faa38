/** The serial ports this process has open for channels: each one once, shared, and closed when nobody needs it. */
import { realpath } from 'node:fs/promises';
import { UserError } from '../../base/errors';
import { openSerial } from '../../wire/serial';
import type { Wire } from '../../wire/wire';
import { remoteMessages as messages } from '../messages';
import { ChannelLine } from './line';

interface SharedPort {
  readonly baudRate: number;
  readonly line: Promise<ChannelLine>;
  users: number;
}

const ports = new Map<string, SharedPort>();
/** Milliseconds in which the last frames leave before the port is closed. */
const closeDelay = 300;

export interface PortLease {
  readonly line: ChannelLine;
  /** Idempotent. */
  release(): void;
}

/** `2`, `com2`, `\\.\com12`, `/dev/ttyUSB0` as the system calls it. Throws UserError. */
export function devicePath(written: string, platform: NodeJS.Platform = process.platform): string {
  const number = /^(?:\\\\\.\\)?(?:com)?(\d{1,3})$/i.exec(written)?.[1];
  if (number === undefined) return written;
  if (platform === 'win32') return `\\\\.\\COM${number}`;
  if (platform === 'linux' && Number(number) > 0) return `/dev/ttyS${Number(number) - 1}`;
  throw new UserError(messages.devicePathNeeded(written));
}

/** Opens the port, or shares it when this process has it open already. Rejects with a one-line UserError. */
export async function leasePort(
  written: string,
  baudRate: number,
  open: (path: string, baudRate: number) => Promise<Wire> = (path, rate) =>
    openSerial({ path, baudRate: rate }),
): Promise<PortLease> {
  const device = devicePath(written);
  const path = await realpath(device).catch(() => device);
  let port = ports.get(path);
  if (port && port.baudRate !== baudRate) throw new UserError(messages.otherBaudRate(written, port.baudRate));
  if (!port) {
    const line = open(path, baudRate).then((wire) => new ChannelLine(wire));
    port = { baudRate, line, users: 0 };
    ports.set(path, port);
  }
  const shared = port;
  shared.users++;
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    shared.users--;
    if (shared.users === 0) void closeSoon(path, shared);
  };
  try {
    const line = await shared.line;
    line.broken(() => {
      if (ports.get(path) === shared) ports.delete(path);
    });
    return { line, release };
  } catch (error) {
    release();
    if (ports.get(path) === shared) ports.delete(path);
    throw error;
  }
}

/** Not at once: the last frames are still on their way, and the next server may want the same port. */
async function closeSoon(path: string, port: SharedPort): Promise<void> {
  const line = await port.line.catch(() => undefined);
  setTimeout(() => {
    if (port.users > 0 || ports.get(path) !== port) return;
    ports.delete(path);
    line?.close();
  }, closeDelay);
}
