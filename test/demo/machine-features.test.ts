/** Exceptions, privilege, debug registers and devices: the machine and QEMU must both say what features.txt says. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasQemu, runOnMachine, runOnQemu, testImage } from './machineTools';

const expected = () => readFile(join(__dirname, 'machine-asm', 'features.txt'), 'latin1');

/** Where QEMU 7 differs from a processor: the error code of a bad gate is 8 times its number plus 2, not 16 times. */
const qemuSays: [string, string][] = [
  ['int through empty gate d 302', 'int through empty gate d 182'],
  ['user int 1 d 12', 'user int 1 d a'],
];

describe('features of the machine', () => {
  it('are those of a processor', async () => {
    const output = await runOnMachine(await testImage('features'));
    expect(output.toString('latin1')).toBe(await expected());
  });

  it.skipIf(!hasQemu && !process.env.CI)('are those that QEMU has', async () => {
    const output = await runOnQemu(await testImage('features'));
    const text = qemuSays.reduce(
      (said, [theirs, right]) => said.replace(theirs, right),
      output.toString('latin1'),
    );
    expect(text).toBe(await expected());
  });
});
