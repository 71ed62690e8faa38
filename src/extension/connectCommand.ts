/**
 * *KD: Connect to Remote Session…*: asks for the client string, offers the servers found and the strings used last,
 * and joins the session. A whole line of the server (`0: <debugger> -remote …`) may be pasted, and a session link
 * opens it filled in.
 */
import * as vscode from 'vscode';
import type { DiscoveredServer } from '../engine/remote/discovery';
import { connectGroups, type ConnectChoice } from './connectChoices';
import { cleanClientString } from './connectionText';
import { searchServers } from './discovery';
import { debugType } from './kdSessions';
import { maskPassword } from './passwordText';
import type { RecentStrings } from './recentStrings';
import { readSessionLink } from './sessionLink';

interface Item extends vscode.QuickPickItem {
  readonly choice?: ConnectChoice;
}

const forget: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('close'),
  tooltip: 'Remove from this list',
};
const title = 'KD: Connect to Remote Session';
/** Milliseconds in which Enter does nothing after a link brought up the dialog: it was meant for something else. */
const surprise = 500;

/** `given` is joined without a question: it comes from a command's argument, never from a link. */
export async function connectToRemoteSession(recent: RecentStrings, given?: string): Promise<boolean> {
  return join(recent, given === undefined ? await askClientString(recent) : cleanClientString(given));
}

/** A session link was followed. Nothing is joined unless the user says so. */
export async function followSessionLink(recent: RecentStrings, uri: vscode.Uri): Promise<void> {
  const link = readSessionLink(uri);
  if ('problem' in link) {
    void vscode.window.showErrorMessage(`KD: ${link.problem}`);
    return;
  }
  await join(recent, await askClientString(recent, link));
}

async function join(recent: RecentStrings, remote: string | undefined): Promise<boolean> {
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

function askClientString(
  recent: RecentStrings,
  link?: { readonly remote: string; readonly dropped: readonly string[] },
): Promise<string | undefined> {
  const input = vscode.window.createQuickPick<Item>();
  input.title = link ? `${title} (from a link: check where it leads, then press Enter)` : title;
  if (link && link.dropped.length > 0) input.title += ` · left out of the link: ${link.dropped.join(', ')}`;
  input.placeholder = 'tcp:Port=5005,Server=HOST, or paste the line that .server printed';
  input.ignoreFocusOut = true;
  // Shows every character of a long string and keeps the order below.
  input.matchOnDescription = false;
  input.value = link?.remote ?? '';
  const found: DiscoveredServer[] = [];
  const update = (): void => {
    const [active] = input.activeItems;
    input.items = itemsFor(input.value, found, recent.list);
    // Servers that come meanwhile do not move the choice.
    const same = input.items.find(({ choice }) => choice && choice.remote === active?.choice?.remote);
    if (same && active) input.activeItems = [same];
  };
  update();
  const search = new AbortController();
  input.busy = true;
  void searchServers((server) => {
    found.push(server);
    update();
  }, search.signal)
    .catch(() => undefined)
    .finally(() => {
      if (!search.signal.aborted) input.busy = false;
    });
  const shown = Date.now();
  return new Promise((resolve) => {
    input.onDidChangeValue(update);
    input.onDidTriggerItemButton(({ item }) => {
      const remote = item.choice?.remote;
      if (remote !== undefined) void recent.remove(remote).then(update);
    });
    input.onDidAccept(() => {
      const remote = input.selectedItems[0]?.choice?.remote;
      if (remote === undefined || (link && Date.now() - shown < surprise)) return;
      resolve(remote);
      input.hide();
    });
    input.onDidHide(() => {
      search.abort();
      resolve(undefined);
      input.dispose();
    });
    input.show();
  });
}

function itemsFor(value: string, found: readonly DiscoveredServer[], recent: readonly string[]): Item[] {
  return connectGroups(value, found, recent).flatMap((group) => {
    const items = group.choices.map((choice): Item => ({
      choice,
      label: choice.label,
      description: choice.description,
      detail: choice.detail,
      alwaysShow: true,
      buttons: choice.kind === 'recent' ? [forget] : [],
    }));
    if (group.title === '') return items;
    return [{ label: group.title, kind: vscode.QuickPickItemKind.Separator }, ...items];
  });
}
