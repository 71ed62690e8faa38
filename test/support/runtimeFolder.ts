/** A runtime folder for one test: registries and sockets of its own. */
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary';

export function ownRuntimeFolder(): string {
  const folder = temporaryFolder();
  const name = process.platform === 'win32' ? 'TEMP' : 'XDG_RUNTIME_DIR';
  const before = process.env[name];
  process.env[name] = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
  return folder;
}
