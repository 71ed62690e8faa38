// Writes the generated parts of docs/: the option table of docs/vskd.md. Tests fail while they differ from the code.
import * as esbuild from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = await esbuild.build({
  absWorkingDir: root,
  entryPoints: ['src/cli/optionHelp.ts'],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
});
const code = Buffer.from(built.outputFiles[0].text).toString('base64');
const { withOptionTable } = await import(`data:text/javascript;base64,${code}`);
const page = join(root, 'docs', 'vskd.md');
writeFileSync(page, withOptionTable(readFileSync(page, 'utf8')));
