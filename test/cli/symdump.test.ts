/** `vskd -symdump FILE.pdb`, as a user runs it. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary';
import { vskd } from './support/vskd';

const demo = resolve(__dirname, '../../demo/out/demo.pdb');

it('writes what the PDB holds as JSON lines', async () => {
  const { code, stdout, stderr } = await vskd(['-symdump', demo]).exit();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const named = (kind: string, name: string) =>
    lines.find((line) => line.kind === kind && line.name === name);
  expect(new Set(lines.map((line) => line.kind))).toEqual(
    new Set(['public', 'procedure', 'global', 'type', 'line']),
  );
  const procedure = named('procedure', 'DriverEntry');
  expect(procedure).toEqual({
    kind: 'procedure',
    name: 'DriverEntry',
    rva: named('public', 'DriverEntry')?.rva,
    size: expect.any(Number) as number,
  });
  expect(named('type', '_LIST_ENTRY')).toMatchObject({
    class: 'struct',
    size: 16,
    fields: [
      { name: 'Flink', offset: 0, type: '_LIST_ENTRY *' },
      { name: 'Blink', offset: 8, type: '_LIST_ENTRY *' },
    ],
  });
  const first = lines.find((line) => line.kind === 'line' && line.rva === procedure?.rva);
  expect(first).toMatchObject({ file: '/demo/drivers/demo/driver.c', line: expect.any(Number) as number });
});

it('says what is wrong with a file, and exits with 1', async () => {
  const broken = join(temporaryFolder(), 'broken.pdb');
  writeFileSync(broken, 'not a PDB, but long enough to be one, as far as the superblock goes');
  expect(await vskd(['-symdump', broken]).exit()).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'vskd: broken.pdb: superblock: this is no PDB file (MSF 7.00)\n',
  });
  expect(await vskd(['-symdump', `${broken}x`]).exit()).toMatchObject({
    code: 1,
    stderr: `vskd: Cannot open '${broken}x': there is no such file.\n`,
  });
  expect((await vskd(['-symdump']).exit()).code).toBe(2);
});

it('ends quietly when nobody reads any more', async () => {
  const program = resolve(__dirname, '../../dist/cli.js');
  const script = `{ "$0" "$1" -symdump "$2"; echo "exit $?" >&2; } | head -n 1 | wc -l`;
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', script, process.execPath, program, demo]);
  expect([stdout.trim(), stderr]).toEqual(['1', 'exit 0\n']);
});
