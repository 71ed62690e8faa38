// `npm run acceptance`: the acceptance checklist of remote sessions (test/acceptance) through real vskd processes.
// `--only 15,20` runs these points, `--transport ssl` (or a list) these transports.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, root } from './setup.mjs';
import { findTool } from './tools.mjs';

ensurePackages();
ensureBuilt();

const esbuild = await import('esbuild');
process.env.VSKD_PROGRAM ??= join(root, 'dist', 'cli.js');
const folder = mkdtempSync(join(tmpdir(), 'vskd-acceptance-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const outfile = join(folder, 'acceptance.cjs');
await esbuild.build({
  absWorkingDir: root,
  entryPoints: ['test/acceptance/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
});
const { main } = createRequire(import.meta.url)(outfile);
process.exit(await main(process.argv.slice(2), findTool('socat') !== undefined));
