/**
 * Fills in the passwords that connection strings leave open (`Password=*`): from the secret store, or by asking. A
 * client's password that let us in is kept; one that did not is forgotten, so that the next attempt asks again.
 */
import * as vscode from 'vscode';
import type { KdSessions } from './kdSessions';
import { fillPassword, maskPassword, passwordProblem, wantsPassword, writtenPassword } from './passwordText';

const prefix = 'kd.password:';

export class Passwords implements vscode.Disposable {
  /** Client strings of sessions that are not joined yet. */
  private readonly tried = new Set<string>();
  private readonly disposables: vscode.Disposable[];

  constructor(
    private readonly secrets: vscode.SecretStorage,
    sessions: KdSessions,
  ) {
    this.disposables = [
      sessions.onDidJoin((session) => void this.settle(session, true)),
      sessions.onDidEnd(({ debugSession, state }) => {
        if (state === undefined) void this.settle(debugSession, false);
      }),
    ];
  }

  /** Returns the client string with its password in place; undefined when the user gives up. */
  async fillClient(remote: string): Promise<string | undefined> {
    let filled = remote;
    if (wantsPassword(remote)) {
      const password = (await this.secrets.get(keyOf(remote))) ?? (await ask(`join ${remote}`));
      if (password === undefined) return undefined;
      filled = fillPassword(remote, password);
    }
    if (writtenPassword(filled) !== undefined) this.tried.add(filled);
    return filled;
  }

  /** The same for a server string, whose password is made up by the user and not kept. */
  async fillServer(spec: string): Promise<string | undefined> {
    if (!wantsPassword(spec)) return spec;
    const password = await ask(`protect ${spec}`);
    return password === undefined ? undefined : fillPassword(spec, password);
  }

  dispose(): void {
    for (const each of this.disposables) each.dispose();
    this.tried.clear();
  }

  private async settle(session: vscode.DebugSession, joined: boolean): Promise<void> {
    const remote: unknown = session.configuration['remote'];
    if (typeof remote !== 'string' || !this.tried.delete(remote)) return;
    const password = writtenPassword(remote);
    if (joined && password !== undefined) await this.secrets.store(keyOf(remote), password);
    else await this.secrets.delete(keyOf(remote));
  }
}

function keyOf(remote: string): string {
  return prefix + maskPassword(remote).toLowerCase();
}

function ask(purpose: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'KD: Password',
    prompt: `Password to ${purpose}`,
    password: true,
    ignoreFocusOut: true,
    validateInput: passwordProblem,
  });
}
