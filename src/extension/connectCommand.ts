/**
 * *KD: Connect to Remote Session…*: asks for the client string while checking it at every key, offers the ones used
 * last, and joins the session. A whole line of the server (`0: <debugger> -remote …`) may be pasted.
 */
import * as vscode from 'vscode';
import { cleanClientString, problemOfClientString } from './connectionText';
import { debugType } from './kdSessions';
import { maskPassword } from './passwordText';
import type { RecentStrings } from './recentStrings';

interface Choice extends vscode.QuickPickItem {
  /** What to join; undefined for a line that only informs. */
  readonly remote?: string;
}

const forget: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('close'),
  tooltip: 'Remove from this list',
};

export async function connectToRemoteSession(recent: RecentStrings, given?: string): Promise<boolean> {
  const remote = given === undefined ? await askClientString(recent) : cleanClientString(given);
  if (remote === undefined) return false;
  const folder = vscode.workspace.workspaceFolders?.[0];
  const started = await vscode.debug.startDebugging(folder, {
    name: `Remote ${maskPassword(remote)}`,
    type: debugType,
    request: 'attach',
    remote,
  });
  if (started) await recent.add(remote);
  return started;
}

function askClientString(recent: RecentStrings): Promise<string | undefined> {
  const input = vscode.window.createQuickPick<Choice>();
  input.title = 'KD: Connect to Remote Session';
  input.placeholder = 'tcp:Port=5005,Server=HOST, or paste the line that .server printed';
  input.ignoreFocusOut = true;
  // Shows every character of a long string and keeps the order below.
  input.matchOnDescription = false;
  const update = (): void => {
    input.items = choicesFor(input.value, recent.list);
  };
  update();
  return new Promise((resolve) => {
    input.onDidChangeValue(update);
    input.onDidTriggerItemButton(({ item }) => {
      if (item.remote !== undefined) void recent.remove(item.remote).then(update);
    });
    input.onDidAccept(() => {
      const remote = input.selectedItems[0]?.remote;
      if (remote === undefined) return;
      resolve(remote);
      input.hide();
    });
    input.onDidHide(() => {
      resolve(undefined);
      input.dispose();
    });
    input.show();
  });
}

/** The typed string first, checked; then the remembered ones that contain it. */
function choicesFor(value: string, recent: readonly string[]): Choice[] {
  const typed = value.trim();
  const choices: Choice[] = [];
  if (typed !== '') {
    const problem = problemOfClientString(typed);
    if (problem === undefined) {
      const remote = cleanClientString(typed);
      choices.push({
        label: `$(plug) ${maskPassword(remote)}`,
        description: 'Connect',
        remote,
        alwaysShow: true,
      });
    } else {
      choices.push({ label: '$(error) Not a client string yet', detail: problem, alwaysShow: true });
    }
  }
  for (const text of recent) {
    if (!text.toLowerCase().includes(typed.toLowerCase()) || choices.some((each) => each.remote === text))
      continue;
    choices.push({
      label: `$(history) ${text}`,
      description: 'Used before',
      remote: text,
      alwaysShow: true,
      buttons: [forget],
    });
  }
  if (choices.length === 0) {
    choices.push({
      label: '$(info) Type the connection string of a debugging server',
      detail: 'The server prints it after .server tcp:port=5005',
      alwaysShow: true,
    });
  }
  return choices;
}
