import { InitializedEvent } from '@vscode/debugadapter';
import type { Handler } from '../handler';
import { readLaunch } from '../launchConfiguration';

/**
 * Opens a session that owns the connection to the target. Answers as soon as the session is there: the target may
 * take minutes to appear, and breakpoints can be set meanwhile.
 */
export const launch: Handler<undefined> = {
  showErrors: true,
  async run(adapter, args, call) {
    await adapter.open(readLaunch(args), call.signal);
    call.afterResponse(() => adapter.send(new InitializedEvent()));
    return undefined;
  },
};
