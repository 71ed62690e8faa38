import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { helpText, withOptionTable } from '../../src/cli/optionHelp';
import { optionRows } from '../../src/cli/optionTable';

describe('the option table', () => {
  it('is in docs/vskd.md as it is in the code (node scripts/docs.mjs writes it)', () => {
    const page = readFileSync(join(__dirname, '../../docs/vskd.md'), 'utf8');
    expect(page).toBe(withOptionTable(page));
  });

  it('names every option in the help, in lines that fit', () => {
    const help = helpText(100);
    for (const row of optionRows) expect(help).toContain(`-${row.name}`);
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});
