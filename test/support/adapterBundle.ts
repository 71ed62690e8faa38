/** The adapter as it is shipped: bundled once per test file into a folder of its own, with the demo machine beside it. */
import * as esbuild from 'esbuild';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface AdapterBundle {
  readonly program: string;
  remove(): void;
}

export async function bundleAdapter(): Promise<AdapterBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'kd-adapter-'));
  const program = join(folder, 'adapter.js');
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['src/adapter/main.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
    mainFields: ['main', 'module'],
    external: ['serialport'],
  });
  cpSync(join(root, 'node_modules', 'iced-x86', 'iced_x86_bg.wasm'), join(folder, 'iced_x86_bg.wasm'));
  const demo = join(root, 'demo', 'out');
  if (existsSync(demo)) cpSync(demo, join(folder, 'demo'), { recursive: true });
  return { program, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
