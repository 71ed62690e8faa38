/**
 * Two machines on one cable, by Linux network namespaces: `lab` with a firewall that lets nobody in unless told to,
 * and `desk`. Nothing outside of them is touched. Needs root, `ip` (iproute2) and `nft` (nftables).
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { errorText } from '../../../src/engine/base/errors';
import { hasTool } from '../../support/tools';

const run = promisify(execFile);
const limit = { timeout: 10_000 };

export const tools = ['ip', 'nft'];

/** Why there are none on this machine although the tools are; undefined when there are. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'root on Linux';
  if (tools.some((tool) => !hasTool(tool))) return undefined;
  const name = `kd${process.pid}probe`;
  const ip = (...args: string[]) => execFileSync('ip', args, { ...limit, stdio: 'pipe' });
  try {
    ip('netns', 'add', name);
    try {
      ip('-n', name, 'link', 'add', 'p0', 'type', 'veth', 'peer', 'name', 'p1');
      ip('netns', 'exec', name, 'nft', rules([]));
    } finally {
      ip('netns', 'del', name);
    }
    return undefined;
  } catch (error) {
    return `network namespaces, which this system refuses (${errorText(error).replace(/\s+/g, ' ').trim()})`;
  }
}

export type Machine = 'lab' | 'desk';

const addresses: Record<Machine, string> = { lab: '10.99.7.1', desk: '10.99.7.2' };
const addresses6: Record<Machine, string> = { lab: 'fd99:7::1', desk: 'fd99:7::2' };

/** An input chain that lets in answers, what the machine says to itself, and these tcp ports. */
function rules(ports: readonly number[]): string {
  return [
    'add table inet fence',
    'flush table inet fence',
    'add chain inet fence input { type filter hook input priority 0 ; policy drop ; }',
    'add rule inet fence input ct state established,related accept',
    'add rule inet fence input iif lo accept',
    'add rule inet fence input icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
    ...ports.map((port) => `add rule inet fence input tcp dport ${port} accept`),
  ].join('\n');
}

let count = 0;

export class TwoMachines {
  private readonly id = `kd${process.pid}n${count++}`;
  private readonly made: string[] = [];

  private constructor() {}

  static async open(): Promise<TwoMachines> {
    const machines = new TwoMachines();
    try {
      await machines.build();
      return machines;
    } catch (error) {
      await machines.close();
      throw error;
    }
  }

  address(machine: Machine): string {
    return addresses[machine];
  }

  address6(machine: Machine): string {
    return addresses6[machine];
  }

  /** What to put before a command so that it runs on that machine. */
  on(machine: Machine): string[] {
    return ['ip', 'netns', 'exec', this.name(machine)];
  }

  /** The lab's firewall lets connections to these ports in, and no others. */
  async letIn(...ports: number[]): Promise<void> {
    await run('ip', ['netns', 'exec', this.name('lab'), 'nft', rules(ports)], limit);
  }

  /** Pulls the desk's end of the cable, or puts it back. Neither machine is told anything by the other. */
  async cable(plugged: boolean): Promise<void> {
    await this.ip('-n', this.name('desk'), 'link', 'set', 'cable', plugged ? 'up' : 'down');
  }

  /** Processes of a machine. */
  async processes(machine: Machine): Promise<number[]> {
    const { stdout } = await run('ip', ['netns', 'pids', this.name(machine)], limit);
    return stdout.split('\n').filter(Boolean).map(Number);
  }

  /** Ports of a machine that are listened on. */
  async listening(machine: Machine): Promise<number[]> {
    const args = ['netns', 'exec', this.name(machine), 'cat', '/proc/net/tcp', '/proc/net/tcp6'];
    const { stdout } = await run('ip', args, limit);
    // `N: ADDRESS:PORT REMOTE:PORT STATE`, in hexadecimal; state 0A is LISTEN.
    const rows = stdout.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm);
    return [...rows].map(([, port]) => parseInt(port ?? '', 16));
  }

  async close(): Promise<void> {
    for (const name of this.made.splice(0)) await this.ip('netns', 'del', name).catch(() => {});
  }

  private async build(): Promise<void> {
    for (const machine of ['lab', 'desk'] as const) {
      await this.ip('netns', 'add', this.name(machine));
      this.made.push(this.name(machine));
    }
    const far = ['peer', 'name', 'cable', 'netns', this.name('desk')];
    await this.ip('-n', this.name('lab'), 'link', 'add', 'cable', 'type', 'veth', ...far);
    for (const machine of ['lab', 'desk'] as const) {
      const inside = ['-n', this.name(machine)];
      await this.ip(...inside, 'link', 'set', 'lo', 'up');
      await this.ip(...inside, 'addr', 'add', `${addresses[machine]}/24`, 'dev', 'cable');
      await this.ip(...inside, 'addr', 'add', `${addresses6[machine]}/64`, 'dev', 'cable', 'nodad');
      await this.ip(...inside, 'link', 'set', 'cable', 'up');
    }
    await this.letIn();
  }

  private name(machine: Machine): string {
    return `${this.id}${machine}`;
  }

  private ip(...args: string[]) {
    return run('ip', args, limit);
  }
}
