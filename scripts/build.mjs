// Bundles the programs into dist/ and puts the demo machine's files beside them.
import * as esbuild from 'esbuild';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const production = process.argv.includes('--production');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What the demo machine needs at run time; the PDBs are for the user's symbol path. */
const demoFiles = [
  'demo.img',
  'machine.wasm',
  'demont.exe',
  'demont.pdb',
  'demo.sys',
  'demo.pdb',
  'demoplug.sys',
  'demoplug.pdb',
];

/** Native modules cannot be bundled; they are loaded when first needed, from node_modules. */
const external = ['serialport'];

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: production ? false : 'linked',
  minify: production,
  logLevel: 'warning',
  // @vscode/debugadapter and the like have ESM entries that break in a CommonJS bundle.
  mainFields: ['main', 'module'],
  define: { 'process.env.VSKD_VERSION': JSON.stringify(version) },
};

/** What the extension rarely needs is a bundle beside it, loaded with `import()`. */
const discoveryApart = {
  name: 'discovery apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/engine\/remote\/discovery$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './discovery.js', external: true } : undefined,
    );
  },
};

// Files are replaced one by one: a program that runs from here never finds the folder empty.
mkdirSync(join(root, 'dist', 'demo'), { recursive: true });

await Promise.all([
  esbuild.build({
    ...common,
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/cli.js',
    external,
    banner: { js: '#!/usr/bin/env node' },
  }),
  esbuild.build({ ...common, entryPoints: ['src/adapter/main.ts'], outfile: 'dist/adapter.js', external }),
  esbuild.build({
    ...common,
    entryPoints: ['src/extension/extension.ts'],
    outfile: 'dist/extension.js',
    external: ['vscode'],
    plugins: [discoveryApart],
    // require() instead: the editor has its own way of loading extensions.
    supported: { 'dynamic-import': false },
  }),
  esbuild.build({
    ...common,
    entryPoints: ['src/engine/remote/discovery/index.ts'],
    outfile: 'dist/discovery.js',
  }),
]);

for (const file of demoFiles) {
  const from = join(root, 'demo', 'out', file);
  if (!existsSync(from)) throw new Error(`demo/out/${file} is missing; run "npm run demo:build".`);
  cpSync(from, join(root, 'dist', 'demo', file));
}
// iced-x86 finds its WebAssembly beside the bundle.
cpSync(join(root, 'node_modules', 'iced-x86', 'iced_x86_bg.wasm'), join(root, 'dist', 'iced_x86_bg.wasm'));
