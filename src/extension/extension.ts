/** Wires the parts of the extension together when the first kernel session or command needs them. */
import * as vscode from 'vscode';
import { createAdapterFactory } from './adapterFactory';
import { createConsoleFocus } from './consoleFocus';
import { ConfigurationProvider, RecentConfigurations } from './configurationProvider';
import { manageClients } from './clientCommands';
import { connectToRemoteSession, followSessionLink } from './connectCommand';
import { debugType, KdSessions } from './kdSessions';
import { Passwords } from './passwords';
import { RecentStrings } from './recentStrings';
import {
  copyClientConnectionString,
  copySessionLink,
  endDebuggingServer,
  startDebuggingServer,
} from './serverCommands';
import { breakIn, debugDemoMachine, showSessionActions } from './sessionCommands';
import { createStatusBar } from './statusBar';

export function activate(context: vscode.ExtensionContext): void {
  const sessions = new KdSessions();
  const passwords = new Passwords(context.secrets, sessions);
  const joined = new RecentStrings(context.globalState, 'kd.recentRemoteSessions');
  const served = new RecentStrings(context.globalState, 'kd.recentServers');

  context.subscriptions.push(
    sessions,
    passwords,
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, createAdapterFactory()),
    vscode.debug.registerDebugConfigurationProvider(debugType, new ConfigurationProvider(passwords)),
    vscode.debug.registerDebugConfigurationProvider(
      debugType,
      new RecentConfigurations(joined),
      vscode.DebugConfigurationProviderTriggerKind.Dynamic,
    ),
    createStatusBar(sessions),
    createConsoleFocus(),
    vscode.window.registerUriHandler({ handleUri: (uri) => followSessionLink(joined, uri) }),
    command('kd.debugDemoMachine', debugDemoMachine),
    command('kd.connectToRemoteSession', (given) => connectToRemoteSession(joined, text(given))),
    command('kd.startDebuggingServer', (given) =>
      startDebuggingServer(sessions, served, passwords, text(given)),
    ),
    command('kd.endDebuggingServer', () => endDebuggingServer(sessions)),
    command('kd.copyClientConnectionString', () => copyClientConnectionString(sessions)),
    command('kd.copySessionLink', () => copySessionLink(sessions)),
    command('kd.manageClients', () => manageClients(sessions)),
    command('kd.breakIn', () => breakIn(sessions)),
    command('kd.showSessionActions', () => showSessionActions(sessions)),
  );
}

/** A command whose failure the user sees as one line. */
function command(id: string, run: (argument: unknown) => Thenable<unknown>): vscode.Disposable {
  return vscode.commands.registerCommand(id, async (argument: unknown) => {
    try {
      return await run(argument);
    } catch (error) {
      void vscode.window.showErrorMessage(`KD: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  });
}

/** Menus hand over other things than a string (the selected session). */
function text(argument: unknown): string | undefined {
  return typeof argument === 'string' ? argument : undefined;
}
