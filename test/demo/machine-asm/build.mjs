// Assembles the test images: `node test/demo/machine-asm/build.mjs` writes NAME.bin for each NAME.S here. The results
// are committed, so that the tests that need no QEMU need no assembler either. Needs clang, ld.lld and llvm-objcopy.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const run = (program, ...args) => execFileSync(program, args, { cwd: here, stdio: 'inherit' });

for (const source of readdirSync(here).filter((name) => name.endsWith('.S'))) {
  const folder = mkdtempSync(join(tmpdir(), 'machine-asm-'));
  try {
    const object = join(folder, 'a.o');
    const linked = join(folder, 'a.elf');
    run('clang', '--target=x86_64-unknown-elf', '-mcmodel=kernel', '-c', source, '-o', object);
    run('ld.lld', '-Ttext=0x100000', '--omagic', '-e', '0', object, '-o', linked);
    run('llvm-objcopy', '-O', 'binary', '-j', '.text', linked, source.replace(/S$/, 'bin'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
