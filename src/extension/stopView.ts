/**
 * Shows something at a stop in code without source, which is most of a kernel: VS Code by itself then selects no
 * frame (no registers, no code). Selects the top frame and opens the Disassembly view when source was left. Watches
 * the messages that go by; asks for nothing itself.
 */
import * as vscode from 'vscode';
import { debugType } from './kdSessions';

interface Message {
  readonly type: 'request' | 'response' | 'event';
  readonly command?: string;
  readonly event?: string;
  readonly success?: boolean;
  readonly arguments?: { readonly context?: string };
  readonly body?: { readonly stackFrames?: readonly Frame[] };
}
interface Frame {
  readonly id: number;
  readonly source?: unknown;
}

/** Requests after which the target runs. */
const resuming = new Set(['continue', 'next', 'stepIn', 'stepOut']);

/** What one session showed last. */
class Stop {
  /** Frames of the current stop; empty while the target runs. */
  readonly bare = new Set<number>();
  /** True when no frame of the current stop has a source. */
  get hasNoSource(): boolean {
    return this.bare.size > 0 && !this.sawSource;
  }
  private sawSource = false;
  /** The Disassembly view was opened, or is not wanted: not again before source was seen. */
  opened = false;
  /** The target moves because of what was typed into the Debug Console: the focus belongs there. */
  fromConsole = false;

  sent(message: Message): void {
    if (message.command === 'evaluate') this.fromConsole = message.arguments?.context === 'repl';
    else if (resuming.has(message.command ?? '') || message.command === 'pause') this.fromConsole = false;
    if (resuming.has(message.command ?? '')) this.clear();
  }

  received(message: Message): void {
    if (message.event === 'stopped' || message.event === 'continued') this.clear();
    if (message.command !== 'stackTrace' || !message.success) return;
    for (const frame of message.body?.stackFrames ?? []) {
      if (frame.source) {
        this.sawSource = true;
        this.opened = false;
      } else this.bare.add(frame.id);
    }
  }

  private clear(): void {
    this.bare.clear();
    this.sawSource = false;
  }
}

export function createStopView(): vscode.Disposable {
  const stops = new Map<string, Stop>();
  const tracker = vscode.debug.registerDebugAdapterTrackerFactory(debugType, {
    createDebugAdapterTracker(session) {
      const stop = new Stop();
      stops.set(session.id, stop);
      return {
        onWillReceiveMessage: (message: Message) => stop.sent(message),
        onDidSendMessage(message: Message) {
          stop.received(message);
          // VS Code tells nobody that it selected nothing, so this is the time to look.
          if (message.command === 'stackTrace') selectTop(stop, session);
        },
        onExit: () => void stops.delete(session.id),
      };
    },
  });
  const selected = vscode.debug.onDidChangeActiveStackItem((item) => {
    const stop = item && stops.get(item.session.id);
    if (!stop) return;
    if (!isFrame(item)) selectTop(stop, item.session);
    else if (stop.bare.has(item.frameId)) void openDisassembly(stop);
  });
  return vscode.Disposable.from(tracker, selected);
}

/** Selects the top frame when none is selected and VS Code will not do so itself. */
function selectTop(stop: Stop, session: vscode.DebugSession): void {
  if (!stop.hasNoSource || vscode.debug.activeDebugSession?.id !== session.id) return;
  const item = vscode.debug.activeStackItem;
  if (isFrame(item) && stop.bare.has(item.frameId)) return;
  void vscode.commands.executeCommand('workbench.action.debug.callStackTop');
}

/** An unselected frame comes as a frame without a number. */
function isFrame(
  item: vscode.DebugThread | vscode.DebugStackFrame | undefined,
): item is vscode.DebugStackFrame {
  return item instanceof vscode.DebugStackFrame && typeof item.frameId === 'number';
}

async function openDisassembly(stop: Stop): Promise<void> {
  const { fromConsole } = stop;
  if (!stop.opened) {
    stop.opened = true;
    if (vscode.workspace.getConfiguration('kd').get<boolean>('openDisassembly', true)) {
      await vscode.commands.executeCommand('debug.action.openDisassemblyView');
    }
  }
  if (fromConsole) await vscode.commands.executeCommand('workbench.debug.action.focusRepl');
}
