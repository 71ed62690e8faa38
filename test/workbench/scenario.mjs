// The procedure in two windows, through the user interface only: debug the demo machine, break in, `.server`, join
// from a second window with the line that was printed, work together, also with a vskd client, leave, come back by a
// session link with a password.
import { join } from 'node:path';
import { openWindow, workbenchAddress } from './browser.mjs';
import { sideBySide, withTerminal } from './pictures.mjs';
import { freePort } from './server.mjs';
import { Vskd } from './vskd.mjs';
import { Window } from './window.mjs';

/** Resolves with `{ passed, failed }`. The first step that fails ends the scenario; both windows are then pictured. */
export async function runScenario(browser, port, { host, client, shots, development }) {
  const counts = { passed: 0, failed: 0 };
  const windows = [];
  const programs = [];
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
      for (const program of programs) console.log(`     vskd:\n${program.text}`);
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
    const vskd = (...args) => programs[programs.push(new Vskd(args)) - 1];
    await procedure({ step, open, vskd, picture, host, client, shots, browser });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    for (const program of programs) program.stop();
    for (const window of windows) await window.page.context().close();
  }
  return counts;
}

class Stopped extends Error {}

async function procedure({ step, open, vskd, picture, host, client, shots, browser }) {
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
    const rows = window.page.locator('.quick-input-list .monaco-list-row');
    await rows.filter({ hasText: `tcp:Port=${serverPort},Server=` }).waitFor();
    await picture(window, 'connect', { x: 0, y: 0, width: 1280, height: 200 });
    await input.fill('tcp:Port=70000,Server=HOST');
    await rows.filter({ hasText: '65535' }).waitFor();
    await input.fill(line);
    await rows.filter({ hasText: 'Connect' }).waitFor();
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

  const three = await step('a vskd client joins, and all three see what each of them does', async () => {
    const program = vskd('-remote', `tcp:Port=${serverPort},Server=localhost`);
    await program.shows(/hello from the host/);
    await one.statusShows(/KD stopped\s+1\s+2\s*$/);
    program.type('u @rip l2');
    await program.shows(/sub +rsp,68h/);
    for (const window of [one, two]) {
      await window.consoleShows(/\[\S+ \(tcp [^)]+\)\] (\d: )?kd> u @rip l2/);
      await window.consoleShows(/sub +rsp,68h/);
    }
    await one.type('.echo the host looks at the driver');
    await program.shows(/kd> \.echo the host looks[^]*\nthe host looks/);
    await two.consoleShows(/kd> \.echo the host looks[^]*the host looks/);
    await two.type('.echo the window agrees');
    await program.shows(/\] (\d: )?kd> \.echo the window agrees\nthe window agrees/);
    await one.consoleShows(/\] (\d: )?kd> \.echo the window agrees[^]*the window agrees/);
    const shown = { command: `vskd ${program.args.join(' ')}`, text: program.text, lines: 13 };
    await withTerminal(browser, [one.page, two.page], shown, join(shots, 'three-in-a-session.png'));
    return program;
  });

  await step('the host makes the vskd client an observer, and disconnects it', async () => {
    const row = (text) => one.page.locator('.quick-input-list .monaco-list-row', { hasText: text });
    await one.command('KD: Manage Clients');
    await row('control').nth(1).waitFor();
    await picture(one, 'clients', { x: 0, y: 0, width: 1280, height: 200 });
    await row('control').nth(1).click();
    await row('Make Observer').click();
    await two.consoleShows(/kd> \.role \d+ observe/);
    three.type('.server tcp:port=0');
    await three.shows(/\.server[^]*observe/i);
    await one.command('KD: Manage Clients');
    await row('observer').click();
    await row('Disconnect').click();
    await three.exited;
    await one.statusShows(/KD stopped\s+1\s+1\s*$/);
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

  const protectedPort = await freePort();
  await step('the host sends a link to a server with a password', async () => {
    await one.type(`.server tcp:port=${protectedPort},password=Secret12`);
    await one.statusShows(/KD stopped\s+2\s+1\s*$/);
    await one.command('KD: Copy Session Link');
    await one.page
      .locator('.quick-input-list .monaco-list-row', { hasText: `Port=${protectedPort}` })
      .click();
    const copied = /Copied (\S+:\/\/vscode-kd\.vscode-kd\/connect\?remote=\S+)/;
    const [, link] = await one.until('copied link', 15_000, async () =>
      copied.exec((await one.page.locator('.statusbar-item').allTextContents()).join('\n')),
    );
    if (!decodeURIComponent(link).includes('Password=*,')) throw new Error(`${link} is no right link`);
    await one.type(`.wall ${link}`);
    await two.consoleShows(/vscode-kd\.vscode-kd\/connect/);
  });

  await step('the client leaves, the session goes on', async () => {
    await two.page.locator('.debug-toolbar .codicon-debug-disconnect').click();
    await two.page.waitForSelector('.debug-toolbar', { state: 'hidden' });
    await one.statusShows(/KD stopped\s+2\s*$/);
    await one.type('.echo still here');
    await one.consoleShows(/still here[^]*still here/);
  });

  await step('the link opens the dialog filled in; with the password the client is back', async () => {
    await two.page.locator('.repl-tree a', { hasText: 'vscode-kd.vscode-kd/connect' }).click({
      modifiers: ['Control'],
    });
    const input = two.page.locator('.quick-input-widget input');
    await two.until('filled-in dialog', 15_000, async () =>
      (await input.inputValue().catch(() => '')).startsWith(`tcp:Port=${protectedPort},Password=*,Server=`),
    );
    await two.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Connect' }).waitFor();
    await picture(two, 'session-link', { x: 0, y: 0, width: 1280, height: 200 });
    await one.statusShows(/KD stopped\s+2\s*$/);
    await two.until('password field', 15_000, () =>
      two.keyShows('Enter', two.page.locator('.quick-input-widget input[type="password"]'), 2000),
    );
    await two.page.keyboard.type('Secret12');
    await two.page.keyboard.press('Enter');
    await two.statusShows(/KD stopped/);
    await two.type('.echo back again');
    await one.consoleShows(/\] (\d: )?kd> \.echo back again/);
    for (const window of [one, two]) {
      if (/Secret12/.test((await window.console()).replace(/password=Secret12/, '')))
        throw new Error(`${window.name} shows the password`);
    }
  });

  await step('the host ends the session', async () => {
    await one.page.locator('.debug-toolbar .codicon-debug-stop').click();
    await one.page.waitForSelector('.debug-toolbar', { state: 'hidden' });
  });
}
