// Finds the compiler and its companions, plain or with a version suffix, and runs them.
import { spawnSync } from 'node:child_process';

const VERSIONS = ['', '-14', '-15', '-16', '-17', '-18', '-19', '-20', '-21'];

/** The version whose output is committed: other versions give other bytes. */
export const REFERENCE_CLANG = '14.0.6';

/** Path-less name of the first variant of a tool that runs; throws a one-line error when there is none. */
function find(name) {
  for (const suffix of VERSIONS) {
    const candidate = name + suffix;
    const result = spawnSync(candidate, ['--version'], { encoding: 'utf8' });
    if (!result.error && result.status === 0) return candidate;
  }
  throw new Error(`${name} not found: install clang, lld and llvm (Debian: apt-get install clang lld llvm)`);
}

/** The tools the build needs and the compiler's version, for example "14.0.6". */
export function findTools() {
  const clang = find('clang');
  const version = /version (\d+\.\d+\.\d+)/.exec(
    spawnSync(clang, ['--version'], { encoding: 'utf8' }).stdout,
  )?.[1];
  return { clang, link: find('lld-link'), objcopy: find('llvm-objcopy'), version: version ?? 'unknown' };
}

/** Runs a tool in a folder; throws with its messages when it fails. */
export function run(tool, args, cwd) {
  const result = spawnSync(tool, args, { cwd, encoding: 'utf8' });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${tool} failed:\n${result.stdout}${result.stderr}`);
  if (result.stderr.trim()) process.stderr.write(result.stderr);
}
