// Builds the demo machine's files into demo/out: the kernel, its drivers, the memory image and the interpreter.
// With --check: builds beside them and fails when a byte differs from what is committed.
import { runOrExit } from './setup.mjs';

const args = process.argv.slice(2);
for (const script of ['demo/build.mjs', 'demo/machine/build.mjs'])
  runOrExit(process.execPath, [script, ...args]);
