/** The demo kernel in QEMU: a target on a real x64 CPU model, with its COM1 wherever a test wants it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasTool } from '../support/tools';
import { demoImage } from './demo';

export const qemuProgram = 'qemu-system-x86_64';

/** Where COM1 ends: a Unix socket or TCP port that QEMU listens on, or a terminal device that it opens. */
export type SerialEnd =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'device'; readonly path: string };

export interface QemuOptions {
  readonly serial: SerialEnd;
  /** Processors; 1 when left out. */
  readonly smp?: number;
  /** Start before a debugger is there (sockets only). */
  readonly unattended?: boolean;
}

export interface Qemu {
  readonly pid: number;
  /** Kills the machine, as pulling the plug does. */
  kill(): Promise<void>;
}

export function hasQemu(): boolean {
  return hasTool(qemuProgram);
}

/** A free port of this machine's, for `SerialEnd`. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a machine; resolves when its serial port can be connected to. A socket waits for the debugger before the
 * machine starts, so that no byte is lost. The caller kills it (`onTestFinished(() => qemu.kill())`).
 */
export async function startQemu({ serial, smp = 1, unattended = false }: QemuOptions): Promise<Qemu> {
  const child = spawn(
    qemuProgram,
    [
      ...['-accel', 'tcg', '-m', '32', '-smp', String(smp), '-kernel', demoImage],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-monitor', 'none', '-vga', 'none'],
      ...['-chardev', chardev(serial, unattended), '-serial', 'chardev:com1'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (bytes: Buffer) => (log = (log + bytes.toString()).slice(-4000)));
  const exited = once(child, 'exit');
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  };
  // Does not outlive the tests, whatever happens to them.
  const lastResort = () => child.kill('SIGKILL');
  process.once('exit', lastResort);
  child.once('exit', () => process.removeListener('exit', lastResort));

  const ready = () => {
    if (child.exitCode !== null) throw new Error(`QEMU ended with ${child.exitCode}: ${log}`);
    if (serial.kind === 'unix') return existsSync(serial.path);
    // A connection would be taken for the debugger's, so the message is all there is to go by.
    if (serial.kind === 'tcp' && !unattended) return log.includes('waiting for connection');
    return true;
  };
  for (let i = 0; !ready(); i++) {
    if (i > 500) {
      await kill();
      throw new Error(`QEMU did not open its serial port: ${log}`);
    }
    await sleep(20);
  }
  return { pid: child.pid ?? 0, kill };
}

function chardev(serial: SerialEnd, unattended: boolean): string {
  const wait = unattended ? 'off' : 'on';
  switch (serial.kind) {
    case 'unix':
      return `socket,id=com1,path=${serial.path},server=on,wait=${wait}`;
    case 'tcp':
      return `socket,id=com1,host=127.0.0.1,port=${serial.port},server=on,wait=${wait},nodelay=on`;
    default:
      return `serial,id=com1,path=${serial.path}`;
  }
}
