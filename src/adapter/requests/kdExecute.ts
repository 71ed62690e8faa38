import type { Handler } from '../handler';

/** `kd/execute {text}`: runs a command line that is shown in the console like anyone else's. */
export const kdExecute: Handler<{ ok: boolean }> = {
  showErrors: true,
  async run({ live }, args, { signal }) {
    const { ok } = await live.execute(args.string('text'), signal);
    return { ok };
  },
};
