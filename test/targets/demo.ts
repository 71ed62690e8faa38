/** The demo kernel's files, as tests need them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const out = join(__dirname, '..', '..', 'demo', 'out');

export const demoImage = join(out, 'demo.img');

/** False until the demo kernel has been built (`npm run demo:build`). */
export function hasDemoImage(): boolean {
  return existsSync(demoImage);
}
