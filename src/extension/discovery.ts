/**
 * The debugging servers that *Connect to Remote Session* offers: those of this machine at once, those announced on the
 * network as they answer. What looks for them is a bundle of its own, loaded when it is first needed.
 */
import type { DiscoveredServer } from '../engine/remote/discovery';
import { maskPassword } from './passwordText';
import { readSessionLink } from './sessionLink';

/** Milliseconds that machines on the network have to answer. */
const patience = 3000;

/** Resolves when the search is over; `found` gets each server once. Never rejects. */
export async function searchServers(
  found: (server: DiscoveredServer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { discoverServers } = await import('../engine/remote/discovery');
  await discoverServers({
    signal,
    timeout: patience,
    found: (server) => {
      if (signal.aborted) return;
      const judged = judge(server);
      if (judged) found(judged);
    },
  });
}

/** What others announce is as little to be trusted as a link from them. */
export function judge(server: DiscoveredServer): DiscoveredServer | undefined {
  if (server.origin === 'machine') return { ...server, clientString: maskPassword(server.clientString) };
  const link = readSessionLink({ path: '/connect', query: `remote=${server.clientString}` });
  return 'problem' in link ? undefined : { ...server, clientString: link.remote };
}
