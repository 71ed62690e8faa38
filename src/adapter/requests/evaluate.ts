import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';

/** Longest command line of the debugger, in characters. */
const longestCommand = 4096;

/**
 * The Debug Console is the debugger's command line: what is typed there runs as a command for everybody to see, and
 * its output comes as output events. Everywhere else (hover, watch, clipboard) it is an expression without side effects.
 */
export const evaluate: Handler<Body<DebugProtocol.EvaluateResponse>> = {
  capabilities: { supportsEvaluateForHovers: true, supportsClipboardContext: true },
  needsStop: true,
  async run({ live }, args, { signal }) {
    const expression = args.string('expression');
    if (args.optionalString('context') === 'repl') {
      if (expression.length > longestCommand) {
        args.fail('expression', `is longer than a command line may be (${longestCommand} characters)`);
      }
      const local = live.localSource.run(expression);
      if (local !== undefined) return { result: local.trimEnd(), variablesReference: 0 };
      for (const line of expression.split(/\r\n|[\r\n]/)) live.output.expectEcho(line);
      await live.execute(expression, signal);
      return { result: '', variablesReference: 0 };
    }
    const { value } = await live.session.request('evaluate', { expression: expression.trim() }, signal);
    return { result: value, variablesReference: 0, memoryReference: value };
  },
};
