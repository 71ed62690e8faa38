/** Small commands of a kernel session: the demo machine in one click, break in, and what the status bar offers. */
import * as vscode from 'vscode';
import { demoConfiguration } from './defaultConfiguration';
import type { KdSessions } from './kdSessions';

export function debugDemoMachine(): Thenable<boolean> {
  return vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], demoConfiguration());
}

/** Out of band, whichever thread is selected; all processors stop together. */
export async function breakIn(sessions: KdSessions): Promise<void> {
  await sessions.active?.debugSession.customRequest('pause', { threadId: 1 });
}

export async function showSessionActions(sessions: KdSessions): Promise<void> {
  const state = sessions.active?.state;
  if (!state) return;
  const servers = state.servers.some((server) => !server.disabled);
  const actions: (vscode.QuickPickItem & { command: string })[] = [];
  if (state.targetState === 'running') {
    actions.push({ label: '$(debug-pause) Break In', command: 'kd.breakIn' });
  }
  if (servers) {
    actions.push({
      label: '$(copy) Copy Client Connection String',
      command: 'kd.copyClientConnectionString',
    });
    actions.push({ label: '$(link) Copy Session Link', command: 'kd.copySessionLink' });
  }
  actions.push({ label: '$(broadcast) Start Debugging Server…', command: 'kd.startDebuggingServer' });
  if (servers)
    actions.push({ label: '$(circle-slash) End Debugging Server…', command: 'kd.endDebuggingServer' });
  const clients = state.clients.filter((client) => client.remote).length;
  if (clients > 0) {
    const description = `${clients} joined`;
    actions.push({ label: '$(organization) Manage Clients…', description, command: 'kd.manageClients' });
  }
  actions.push(
    { label: '$(terminal) Show Debug Console', command: 'workbench.debug.action.focusRepl' },
    { label: '$(debug-disconnect) Disconnect', command: 'workbench.action.debug.disconnect' },
  );
  const picked = await vscode.window.showQuickPick(actions, { title: `KD: ${state.connection}` });
  if (picked) await vscode.commands.executeCommand(picked.command);
}
