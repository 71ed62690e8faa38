import { UserError } from '../../engine/base/errors';
import type { Handler } from '../handler';

const roles = ['observe', 'control', 'kick'];

/** `kd/setRole {client, role}`: what a client may do, or its end (`.role`). */
export const kdSetRole: Handler<undefined> = {
  showErrors: true,
  async run({ live }, args, { signal }) {
    const client = args.integer('client', { min: 0 });
    const role = args.string('role');
    if (!roles.includes(role)) args.fail('role', `must be one of ${roles.join(', ')}`);
    const { ok, output } = await live.execute(`.role ${client} ${role}`, signal);
    if (!ok) throw new UserError(output.trim() || `There is no client ${client}.`);
    return undefined;
  },
};
