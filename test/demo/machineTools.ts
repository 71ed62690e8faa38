/** Runs an image on the machine of demo/machine and on QEMU, and returns what it sent over COM1 until it reset. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compileMachine, DemoProcessor, Stop } from '../../src/engine/wire/demoProcessor';

const root = join(__dirname, '..', '..');

export const ramBytes = 32 << 20;

export function testImage(name: string): Promise<Buffer> {
  return readFile(join(root, 'test', 'demo', 'machine-asm', `${name}.bin`));
}

/** A processor with the image loaded; `run` must be called to make it go. */
export async function newProcessor(image: Uint8Array): Promise<DemoProcessor> {
  const wasm = await readFile(join(root, 'demo', 'out', 'machine.wasm'));
  return DemoProcessor.create(await compileMachine(wasm), image, ramBytes);
}

/** Ends with an error when the guest has not reset the machine after `limit` instructions. */
export function runUntilReset(processor: DemoProcessor, limit = 2e9): Buffer {
  const output: Uint8Array[] = [];
  const end = processor.executed + limit;
  while (processor.executed < end) {
    const reason = processor.run(1_000_000);
    output.push(processor.takeOutput());
    if (reason & Stop.reset) return Buffer.concat(output);
    if (reason & Stop.halt && processor.idleTime() < 0) throw new Error('The guest halted for good.');
  }
  throw new Error(`The guest did not finish in ${limit} instructions.`);
}

export async function runOnMachine(image: Uint8Array): Promise<Buffer> {
  return runUntilReset(await newProcessor(image));
}

export const hasQemu = ((): boolean => {
  try {
    execFileSync('qemu-system-x86_64', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

export async function runOnQemu(image: Uint8Array): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'machine-test-'));
  try {
    await writeFile(join(folder, 'image'), image);
    const options = ['-accel', 'tcg', '-m', '32', '-display', 'none', '-net', 'none', '-no-reboot'];
    await promisify(execFile)(
      'qemu-system-x86_64',
      [...options, '-serial', 'file:serial', '-kernel', 'image'],
      { cwd: folder, timeout: 120_000, killSignal: 'SIGKILL' },
    );
    return await readFile(join(folder, 'serial'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
