/** *KD: Manage Clients…*: who is in the session, and for its owner what each of them may do. */
import * as vscode from 'vscode';
import type { ClientInfo } from '../engine/session/protocol';
import { customRequest, type KdSession, type KdSessions } from './kdSessions';
import { clientText, roleActions } from './statusText';

interface ClientItem extends vscode.QuickPickItem {
  readonly client: ClientInfo;
}

export async function manageClients(sessions: KdSessions): Promise<void> {
  const session = sessions.active;
  const state = session?.state;
  if (!session || !state) return;
  const clients = state.clients.filter((client) => client.remote);
  if (clients.length === 0) {
    void vscode.window.showInformationMessage('No debugging client has joined this session.');
    return;
  }
  const owner = session.debugSession.configuration.request === 'launch';
  const picked = await vscode.window.showQuickPick(clients.map(clientItem), {
    title: `KD: Clients of ${state.connection}`,
    placeHolder: owner ? 'Whose role do you want to change?' : 'Only the owner changes roles here',
  });
  if (picked && owner) await changeRole(session, picked.client);
}

function clientItem(client: ClientInfo): ClientItem {
  const { name, role } = clientText(client);
  return { label: `$(${client.role === 'observe' ? 'eye' : 'person'}) ${name}`, description: role, client };
}

async function changeRole(session: KdSession, client: ClientInfo): Promise<void> {
  const action = await vscode.window.showQuickPick(roleActions(client), {
    title: `KD: ${clientText(client).name}`,
  });
  if (action) await customRequest(session, 'kd/setRole', { client: client.id, role: action.role });
}
