import type { DebugProtocol } from '@vscode/debugprotocol';
import { CommandError, type Body, type Handler } from '../handler';

/** Longest command line of the debugger, in characters. */
const longestCommand = 4096;
/** VS Code shows results in pale grey, but all other output in blue. */
const brightBlue = '\x1b[94m';
const plain = '\x1b[0m';

/**
 * The Debug Console is the debugger's command line: what is typed there runs as a command for everybody to see, and
 * what it prints at once is the result, the rest comes as output events. Everywhere else (hover, watch, clipboard) it is an expression without side effects.
 */
export const evaluate: Handler<Body<DebugProtocol.EvaluateResponse>> = {
  capabilities: {
    supportsEvaluateForHovers: true,
    supportsClipboardContext: true,
    supportsANSIStyling: true,
  },
  needsStop: true,
  async run({ live, client }, args, { signal, afterResponse }) {
    const expression = args.string('expression');
    if (args.optionalString('context') === 'repl') {
      if (expression.length > longestCommand) {
        args.fail('expression', `is longer than a command line may be (${longestCommand} characters)`);
      }
      const local = live.localSource.run(expression);
      if (local !== undefined) return { result: local.trimEnd(), variablesReference: 0 };
      const answer = live.output.expectEcho(expression);
      afterResponse(() => answer.sent());
      const done = live.execute(expression, signal).then(() => {
        answer.finish();
        return answer.result;
      });
      // A command that takes longer has printed something already; how it ends is told by its output.
      const { text, failed } = await Promise.race([answer.result, done]);
      if (failed) throw new CommandError(text);
      const styled = client.supportsANSIStyling === true && text !== '';
      return { result: styled ? `${brightBlue}${text}${plain}` : text, variablesReference: 0 };
    }
    const { value } = await live.session.request('evaluate', { expression: expression.trim() }, signal);
    return { result: value, variablesReference: 0, memoryReference: value };
  },
};
