/**
 * Launch configurations on their way to the adapter: the demo machine when there is none, checks whose messages name
 * the attribute, passwords asked for. The remembered remote sessions are offered beside those of launch.json.
 */
import * as vscode from 'vscode';
import { problemOfConfiguration } from './configurationCheck';
import { cleanClientString } from './connectionText';
import { demoConfiguration, withDefaults } from './defaultConfiguration';
import { debugType } from './kdSessions';
import type { Passwords } from './passwords';
import type { RecentStrings } from './recentStrings';

const openLaunchJson = 'Open launch.json';

export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  constructor(private readonly passwords: Passwords) {}

  resolveDebugConfiguration(
    _folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration {
    return withDefaults(configuration);
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    _folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    const problem = problemOfConfiguration(configuration);
    if (problem !== undefined) {
      // Not awaited: the message stays, the start is over.
      void vscode.window
        .showErrorMessage(`KD: ${problem}`, openLaunchJson)
        .then((answer) => answer && vscode.commands.executeCommand('workbench.action.debug.configure'));
      return undefined;
    }
    return this.fillPasswords(configuration);
  }

  private async fillPasswords(
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    const filled = { ...configuration };
    if (configuration.request === 'attach') {
      const remote = cleanClientString(configuration['remote'] as string);
      filled['remote'] = await this.passwords.fillClient(remote);
      return filled['remote'] === undefined ? undefined : filled;
    }
    const server = configuration['server'] as string | string[] | undefined;
    if (server === undefined) return filled;
    const specs: string[] = [];
    for (const spec of [server].flat()) {
      const text = await this.passwords.fillServer(spec);
      if (text === undefined) return undefined;
      specs.push(text);
    }
    filled['server'] = specs;
    return filled;
  }
}

/** *Select and Start Debugging*: the demo machine and the sessions joined last. */
export class RecentConfigurations implements vscode.DebugConfigurationProvider {
  constructor(private readonly recent: RecentStrings) {}

  provideDebugConfigurations(): vscode.DebugConfiguration[] {
    const joined = this.recent.list.map((remote) => ({
      name: `Remote ${remote}`,
      type: debugType,
      request: 'attach',
      remote,
    }));
    return [demoConfiguration(), ...joined];
  }
}
