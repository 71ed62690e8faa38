// The extension in VS Code's real workbench: packages it, installs it as a user would, runs the Mocha suite inside
// the extension host and one scenario through the user interface in two windows.
//   node test/workbench/run.mjs [--only suite|scenario] [--screenshots FOLDER] [--no-package]
// --no-package runs the extension from this folder as built last, for quick rounds.
// The last line is `N passed, N failed`. Screenshots and logs are in test/workbench/run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensurePackages, root } from '../../scripts/setup.mjs';
import { findTool } from '../../scripts/tools.mjs';
import { ensureWorkbench } from './install.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: { only: { type: 'string' }, screenshots: { type: 'string' }, 'no-package': { type: 'boolean' } },
});
const ci = process.env.CI === 'true';

if (!options['no-package']) ensurePackages();
if (process.platform !== 'linux' || process.arch !== 'x64')
  leaveOut('the served workbench needs Linux on x64');
const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  .map(findTool)
  .find((path) => path !== undefined);
if (chromium === undefined) leaveOut('chromium is not installed');
ensureWorkbench();
// These need what was installed just now.
const { launchBrowser } = await import('./browser.mjs');
const { bundleSuite } = await import('./bundle.mjs');
const { runHostSuite } = await import('./hostSuite.mjs');
const { runScenario } = await import('./scenario.mjs');
const { startWorkbench } = await import('./server.mjs');

const run = join(here, 'run');
rmSync(run, { recursive: true, force: true });
const folders = Object.fromEntries(
  ['shots', 'host', 'client', 'suite-workspace'].map((name) => [name, join(run, name)]),
);
for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });

// Nothing below may hold up a build for ever.
const limit = setTimeout(() => finish({ passed: 0, failed: 1 }, 'Not done within 4 minutes.'), 240_000);
const totals = { passed: 0, failed: 0 };
let workbench;
let browser;
try {
  const tests = await bundleSuite(run);
  const development = options['no-package'] ? root : undefined;
  workbench = await startWorkbench(run, development ? undefined : packageExtension());
  browser = await launchBrowser(chromium);
  if (options.only !== 'scenario') {
    const { shots, 'suite-workspace': folder } = folders;
    // What was installed is what is tested.
    const extension = development ?? installedExtension();
    add(await runHostSuite(browser, workbench.port, { folder, extension, tests, shots }));
  }
  if (options.only !== 'suite') {
    const shots = options.screenshots === undefined ? folders.shots : resolve(options.screenshots);
    mkdirSync(shots, { recursive: true });
    add(await runScenario(browser, workbench.port, { ...folders, shots, development }));
  }
} catch (error) {
  console.log(error.stack);
  totals.failed++;
}
await finish(totals);

/** The .vsix, as `npm run package` makes it. */
function packageExtension() {
  const file = join(run, 'vscode-kd.vsix');
  const made = spawnSync('npm', ['run', '--silent', 'package', '--', '--out', file], {
    cwd: root,
    encoding: 'utf8',
  });
  console.log(made.stdout.trim().split('\n').at(-1));
  if (made.status !== 0) throw new Error(`vsce package failed:\n${made.stdout}${made.stderr}`);
  // Packaging builds for production; the tests of this repository want the usual build again.
  ensureBuilt();
  return file;
}

function installedExtension() {
  const folder = join(run, 'extensions');
  const name = readdirSync(folder).find((each) => each.startsWith('vscode-kd.'));
  if (name === undefined) throw new Error(`The extension is not in ${folder}.`);
  return join(folder, name);
}

function add({ passed, failed }) {
  totals.passed += passed;
  totals.failed += failed;
}

async function finish({ passed, failed }, message) {
  clearTimeout(limit);
  if (message !== undefined) console.log(message);
  workbench?.stop();
  await Promise.race([browser?.close(), new Promise((done) => setTimeout(done, 3000))]);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}

function leaveOut(why) {
  console.log(`Workbench tests left out: ${why}.`);
  console.log('0 passed, 0 failed');
  process.exit(ci ? 1 : 0);
}
