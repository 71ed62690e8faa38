import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';

/** More than a list can be scrolled through. */
const mostItems = 200;

/** Completes the debugger's command line at the caret. */
export const completions: Handler<Body<DebugProtocol.CompletionsResponse>> = {
  capabilities: { supportsCompletionsRequest: true, completionTriggerCharacters: ['.', '!', '@', '$'] },
  async run({ live, client }, args, { signal }) {
    const origin = client.columnsStartAt1 === false ? 0 : 1;
    const lines = args.string('text').split('\n');
    const line = lines[(args.optionalInteger('line', { min: origin }) ?? origin) - origin] ?? '';
    const text = line.slice(0, args.integer('column', { min: origin }) - origin);
    const word = /[^\s;,()"'+*/&|<>=[\]-]*$/.exec(text)?.[0] ?? '';
    const { items } = await live.session.request('complete', { text }, signal);
    return {
      targets: items.slice(0, mostItems).map(({ label, detail }) => ({
        label,
        detail,
        start: text.length - word.length + origin,
        length: word.length,
      })),
    };
  },
};
