// `npm start`: boots the demo machine, breaks in, opens it to clients on tcp port 5005 and shows a prompt.
// Arguments after `--` replace the default ones: npm start -- -remote tcp:Port=5005,Server=localhost
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, root } from './setup.mjs';

ensurePackages();
ensureBuilt();
const given = process.argv.slice(2);
const args = given.length > 0 ? given : ['-server', 'tcp:port=5005', '-k', 'demo:', '-b'];
const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args], { stdio: 'inherit' });
// Ctrl+C belongs to the debugger; this process only waits for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
child.on('error', (error) => {
  console.error(`vskd: ${error.message}`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
