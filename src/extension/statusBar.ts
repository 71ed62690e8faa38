/** The status bar item: state of the kernel session, its servers and clients. There only while a session is. */
import * as vscode from 'vscode';
import type { KdSessions } from './kdSessions';
import { statusText } from './statusText';

export function createStatusBar(sessions: KdSessions): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('kd.session', vscode.StatusBarAlignment.Left, 50);
  item.name = 'Kernel Debugger Session';
  item.command = 'kd.showSessionActions';
  const update = (): void => {
    const active = sessions.active;
    if (!active) return item.hide();
    const text = statusText(active.state);
    item.text = text.label;
    item.tooltip = new vscode.MarkdownString(text.tooltip);
    item.accessibilityInformation = { label: text.spoken, role: 'button' };
    item.backgroundColor = text.warning
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
    item.show();
  };
  const subscription = sessions.onDidChange(update);
  update();
  return vscode.Disposable.from(item, subscription);
}
