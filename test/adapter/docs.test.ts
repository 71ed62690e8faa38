import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { requestTable } from '../../src/adapter/requests/table';

it('docs/dap.md lists the requests that are answered, and no others', () => {
  const page = readFileSync('docs/dap.md', 'utf8');
  const table = page.slice(page.indexOf('## Requests'));
  const listed = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([\w/]+)`/g)].map(([, name]) => name),
  );
  expect(listed.sort()).toEqual([...requestTable.keys()].sort());
});
