import { UserError } from '../../engine/base/errors';
import type { Handler } from '../handler';

/** `kd/endServer {id}`: no more clients through this server (`.endsrv`); those it has stay. */
export const kdEndServer: Handler<undefined> = {
  showErrors: true,
  async run({ live }, args, { signal }) {
    const id = args.integer('id', { min: 0 });
    const { ok, output } = await live.execute(`.endsrv ${id}`, signal);
    if (!ok) throw new UserError(output.trim() || `There is no server ${id}.`);
    return undefined;
  },
};
