/** Where this program keeps certificates and what it knows of servers, per user and per machine. */
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** `%APPDATA%\vscode-kd`; elsewhere `$XDG_CONFIG_HOME/vscode-kd`, by default `~/.config/vscode-kd`. */
export function userFolder(environment: Environment = process.env): string {
  const base =
    process.platform === 'win32'
      ? (environment['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'))
      : environment['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(base, 'vscode-kd');
}

/** `%ProgramData%\vscode-kd`; elsewhere `/etc/vscode-kd`. */
export function machineFolder(environment: Environment = process.env): string {
  return join(
    process.platform === 'win32' ? (environment['ProgramData'] ?? 'C:\\ProgramData') : '/etc',
    'vscode-kd',
  );
}

/** Whose certificate is meant: `certuser=` or `machuser=`. */
export type CertificateStore = 'user' | 'machine';

export function certificateFolder(store: CertificateStore): string {
  return join(store === 'user' ? userFolder() : machineFolder(), 'certificates');
}
