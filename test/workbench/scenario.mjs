// The procedure in two windows, through the user interface only: debug the demo machine, break in, `.server`, join
// from a second window with the line that was printed, work together, leave.
import { join } from 'node:path';
import { openWindow, workbenchAddress } from './browser.mjs';
import { sideBySide } from './pictures.mjs';
import { freePort } from './server.mjs';
import { Window } from './window.mjs';

/** Resolves with `{ passed, failed }`. The first step that fails ends the scenario; both windows are then pictured. */
export async function runScenario(browser, port, { host, client, shots, development }) {
  const counts = { passed: 0, failed: 0 };
  const windows = [];
  const picture = (window, name, clip) => window.screenshot(join(shots, `${name}.png`), clip);
  const step = async (name, action) => {
    const started = Date.now();
    try {
      const result = await action();
      counts.passed++;
      console.log(`ok   scenario: ${name} (${Date.now() - started} ms)`);
      return result;
    } catch (error) {
      counts.failed++;
      console.log(`FAIL scenario: ${name}\n     ${error.message}`);
      for (const window of windows) {
        console.log(`     Debug Console of ${window.name}:\n${await window.console().catch(String)}`);
        await picture(window, `failed-${window.name}`).catch(() => undefined);
      }
      throw new Stopped();
    }
  };
  const open = async (name, folder) => {
    const payload = development
      ? [['extensionDevelopmentPath', `vscode-remote://127.0.0.1:${port}${development}`]]
      : [];
    const window = new Window(await openWindow(browser, workbenchAddress(port, folder, payload)), name);
    windows.push(window);
    return window;
  };

  try {
    await procedure({ step, open, picture, host, client, shots, browser });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    for (const window of windows) await window.page.context().close();
  }
  return counts;
}

class Stopped extends Error {}

async function procedure({ step, open, picture, host, client, shots, browser }) {
  const serverPort = await freePort(5005);
  const one = await step('a window opens on an empty folder', async () => {
    const window = await open('host', host);
    await window.page.keyboard.press('Control+Shift+D');
    // The extension is known to the workbench when its part of this view is there.
    await window.page.getByRole('button', { name: 'Debug the Demo Machine' }).waitFor();
    return window;
  });

  await step('F5 without any configuration debugs the demo machine', async () => {
    const choice = one.page.getByRole('option', { name: 'Windows Kernel Debugger (KD)', exact: true });
    await one.until('choice of debuggers after F5', 60_000, () => one.keyShows('F5', choice, 8000));
    await choice.click();
    await one.page.waitForSelector('.debug-toolbar');
    await one.statusShows(/KD stopped/, 60_000);
    await one.consoleShows(/Break instruction exception/);
    await one.layOut(0.55, 360);
  });

  await step('the target runs, and the user breaks in', async () => {
    await one.type('g');
    await one.statusShows(/KD running/);
    await one.page.locator('.debug-toolbar .codicon-debug-pause').click();
    await one.statusShows(/KD stopped/);
  });

  const line = await step('.server prints the line for clients', async () => {
    await one.type(`.server tcp:port=${serverPort}`);
    await one.consoleShows(/Server started\. {2}Client can connect with any of these command lines/);
    const pattern = new RegExp(`0: <debugger> -remote tcp:Port=${serverPort},Server=[\\w.-]+`);
    const [text] = await one.consoleShows(pattern);
    await one.statusShows(/KD stopped/);
    return text;
  });
  await step('a breakpoint in the driver is hit, with its call stack', async () => {
    await one.type('bp demo!DemoProcessRequest');
    await one.type('g');
    await one.consoleShows(/Breakpoint 0 hit/);
    await one.statusShows(/KD stopped/);
    await one.type('k');
    await one.consoleShows(/Call Site[^]*demo!DemoDispatch[^]*nt!IoCallDriver/);
    await one.page
      .locator('.debug-call-stack .monaco-list-row', { hasText: 'demo!DemoProcessRequest' })
      .waitFor();
    await one.expandVariable('Integer', 'rax');
    await one.scroll('.disassembly-view', 190);
    await one.focusConsole();
    await picture(one, 'demo-machine');
  });

  const two = await step('a second window takes the pasted line', async () => {
    const window = await open('client', client);
    await window.page.keyboard.press('Control+Shift+D');
    await window.page.getByRole('button', { name: 'Debug the Demo Machine' }).waitFor();
    await window.command('KD: Connect to Remote Session');
    const input = window.page.locator('.quick-input-widget input');
    await input.fill('tcp:Port=70000,Server=HOST');
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: '65535' }).waitFor();
    await input.fill(line);
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Connect' }).waitFor();
    await picture(window, 'connect', { x: 0, y: 0, width: 1280, height: 300 });
    await window.page.keyboard.press('Enter');
    await window.statusShows(/KD stopped/, 60_000);
    await window.layOut(0.55, 360);
    // Brings the current instruction back into the smaller view.
    await window.page
      .locator('.debug-call-stack .monaco-list-row', { hasText: 'demo!DemoProcessRequest' })
      .click();
    await window.scroll('.disassembly-view', 190);
    await window.focusConsole();
    await one.statusShows(/KD stopped\s+1\s+1\s*$/);
    return window;
  });

  await step('who joins late sees what has happened', () => two.consoleShows(/Call Site[^]*connected at/));

  await step('a command of the client is seen by the host with its author', async () => {
    await two.type('r');
    await two.consoleShows(/rax=[0-9a-f]{16}/);
    await one.consoleShows(/\[\S+\\\S+ \(tcp [^)]+\)\] (\d: )?kd> r/);
    await one.consoleShows(/rax=[0-9a-f]{16}/);
  });

  await step('both talk and see each other in .clients', async () => {
    await one.type('.echo hello from the host');
    await two.consoleShows(/hello from the host/);
    await two.type('.clients');
    await two.consoleShows(/\(tcp [^)]+\), last active/);
    await sideBySide(browser, [one.page, two.page], join(shots, 'two-windows.png'));
  });

  await step('the client breaks into the target that the host let run', async () => {
    await two.type('bc *');
    await one.consoleShows(/kd> bc \*/);
    await one.type('g');
    await two.statusShows(/KD running/);
    await two.page.locator('.debug-toolbar .codicon-debug-pause').click();
    await two.statusShows(/KD stopped/);
    await one.statusShows(/KD stopped/);
  });

  await step('the client leaves, the session goes on', async () => {
    await two.page.locator('.debug-toolbar .codicon-debug-disconnect').click();
    await two.page.waitForSelector('.debug-toolbar', { state: 'hidden' });
    await one.statusShows(/KD stopped\s+1\s*$/);
    await one.type('.echo still here');
    await one.consoleShows(/still here[^]*still here/);
  });

  await step('the host ends the session', async () => {
    await one.page.locator('.debug-toolbar .codicon-debug-stop').click();
    await one.page.waitForSelector('.debug-toolbar', { state: 'hidden' });
  });
}
