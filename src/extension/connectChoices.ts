/**
 * The lines of *KD: Connect to Remote Session…*: what is typed, checked at every key; the servers found; the strings
 * used before. Knows nothing of vscode.
 */
import type { DiscoveredServer } from '../engine/remote/discovery';
import { cleanClientString, problemOfClientString } from './connectionText';
import { maskPassword } from './passwordText';

export interface ConnectChoice {
  readonly kind: 'typed' | 'problem' | 'hint' | 'found' | 'recent';
  /** With codicons. */
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  /** What to join; undefined for a line that only informs. */
  readonly remote?: string;
}

export interface ConnectGroup {
  /** Empty for what is typed. */
  readonly title: string;
  readonly choices: readonly ConnectChoice[];
}

/** Groups in order, none of them empty, no client string twice. */
export function connectGroups(
  value: string,
  found: readonly DiscoveredServer[],
  recent: readonly string[],
): ConnectGroup[] {
  const typed = value.trim();
  const shown = new Set<string>();
  const fits = (text: string): boolean => text.toLowerCase().includes(typed.toLowerCase());
  const first = typed === '' ? [] : [typedChoice(typed)];
  for (const { remote } of first) if (remote !== undefined) shown.add(remote.toLowerCase());
  const fresh = (text: string): boolean => {
    if (shown.has(text.toLowerCase())) return false;
    shown.add(text.toLowerCase());
    return true;
  };
  const discovered = (origin: DiscoveredServer['origin'], icon: string): ConnectChoice[] =>
    found
      .filter(
        (server) =>
          server.origin === origin &&
          (fits(server.clientString) || fits(server.host)) &&
          fresh(server.clientString),
      )
      .map(({ clientString, host }) => ({
        kind: 'found',
        label: `$(${icon}) ${plain(clientString)}`,
        description: plain(host),
        remote: clientString,
      }));
  const groups: ConnectGroup[] = [
    { title: '', choices: first },
    { title: 'Servers of this machine', choices: discovered('machine', 'vm') },
    { title: 'Servers announced on the network', choices: discovered('network', 'radio-tower') },
    {
      title: 'Used before',
      choices: recent
        .filter((text) => fits(text) && fresh(text))
        .map((text) => ({ kind: 'recent', label: `$(history) ${plain(text)}`, remote: text })),
    },
  ];
  const filled = groups.filter(({ choices }) => choices.length > 0);
  return filled.length > 0 ? filled : [{ title: '', choices: [hint] }];
}

const hint: ConnectChoice = {
  kind: 'hint',
  label: '$(info) Type the connection string of a debugging server',
  detail: 'The server prints it after .server tcp:port=5005',
};

function typedChoice(typed: string): ConnectChoice {
  const problem = problemOfClientString(typed);
  if (problem !== undefined) {
    return { kind: 'problem', label: '$(error) Not a client string yet', detail: plain(problem) };
  }
  const remote = cleanClientString(typed);
  return {
    kind: 'typed',
    label: `$(plug) ${plain(maskPassword(remote))}`,
    description: 'Connect',
    remote,
  };
}

/** Text from elsewhere must not show icons. */
function plain(text: string): string {
  return text.replace(/\$\(/g, '\\$(');
}
