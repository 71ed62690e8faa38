// Bundles the Mocha suite for the extension host; `vscode` and `mocha` are found there at run time.
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from '../../scripts/setup.mjs';

/** Returns the path of the bundled entry. */
export async function bundleSuite(runFolder) {
  const outfile = join(runFolder, 'suite', 'index.js');
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['test/workbench/suite/index.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    logLevel: 'warning',
    external: ['vscode', 'mocha'],
    outfile,
  });
  return outfile;
}
