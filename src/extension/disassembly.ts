/**
 * Opens the Disassembly view when the target stops where there is no source: most of a kernel has none, and a stop
 * without anything to look at leaves the user lost. Watches the stack traces that go by; asks for nothing itself.
 */
import * as vscode from 'vscode';
import { debugType } from './kdSessions';

interface StackTraceResponse {
  readonly type: 'response';
  readonly command: 'stackTrace';
  readonly success: boolean;
  readonly body?: { readonly stackFrames?: readonly { readonly id: number; readonly source?: unknown }[] };
}

export function createDisassemblyOpener(): vscode.Disposable {
  /** By session id: the frames of the current stop that have no source. */
  const bare = new Map<string, Set<number>>();
  const tracker = vscode.debug.registerDebugAdapterTrackerFactory(debugType, {
    createDebugAdapterTracker(session) {
      const frames = new Set<number>();
      bare.set(session.id, frames);
      return {
        onDidSendMessage(message: StackTraceResponse | { type: 'event'; event: string }) {
          if (message.type === 'event') {
            if (message.event === 'stopped') frames.clear();
          } else if (message.command === 'stackTrace' && message.success) {
            for (const frame of message.body?.stackFrames ?? []) if (!frame.source) frames.add(frame.id);
          }
        },
        onExit: () => void bare.delete(session.id),
      };
    },
  });
  const selected = vscode.debug.onDidChangeActiveStackItem((item) => {
    if (!(item instanceof vscode.DebugStackFrame) || item.session.type !== debugType) return;
    if (!bare.get(item.session.id)?.has(item.frameId)) return;
    if (!vscode.workspace.getConfiguration('kd').get<boolean>('openDisassembly', true)) return;
    void vscode.commands.executeCommand('debug.action.openDisassemblyView');
  });
  return vscode.Disposable.from(tracker, selected);
}
