// The programs outside Node that some tests use: what is left out without each, and how to get it.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export const tools = [
  {
    name: 'qemu-system-x86_64',
    package: 'qemu-system-x86 seabios',
    without: 'the demo kernel on a real CPU model, over unix socket, tcp and serial',
  },
  { name: 'clang', package: 'clang', without: 'rebuilding the demo machine' },
  { name: 'lld-link', package: 'lld', without: 'rebuilding the demo machine' },
  { name: 'llvm-pdbutil', package: 'llvm', without: 'comparisons with LLVM as the oracle' },
  { name: 'socat', package: 'socat', without: 'serial ports on pseudo-terminal pairs' },
  { name: 'chromium', package: 'chromium', without: "the extension in VS Code's real workbench" },
  { name: 'python3', package: 'python3', without: 'vskd on a real pseudo-terminal' },
  ...['ip', 'nft'].map((name) => ({
    name,
    package: name === 'ip' ? 'iproute2' : 'nftables',
    without: 'two machines (network namespaces) with a firewall in between',
    system: 'linux',
  })),
  { name: 'stty', package: 'coreutils', without: 'vskd on a real pseudo-terminal' },
];

/** The program's path, or undefined. */
export function findTool(name) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  // Where administrators' programs are; not on the path of others.
  const more = process.platform === 'win32' ? [] : ['/usr/sbin', '/sbin'];
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...more]) {
    if (folder === '') continue;
    for (const ending of endings)
      if (existsSync(join(folder, name + ending))) return join(folder, name + ending);
  }
  return undefined;
}

export function missingTools() {
  return tools.filter(
    ({ name, system = process.platform }) => system === process.platform && findTool(name) === undefined,
  );
}

/** The one command that installs them (Debian and its kin; on other systems the package names are a hint). */
export function installCommand(missing) {
  const packages = [...new Set(missing.map((tool) => tool.package))].join(' ');
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages}`;
}
