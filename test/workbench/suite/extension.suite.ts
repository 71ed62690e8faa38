/** The extension as VS Code sees it: it activates when needed, its commands exist, configurations resolve. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

export const extensionId = 'vscode-kd.vscode-kd';

export function extensionSuite(): void {
  describe('extension', () => {
    const extension = vscode.extensions.getExtension(extensionId);

    it('does not activate by itself', () => {
      assert.ok(extension, `${extensionId} is not there`);
      assert.equal(extension.isActive, false);
    });

    it('activates and has its commands', async () => {
      assert.ok(extension);
      await extension.activate();
      const commands = new Set(await vscode.commands.getCommands(true));
      const { contributes } = extension.packageJSON as { contributes: { commands: { command: string }[] } };
      assert.ok(contributes.commands.length >= 6);
      for (const { command } of contributes.commands)
        assert.ok(commands.has(command), `${command} is missing`);
    });

    it('knows command scripts by their names', async () => {
      const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
      assert.ok(folder, 'the suite needs a folder');
      for (const name of ['a.dbgcmd', 'b.wds', 'c.kds']) {
        const file = vscode.Uri.joinPath(folder, name);
        await vscode.workspace.fs.writeFile(file, Buffer.from('.if (1) { lm }\n'));
        assert.equal((await vscode.workspace.openTextDocument(file)).languageId, 'dbgcmd');
      }
    });

    for (const [what, configuration] of [
      ['an unknown transport', { request: 'launch', target: 'floppy:a' }],
      ['a bad server string', { request: 'launch', target: 'demo:', server: 'tcp:port=99999' }],
      ['a bad client string', { request: 'attach', remote: 'tcp:Port=5005' }],
      ['a wrong type', { request: 'launch', target: 'demo:', initialBreak: 'yes' }],
    ] as const) {
      it(`refuses ${what} before the adapter starts`, async () => {
        let adapters = 0;
        const tracker = vscode.debug.registerDebugAdapterTrackerFactory('kd', {
          createDebugAdapterTracker() {
            adapters++;
            return undefined;
          },
        });
        try {
          const started = await vscode.debug.startDebugging(undefined, {
            name: 'bad',
            type: 'kd',
            ...configuration,
          });
          assert.equal(started, false);
          assert.equal(adapters, 0);
        } finally {
          tracker.dispose();
          await vscode.commands.executeCommand('notifications.clearAll');
        }
      });
    }
  });
}
