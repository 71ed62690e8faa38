import { InitializedEvent } from '@vscode/debugadapter';
import type { Handler } from '../handler';
import { readAttach } from '../launchConfiguration';

/** Joins the session of another debugger as a debugging client. */
export const attach: Handler<undefined> = {
  showErrors: true,
  async run(adapter, args, call) {
    await adapter.open(readAttach(args), call.signal);
    call.afterResponse(() => adapter.send(new InitializedEvent()));
    return undefined;
  },
};
