// Makes a fresh clone ready: installs packages when node_modules is missing or older than the lock file, and
// builds the bundles when a source is newer than they are. Plain Node, nothing from node_modules.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command with inherited output; exits this process with its code when it fails. */
export function runOrExit(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: needsShell(command),
    ...options,
  });
  if (result.error) {
    console.error(`${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** npm is a script on Windows, which only a shell starts. */
function needsShell(command) {
  return process.platform === 'win32' && command === 'npm';
}

function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function* filesUnder(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

export function ensurePackages() {
  const stamp = join(root, 'node_modules', '.vskd-lock');
  const want = fingerprint(['package-lock.json']);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) {
    console.error(`vscode-kd needs Node.js 20 or later; this is ${process.version}.`);
    process.exit(1);
  }
  console.error('Installing packages (once; a minute or so) ...');
  // Native parts come prebuilt inside the packages; no install script is needed, and none is run.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  runOrExit('npm', args, { stdio: ['ignore', 2, 2] });
  writeFileSync(stamp, want);
}

export function ensureBuilt() {
  const stamp = join(root, 'dist', '.vskd-sources');
  const sources = [
    ...filesUnder('src'),
    ...filesUnder('demo/out'),
    'scripts/build.mjs',
    'package.json',
  ].sort();
  const want = fingerprint(sources.filter((file) => statSync(join(root, file)).isFile()));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
  console.error('Building ...');
  runOrExit(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 2, 2] });
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, want);
}
