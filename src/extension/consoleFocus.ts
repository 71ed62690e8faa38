/**
 * Keeps the focus in the Debug Console while the user works there: VS Code moves it to the code at every stop, and
 * whoever types `t`, `t`, `t` would type into the disassembly. Watches the requests that go by.
 */
import * as vscode from 'vscode';
import { debugType } from './kdSessions';

interface Message {
  readonly command?: string;
  readonly arguments?: { readonly context?: string };
}

/** What the buttons of the debug toolbar send. */
const buttons = new Set(['continue', 'next', 'stepIn', 'stepOut', 'pause']);

export function createConsoleFocus(): vscode.Disposable {
  /** Sessions whose user last moved the target, or tried to, by typing. */
  const typing = new Set<string>();
  const tracker = vscode.debug.registerDebugAdapterTrackerFactory(debugType, {
    createDebugAdapterTracker: ({ id }) => ({
      onWillReceiveMessage({ command = '', arguments: args }: Message) {
        if (buttons.has(command)) typing.delete(id);
        else if (command === 'evaluate' && args?.context === 'repl') typing.add(id);
      },
      onExit: () => void typing.delete(id),
    }),
  });
  const selected = vscode.debug.onDidChangeActiveStackItem((item) => {
    if (!(item instanceof vscode.DebugStackFrame) || !typing.has(item.session.id)) return;
    void vscode.commands.executeCommand('workbench.debug.action.focusRepl');
  });
  return vscode.Disposable.from(tracker, selected);
}
