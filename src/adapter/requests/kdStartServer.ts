import { UserError } from '../../engine/base/errors';
import type { ServerInfo } from '../../engine/session/protocol';
import type { Handler } from '../handler';

/** `kd/startServer {spec}`: opens a debugging server; `spec` is what follows `.server`. */
export const kdStartServer: Handler<{ servers: readonly ServerInfo[] }> = {
  showErrors: true,
  async run({ live }, args, { signal }) {
    const spec = args.string('spec').trim();
    if (spec === '') args.fail('spec', 'is empty; for example tcp:port=5005');
    // It becomes part of a command line and must not begin another command.
    if (/[;"\r\n]/.test(spec)) args.fail('spec', 'must not hold semicolons, quotation marks or line ends');
    const { ok, output } = await live.execute(`.server ${spec}`, signal);
    if (!ok)
      throw new UserError(firstLine(output) ?? `The server '${spec.split(':')[0]}:' could not be started.`);
    return { servers: live.session.state.servers };
  },
};

function firstLine(text: string): string | undefined {
  return text.split('\n').find((line) => line.trim() !== '');
}
