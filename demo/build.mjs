// Builds the demo kernel, its drivers and the memory image into demo/out.
//   node demo/build.mjs          build
//   node demo/build.mjs --check  build into a temporary folder and compare with the committed files
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBootPage, buildImage, IMAGES } from './build/compile.mjs';
import { layoutImage } from './build/image.mjs';
import { findTools, REFERENCE_CLANG } from './build/tools.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const committed = join(root, 'out');
const OUTPUTS = [...IMAGES.flatMap((image) => [image.name, image.pdb]), 'demo.img'];

/** Builds everything; returns the folder with the results, to be removed by the caller. */
function build(tools) {
  const work = mkdtempSync(join(tmpdir(), 'demont-'));
  const out = join(work, 'out');
  mkdirSync(out);
  const files = IMAGES.map((image) => ({
    name: image.name,
    bytes: buildImage(tools, image, root, work),
    boot: image.boot,
  }));
  writeFileSync(join(out, 'demo.img'), layoutImage(buildBootPage(tools, root, work), files));
  return { work, out };
}

function sameBytes(a, b) {
  try {
    return readFileSync(a).equals(readFileSync(b));
  } catch {
    return false;
  }
}

function main() {
  const check = process.argv.includes('--check');
  const tools = findTools();
  const { work, out } = build(tools);
  try {
    if (!check) {
      mkdirSync(committed, { recursive: true });
      for (const file of OUTPUTS) copyFileSync(join(out, file), join(committed, file));
      return 0;
    }
    const different = OUTPUTS.filter((file) => !sameBytes(join(out, file), join(committed, file)));
    for (const file of different) console.error(`demo/out/${file} differs from what its sources give`);
    if (different.length > 0 && tools.version !== REFERENCE_CLANG)
      console.error(
        `built with clang ${tools.version}; the committed files come from clang ${REFERENCE_CLANG}`,
      );
    return different.length === 0 ? 0 : 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
