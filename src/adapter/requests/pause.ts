import type { Handler } from '../handler';

/** Breaks in; while the target is not connected yet, as soon as it is. */
export const pause: Handler<undefined> = {
  showErrors: true,
  async run({ live }, _args, { signal }) {
    await live.session.request('breakIn', {}, signal);
    return undefined;
  },
};
