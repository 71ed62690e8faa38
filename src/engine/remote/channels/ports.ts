/** The serial ports this process has open for channels: each one once, shared, and closed when nobody needs it. */
import { realpath } from 'node:fs/promises';
import { errorText, UserError } from '../../base/errors';
import { openSerial } from '../../wire/serial';
import type { Wire } from '../../wire/wire';
import { remoteMessages as messages } from '../messages';
import { askOwner, offerPort } from './broker';
import { ChannelLine, RefusedError } from './line';

interface SharedPort {
  readonly baudRate: number;
  readonly line: Promise<ChannelLine>;
  users: number;
}

const ports = new Map<string, SharedPort>();
/** Milliseconds in which the last frames leave before the port is closed. */
const closeDelay = 300;

/** Channels of other processes that go through this one. */
const lent = new Set<Wire>();

/** Resolves when no other process uses a channel through this one, at the latest after `limit` milliseconds. */
export async function lentBack(limit: number): Promise<void> {
  const closed = [...lent].map((wire) => new Promise<void>((resolve) => wire.closed(() => resolve())));
  if (closed.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, limit)));
  await Promise.race([late, Promise.all(closed)]);
  clearTimeout(timer);
}

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
  const path = await devicePathOf(written);
  let port = ports.get(path);
  if (port && port.baudRate !== baudRate) throw new UserError(messages.otherBaudRate(written, port.baudRate));
  if (!port) {
    port = { baudRate, line: openLine(path, written, baudRate, open), users: 0 };
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
    return { line: await shared.line, release };
  } catch (error) {
    release();
    if (ports.get(path) === shared) ports.delete(path);
    throw error;
  }
}

async function openLine(
  path: string,
  written: string,
  baudRate: number,
  open: (path: string, baudRate: number) => Promise<Wire>,
): Promise<ChannelLine> {
  const line = new ChannelLine(await open(path, baudRate));
  const broker = await offerPort(path, async (channel, baud, signal) => {
    const wire = await openChannel(written, baud, channel, signal);
    lent.add(wire);
    wire.closed(() => lent.delete(wire));
    return wire;
  });
  line.broken(() => {
    broker?.close();
    ports.delete(path);
  });
  return line;
}

/**
 * A client's connection to a channel, on a port of this process or of another one of this user. Rejects with a one-line
 * UserError.
 */
export async function openChannel(
  written: string,
  baudRate: number,
  channel: number,
  signal: AbortSignal | undefined,
): Promise<Wire> {
  let lease: PortLease;
  try {
    lease = await leasePort(written, baudRate);
  } catch (error) {
    const path = await devicePathOf(written);
    const wire = ports.has(path) ? undefined : await askOwner(path, channel, baudRate, signal);
    if (!wire) throw error;
    return wire;
  }
  try {
    const wire = await lease.line.connect(channel, signal);
    wire.closed(() => lease.release());
    return wire;
  } catch (error) {
    lease.release();
    signal?.throwIfAborted();
    if (error instanceof RefusedError) {
      const line = error.busy ? messages.channelBusy : messages.noChannel;
      throw new UserError(line(written, channel));
    }
    throw new UserError(messages.lineSilent(written, baudRate, channel, errorText(error)), { cause: error });
  }
}

/** Two names of one device are one port. */
async function devicePathOf(written: string): Promise<string> {
  const device = devicePath(written);
  return realpath(device).catch(() => device);
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
