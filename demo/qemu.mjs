// Starts QEMU with the demo kernel:  npm run demo:qemu -- [--smp N] [--serial SPEC] [QEMU options]
//   --smp N        processors, 1 to 4 (default 1)
//   --serial SPEC  what QEMU's -serial takes, for example tcp:127.0.0.1:4555,server=on,wait=off
//                  (default: a Unix socket, with the line to connect with)
// Everything else is passed on to QEMU. Ctrl+C ends it.
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const image = join(dirname(fileURLToPath(import.meta.url)), 'out', 'demo.img');

function parseArguments(args) {
  const options = { smp: '1', serial: undefined, rest: [] };
  for (let i = 0; i < args.length; i++) {
    const name = args[i];
    if (name !== '--smp' && name !== '--serial') {
      options.rest.push(name);
      continue;
    }
    const value = args[++i];
    if (value === undefined) throw new Error(`${name} needs a value`);
    if (name === '--smp' && !/^[1-4]$/.test(value)) throw new Error(`--smp ${value}: 1 to 4 processors`);
    options[name.slice(2)] = value;
  }
  return options;
}

/** How to connect to a -serial specification, or undefined when it is not one of the usual ones. */
function connection(serial) {
  const unix = /^unix:([^,]+)/.exec(serial);
  if (unix) return `com:pipe,port=${unix[1]},resets=0,reconnect`;
  const tcp = /^tcp:([^:,]*):(\d+)/.exec(serial);
  if (tcp) return `com:ipport=${tcp[2]},port=${tcp[1] || 'localhost'}`;
  return undefined;
}

function start() {
  const { smp, serial, rest } = parseArguments(process.argv.slice(2));
  const socket = join(tmpdir(), `demont-${process.pid}.sock`);
  const spec = serial ?? `unix:${socket},server=on,wait=off`;
  const args = ['-accel', 'tcg', '-m', '32', '-smp', smp, '-nodefaults', '-display', 'none'];
  const qemu = spawn('qemu-system-x86_64', [...args, '-kernel', image, '-serial', spec, ...rest], {
    stdio: 'inherit',
  });
  qemu.on('error', (error) => {
    console.error(
      error.code === 'ENOENT'
        ? 'qemu-system-x86_64 not found: install QEMU (Debian: qemu-system-x86)'
        : error.message,
    );
    process.exitCode = 1;
  });
  qemu.on('spawn', () => {
    const target = connection(spec);
    if (target) console.log(`Connect with:  vskd -k ${target}`);
  });
  qemu.on('exit', (code) => {
    if (serial === undefined && existsSync(socket)) rmSync(socket, { force: true });
    process.exitCode = code ?? 0;
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => qemu.kill());
}

try {
  start();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
