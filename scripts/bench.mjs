// `npm run bench`: measures remote sessions (test/bench) and prints the numbers side by side. `--small` takes a minute
// less: fewer clients, less output.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, root } from './setup.mjs';

ensurePackages();
ensureBuilt();

const esbuild = await import('esbuild');
// Below the root, so that packages that cannot be bundled are found from there.
const folder = mkdtempSync(join(root, 'node_modules', '.vskd-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await esbuild.build({
  absWorkingDir: root,
  entryPoints: ['test/bench/main.ts', 'test/bench/server.ts', 'test/bench/clients.ts'],
  outdir: folder,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['serialport'],
  mainFields: ['main', 'module'],
  logLevel: 'warning',
});
// What the programs of dist/ find beside themselves.
for (const name of ['demo', 'iced_x86_bg.wasm'])
  cpSync(join(root, 'dist', name), join(folder, name), { recursive: true });
const { main } = createRequire(import.meta.url)(join(folder, 'main.js'));
process.exit(await main(folder, process.argv.includes('--small')));
