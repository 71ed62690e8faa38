/**
 * Certificates of the Windows stores (`Cert:\CurrentUser\My`, `Cert:\LocalMachine\My`), through PowerShell: there is
 * no way to sign with a key that Windows does not let out, so only exportable ones can be used.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { errorText, UserError } from '../../base/errors';
import { asThumbprint } from './certificate';
import type { CertificateStore } from './folders';
import { certificateMessages as messages } from './messages';

const run = promisify(execFile);
const timeLimit = 20_000;

/** What is wanted comes in the environment, so that nothing of it is ever read as a command. */
const script = `
$ErrorActionPreference = 'Stop'
$wanted = $env:VSKD_WANTED
$found = Get-ChildItem "Cert:\\$($env:VSKD_STORE)\\My" | Where-Object {
  $_.HasPrivateKey -and ($_.Thumbprint -eq $wanted -or $_.GetNameInfo('SimpleName', $false) -eq $wanted -or
    $_.Subject -eq $wanted)
} | Sort-Object NotAfter | Select-Object -Last 1
if ($found) { [Convert]::ToBase64String($found.Export('Pfx', $env:VSKD_PASSPHRASE)) }
`;

export type RunPowerShell = (args: readonly string[], environment: Record<string, string>) => Promise<string>;

const powerShell: RunPowerShell = async (args, environment) => {
  const options = { timeout: timeLimit, windowsHide: true, env: { ...process.env, ...environment } };
  return (await run('powershell.exe', [...args], options)).stdout;
};

/** Undefined when the store has no such certificate. Throws UserError when it has, but keeps the key to itself. */
export async function exportFromWindows(
  wanted: string,
  store: CertificateStore,
  runScript: RunPowerShell = powerShell,
): Promise<{ readonly pfx: Buffer; readonly passphrase: string } | undefined> {
  const passphrase = randomBytes(24).toString('hex');
  const encoded = Buffer.from(script, 'utf16le').toString('base64');
  try {
    const printed = await runScript(['-NoProfile', '-NonInteractive', '-EncodedCommand', encoded], {
      VSKD_WANTED: asThumbprint(wanted) ?? wanted,
      VSKD_STORE: store === 'user' ? 'CurrentUser' : 'LocalMachine',
      VSKD_PASSPHRASE: passphrase,
    });
    const base64 = printed.replace(/\s+/g, '');
    return base64 === '' ? undefined : { pfx: Buffer.from(base64, 'base64'), passphrase };
  } catch (error) {
    const reason = errorText(error).replace(/\s+/g, ' ').slice(0, 160);
    throw new UserError(messages.notExportable(wanted, reason), { cause: error });
  }
}
