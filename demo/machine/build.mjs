// Compiles the machine: `node demo/machine/build.mjs` writes demo/out/machine.wasm; with --check it compiles to a
// temporary folder and fails when the bytes differ from the committed file. Needs clang and wasm-ld (lld).
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const committed = join(here, '..', 'out', 'machine.wasm');
const compiler = process.env.CLANG ?? 'clang';

const flags = [
  '--target=wasm32',
  '-std=c11',
  '-Os',
  '-nostdlib',
  '-ffreestanding',
  '-fno-builtin',
  '-fvisibility=hidden',
  '-mbulk-memory',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wl,--no-entry',
  '-Wl,--strip-all',
  '-Wl,-z,stack-size=65536',
];

function build(output) {
  const sources = readdirSync(here)
    .filter((name) => name.endsWith('.c'))
    .sort();
  // Relative names and a fixed folder, so that no path of this computer can get into the module.
  execFileSync(compiler, [...flags, ...sources, '-o', output], { cwd: here, stdio: 'inherit' });
}

function version() {
  return execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n')[0];
}

if (process.argv.includes('--check')) {
  const folder = mkdtempSync(join(tmpdir(), 'machine-'));
  try {
    build(join(folder, 'machine.wasm'));
    if (!readFileSync(join(folder, 'machine.wasm')).equals(readFileSync(committed))) {
      console.error(
        `demo/out/machine.wasm is not what ${version()} builds from demo/machine (Debian clang 14 made it)`,
      );
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  mkdirSync(dirname(committed), { recursive: true });
  build(committed);
}
