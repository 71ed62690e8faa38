/** `IcfEnable`: a rule of the Windows firewall for the ports of a server. It stays, as documented. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorText } from '../base/errors';
import { remoteMessages as messages } from './messages';

const run = promisify(execFile);
const timeLimit = 10_000;

/** Returns the line that tells the user what came of it. */
export async function openFirewall(
  ports: readonly number[],
  platform: NodeJS.Platform = process.platform,
): Promise<string> {
  if (platform !== 'win32') return messages.firewallNotNeeded;
  const list = ports.join(',');
  try {
    const rule = ['dir=in', 'action=allow', 'protocol=TCP', `localport=${list}`];
    await run('netsh', ['advfirewall', 'firewall', 'add', 'rule', `name=vscode-kd ${list}`, ...rule], {
      timeout: timeLimit,
      windowsHide: true,
    });
    return messages.firewallOpened(list);
  } catch (error) {
    // netsh explains itself on its standard output.
    const said = typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : '';
    const line = (said.trim() || errorText(error)).replace(/\s+/g, ' ').slice(0, 200);
    return messages.firewallFailed(line);
  }
}
