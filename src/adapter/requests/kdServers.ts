import type { ServerInfo } from '../../engine/session/protocol';
import type { Handler } from '../handler';

/** `kd/servers`: the debugging servers of the session. */
export const kdServers: Handler<{ servers: readonly ServerInfo[] }> = {
  run: ({ live }) => ({ servers: live.session.state.servers }),
};
