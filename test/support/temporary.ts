/** A folder of its own for a test, with a short path (Unix sockets allow about 100 bytes). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kd-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
