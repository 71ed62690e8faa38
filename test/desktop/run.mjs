// The Mocha suite of test/workbench inside a desktop VS Code: downloaded by @vscode/test-electron, or the one that
// VSCODE_PATH names. On Linux it wants a display (xvfb-run).
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensurePackages, root } from '../../scripts/setup.mjs';

ensurePackages();
ensureBuilt();
const { runTests } = await import('@vscode/test-electron');
const { bundleSuite } = await import('../workbench/bundle.mjs');

const run = join(dirname(fileURLToPath(import.meta.url)), '..', 'workbench', 'run', 'desktop');
rmSync(run, { recursive: true, force: true });
const folder = join(run, 'workspace');
mkdirSync(folder, { recursive: true });
try {
  const code = await runTests({
    ...(process.env.VSCODE_PATH ? { vscodeExecutablePath: process.env.VSCODE_PATH } : { version: 'stable' }),
    extensionDevelopmentPath: root,
    extensionTestsPath: await bundleSuite(run),
    launchArgs: [
      folder,
      '--disable-extensions',
      '--disable-workspace-trust',
      '--skip-welcome',
      '--no-sandbox',
    ],
  });
  process.exitCode = code;
} catch (error) {
  console.error(`Desktop suite: ${error.message}`);
  process.exitCode = 1;
}
