/**
 * Tests that need a tool of the machine (QEMU, socat): where it is missing they are left out and said to be, except
 * in CI (`CI=true`), where a missing tool is a failure.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

export function hasTool(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A `describe` that runs only when `available`; `what` is named in the log when the tests are left out. */
export function describeWhen(available: boolean, what: string, name: string, body: () => void): void {
  if (available) {
    describe(name, body);
  } else if (process.env.CI === 'true') {
    describe(name, () => {
      it(`has ${what}`, () => {
        throw new Error(`${what} is missing; in CI every test must run.`);
      });
    });
  } else {
    process.stderr.write(`Left out: '${name}' (needs ${what}).\n`);
    describe(name, () => {
      it(`is left out: needs ${what}`, () => {});
    });
  }
}

/** A `describe` that needs a program on the PATH. */
export function describeWith(tools: string | readonly string[], name: string, body: () => void): void {
  const missing = [tools].flat().filter((tool) => !hasTool(tool));
  describeWhen(missing.length === 0, missing.join(', '), name, body);
}
