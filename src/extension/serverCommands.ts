/**
 * The commands around debugging servers of the active session: start one, end one, copy the line that a colleague
 * needs. They go to the session's owner, so they work from a client window too.
 */
import * as vscode from 'vscode';
import type { ServerInfo } from '../engine/session/protocol';
import { problemOfServerString } from './connectionText';
import { customRequest, type KdSession, type KdSessions } from './kdSessions';
import { hasPassword } from './passwordText';
import type { Passwords } from './passwords';
import type { RecentStrings } from './recentStrings';
import { sessionLink } from './sessionLink';

const usualSpec = 'tcp:port=5005';
/** Milliseconds until the new server must show in the session's state; the owner answers at once. */
const patience = 5000;

export async function startDebuggingServer(
  sessions: KdSessions,
  recent: RecentStrings,
  passwords: Passwords,
  given?: string,
): Promise<void> {
  const session = requireSession(sessions);
  if (!session) return;
  const asked = given ?? (await askServerString(recent.list[0] ?? usualSpec));
  if (asked === undefined) return;
  const spec = await passwords.fillServer(asked);
  if (spec === undefined) return;

  const known = new Set(session.state?.servers.map((server) => server.id));
  await customRequest(session, 'kd/startServer', { spec });
  await recent.add(asked);
  const state = await sessions.untilState(
    session,
    ({ servers }) => servers.some((server) => !known.has(server.id)),
    patience,
  );
  const server = state?.servers.find((each) => !known.has(each.id));
  if (server) await showStarted(server, hasPassword(spec));
}

export async function endDebuggingServer(sessions: KdSessions): Promise<void> {
  const session = requireSession(sessions);
  const server = session && (await pickServer(session, 'Which server shall take no more clients?'));
  if (!session || !server) return;
  await customRequest(session, 'kd/endServer', { id: server.id });
}

export async function copyClientConnectionString(sessions: KdSessions): Promise<void> {
  const session = requireSession(sessions);
  const server = session && (await pickServer(session, 'Which server shall the client join?'));
  if (server) await copy(server.clientString);
}

/** A link that opens *Connect to Remote Session…* filled in; never with a password. */
export async function copySessionLink(sessions: KdSessions): Promise<void> {
  const session = requireSession(sessions);
  const server = session && (await pickServer(session, 'Which server shall the link lead to?'));
  if (server) await copy(sessionLink(vscode.env.uriScheme, server.clientString));
}

function requireSession(sessions: KdSessions): KdSession | undefined {
  const { active } = sessions;
  if (!active)
    void vscode.window.showInformationMessage('No kernel session is active; start one first (F5).');
  return active;
}

function askServerString(value: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'KD: Start Debugging Server',
    prompt: 'As after .server, for example tcp:port=5005 or tcp:port=5005,password=*',
    value,
    valueSelection: [value.length, value.length],
    ignoreFocusOut: true,
    validateInput: problemOfServerString,
  });
}

async function showStarted(server: ServerInfo, isProtected: boolean): Promise<void> {
  const open = isProtected ? '' : ' It has no password: anyone who reaches it can join.';
  const answer = await vscode.window.showInformationMessage(
    `Server started. Clients join with ${server.clientString}.${open}`,
    'Copy',
  );
  if (answer === 'Copy') await copy(server.clientString);
}

async function copy(text: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(`$(check) Copied ${text}`, 4000);
}

/** The only server without asking, otherwise the chosen one. */
async function pickServer(session: KdSession, question: string): Promise<ServerInfo | undefined> {
  const servers = session.state?.servers.filter((server) => !server.disabled) ?? [];
  if (servers.length === 0) {
    const answer = await vscode.window.showInformationMessage(
      'This session has no debugging server yet.',
      'Start Debugging Server…',
    );
    if (answer !== undefined) await vscode.commands.executeCommand('kd.startDebuggingServer');
    return undefined;
  }
  if (servers.length === 1) return servers[0];
  const picked = await vscode.window.showQuickPick(
    servers.map((server) => ({ label: server.clientString, description: `server ${server.id}`, server })),
    { title: 'KD', placeHolder: question },
  );
  return picked?.server;
}
