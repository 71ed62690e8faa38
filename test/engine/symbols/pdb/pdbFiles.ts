/** The PDBs that tests can rely on: those of the demo machine and, when it is installed, those of `node-pty`. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../../../..');

export function pdbFiles(): string[] {
  const folders = [
    'demo/out',
    'node_modules/node-pty/prebuilds/win32-x64',
    'node_modules/node-pty/prebuilds/win32-arm64',
  ];
  return folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('.pdb'));
}
