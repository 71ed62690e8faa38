import type { SessionState } from '../../engine/session/protocol';
import type { Handler } from '../handler';

/** `kd/state`: the session's state, as the event of that name carries it. */
export const kdState: Handler<SessionState> = {
  run: ({ live }) => live.session.state,
};
