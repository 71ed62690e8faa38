/**
 * Serial wires, through the `serialport` package. It is loaded when the first port is opened, so that a platform
 * without its native binary can do everything else.
 */
import type { SerialPort } from 'serialport';
import { UserError } from '../base/errors';
import { openError, openWithin } from './openErrors';
import { streamWire } from './stream';
import type { OpenOptions } from './tcp';
import type { Wire } from './wire';

export interface SerialAddress {
  /** `COM2`, `\\.\COM12`, `/dev/ttyUSB0`. */
  readonly path: string;
  readonly baudRate: number;
}

type SerialPortClass = typeof SerialPort;

/** Opens a port with 8 data bits, no parity, 1 stop bit, no flow control. Rejects with a one-line UserError. */
export async function openSerial(
  { path, baudRate }: SerialAddress,
  options: OpenOptions = {},
): Promise<Wire> {
  const PortClass = await loadSerialPort();
  const port = new PortClass({ path, baudRate, dataBits: 8, parity: 'none', stopBits: 1, autoOpen: false });
  try {
    await openWithin<void>(
      (resolve, reject) => {
        port.open((error) => {
          if (error) reject(error);
          else resolve();
        });
      },
      () => closePort(port),
      options.timeLimit ?? 10_000,
      `Opening serial port '${path}' takes too long; check the device.`,
      options.signal,
    );
  } catch (error) {
    throw serialError(error, path);
  }
  return streamWire(
    port,
    (error) =>
      new UserError(`The connection to serial port '${path}' broke: ${error.message}.`, { cause: error }),
    { shutDown: () => closeInOrder(port), destroy: () => closePort(port) },
  );
}

/** Closes after what was written before; closing at once would cancel it. */
function closeInOrder(port: SerialPort): void {
  if (!port.isOpen || port.writableLength === 0) closePort(port);
  else port.write(Buffer.alloc(0), () => closePort(port));
}

function closePort(port: SerialPort): void {
  if (port.isOpen) port.close(() => {});
  // The wait for it had ended while it was being opened.
  else if (port.opening) port.once('open', () => port.close(() => {}));
}

async function loadSerialPort(): Promise<SerialPortClass> {
  try {
    const module = await import('serialport');
    return module.SerialPort;
  } catch (error) {
    throw new UserError(
      `Serial ports are not available here: the 'serialport' package has no usable binary for ` +
        `${process.platform}-${process.arch}; reinstall it (npm install serialport) or use a pipe or TCP.`,
      { cause: error },
    );
  }
}

/** The binding reports errors as text; only some have the system's words in them. */
function serialError(error: unknown, path: string): UserError {
  const text = error instanceof Error ? error.message : String(error);
  const names = process.platform === 'win32' ? 'COM1, COM2, ...' : '/dev/ttyS0, /dev/ttyUSB0, ...';
  if (/no such file|file not found|cannot find/i.test(text)) {
    return new UserError(`There is no serial port '${path}'; check the name (${names}) and the cable.`, {
      cause: error,
    });
  }
  if (/cannot lock|busy|temporarily unavailable/i.test(text)) {
    return new UserError(`Serial port '${path}' is in use by another program; close that one first.`, {
      cause: error,
    });
  }
  if (/permission|access denied|access is denied/i.test(text)) {
    const hint =
      process.platform === 'win32'
        ? 'it is in use by another program, or not yours to open.'
        : "add your user to the port's group (often 'dialout').";
    return new UserError(`No permission to open serial port '${path}'; ${hint}`, { cause: error });
  }
  if (/not a tty|inappropriate ioctl|bad file|not a directory|is a directory|no such device/i.test(text)) {
    return new UserError(`'${path}' is no serial port; check the name (${names}).`, { cause: error });
  }
  return openError(error, { other: `Cannot open serial port '${path}'` });
}
