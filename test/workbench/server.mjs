// Starts VS Code's workbench as a web server (code-server) on a free loopback port, with an own profile that is
// thrown away, and stops it again.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeServerEntry, nodeForWorkbench } from './install.mjs';

const settings = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.layoutControl.enabled': false,
  'window.commandCenter': false,
  'window.menuBarVisibility': 'compact',
  'chat.disableAIFeatures': true,
  'git.enabled': false,
  'remote.autoForwardPorts': false,
  'debug.internalConsoleOptions': 'openOnSessionStart',
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'editor.minimap.enabled': false,
};

/** A port that was free just now: the preferred one, or else any. */
export function freePort(preferred = 0) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', (error) => (preferred === 0 ? reject(error) : resolve(freePort())));
    // On all interfaces, as a debugging server listens.
    probe.listen(preferred, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** `folder` is emptied; `vsix` is installed as a user would. Resolves with the address and a way to stop. */
export async function startWorkbench(folder, vsix) {
  for (const part of ['user', 'extensions']) rmSync(join(folder, part), { recursive: true, force: true });
  mkdirSync(join(folder, 'user', 'User'), { recursive: true });
  writeFileSync(join(folder, 'config.yaml'), '');
  writeFileSync(join(folder, 'user', 'User', 'settings.json'), JSON.stringify(settings, null, 2));
  const profile = [
    ['--config', join(folder, 'config.yaml')],
    ['--user-data-dir', join(folder, 'user')],
    ['--extensions-dir', join(folder, 'extensions')],
  ].flat();
  // The registry of debugging servers: an own one, so that only those of these windows are found. A short path, for
  // the workbench keeps its sockets there.
  const runtime = mkdtempSync(join(tmpdir(), 'kd-'));
  const env = {
    ...process.env,
    XDG_RUNTIME_DIR: runtime,
    EXTENSIONS_GALLERY: '{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}',
  };

  if (vsix !== undefined) {
    const installed = spawnSync(
      nodeForWorkbench,
      [codeServerEntry, ...profile, '--install-extension', vsix],
      {
        env,
        encoding: 'utf8',
        timeout: 60_000,
      },
    );
    if (installed.status !== 0) throw new Error(`installing ${vsix}: ${installed.stdout}${installed.stderr}`);
  }

  const port = await freePort();
  const log = createWriteStream(join(folder, 'code-server.log'));
  const flags = [
    ['--bind-addr', `127.0.0.1:${port}`, '--auth', 'none'],
    ['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust'],
    ['--disable-getting-started-override', '--ignore-last-opened'],
    // Without this the workbench ignores the tests named in the address.
    ['--vscode-option', 'enable-smoke-test-driver'],
  ].flat();
  const child = spawn(nodeForWorkbench, [codeServerEntry, ...profile, ...flags], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group: extension hosts and adapters go down with it.
    detached: true,
  });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const stop = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
    rmSync(runtime, { recursive: true, force: true });
  };
  child.on('exit', stop);
  process.on('exit', stop);
  await untilHealthy(port, child);
  return { port, stop };
}

async function untilHealthy(port, child) {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error('The workbench server ended at once; see code-server.log.');
    const ok = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('The workbench server did not come up within 30 s; see code-server.log.');
}
