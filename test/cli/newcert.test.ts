/** `vskd -newcert NAME`, as a user runs it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary';
import { vskd } from './support/vskd';

it('makes a certificate, once, and says how to use it', async () => {
  const folder = temporaryFolder();
  const environment = { XDG_CONFIG_HOME: folder, APPDATA: folder };
  const { code, stdout, stderr } = await vskd(['-newcert', 'lab'], environment).exit();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const thumbprint = /SHA-256\): ([0-9a-f]{64})\n/.exec(stdout)?.[1];
  expect(stdout).toContain('  .server ssl:proto=tls,certuser=lab,port=5005\n');
  expect(stdout).toContain(`  vskd -remote ssl:proto=tls,certuser=${thumbprint},port=5005,server=`);
  expect(existsSync(join(folder, 'vscode-kd', 'certificates', 'lab.pem'))).toBe(true);
  const again = await vskd(['-newcert', 'lab'], environment).exit();
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toContain('exists already');
});
