// `npm test`: sets itself up, then type check, lint, format, generated files, the test suite and the workbench.
// What needs a tool this machine lacks is left out and named at the end; with CI=true a missing tool is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, root } from './setup.mjs';
import { installCommand, missingTools } from './tools.mjs';

const ci = process.env.CI === 'true';
const missing = missingTools();
if (ci && missing.length > 0) {
  console.error(`Missing: ${missing.map((tool) => tool.name).join(', ')}. With CI=true that is a failure.`);
  console.error(`Install: ${installCommand(missing)}`);
  process.exit(1);
}

ensurePackages();
ensureBuilt();

const totals = { passed: 0, failed: 0, skipped: 0 };

function step(name, command, args) {
  const started = Date.now();
  console.log(`\n== ${name}`);
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  const ok = result.status === 0;
  console.log(`== ${name}: ${ok ? 'ok' : 'FAILED'} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  return ok;
}

/** A step that counts as one test. */
function check(name, args) {
  if (step(name, process.execPath, args)) totals.passed++;
  else totals.failed++;
}

const bin = (name, file) => join('node_modules', name, file);
check('types', [bin('typescript', 'bin/tsc'), '-p', '.']);
check('lint', [bin('eslint', 'bin/eslint.js'), '.']);
check('format', [
  bin('prettier', 'bin/prettier.cjs'),
  '--check',
  '--log-level',
  'warn',
  'src',
  'test',
  'scripts',
]);
if (!missing.some((tool) => tool.name === 'clang' || tool.name === 'lld-link')) {
  check('demo machine rebuilds to the committed bytes', ['scripts/demo.mjs', '--check']);
} else totals.skipped++;

const reportFolder = mkdtempSync(join(tmpdir(), 'vskd-test-'));
const report = join(reportFolder, 'report.json');
const ran = step('tests', process.execPath, [
  bin('vitest', 'vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
]);
if (existsSync(report)) {
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  totals.passed += numPassedTests;
  totals.failed += numFailedTests;
  totals.skipped += numPendingTests;
  if (!ran && numFailedTests === 0) totals.failed += Math.max(1, numFailedTestSuites);
} else totals.failed++;
rmSync(reportFolder, { recursive: true, force: true });

check('acceptance of remote sessions', ['scripts/acceptance.mjs']);

if (!missing.some((tool) => tool.name === 'chromium')) {
  check('VS Code workbench', ['test/workbench/run.mjs']);
} else totals.skipped++;

console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
if (missing.length > 0) {
  for (const tool of missing) console.log(`Left out without ${tool.name}: ${tool.without}.`);
  console.log(`Install: ${installCommand(missing)}`);
}
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);
