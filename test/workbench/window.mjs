// One workbench window as a user sees it: run commands, type into the Debug Console, read it, wait for a state.

export class Window {
  constructor(page, name) {
    this.page = page;
    this.name = name;
  }

  /** Chooses `title` in the command palette, which a window that is still coming up may close again. */
  async command(title) {
    const input = this.page.locator(
      '.quick-input-widget:not([style*="display: none"]) .quick-input-box input',
    );
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    await this.until(`command ${title}`, 45_000, async () => {
      try {
        if (!(await input.isVisible())) await this.page.keyboard.press('F1');
        await input.fill(`>${title}`, { timeout: 5000 });
        await row.waitFor({ timeout: 5000 });
        return true;
      } catch {
        return false;
      }
    });
    await this.page.keyboard.press('Enter');
  }

  /** Presses a key; false when `locator` does not show in time: a window that is still coming up drops keys. */
  async keyShows(key, locator, timeout) {
    await this.page.keyboard.press(key);
    return locator.waitFor({ timeout }).then(
      () => true,
      () => false,
    );
  }

  /** Gives the Debug Console a share of the window's height and the side bar a width, by dragging their edges. */
  async layOut(share, sideBarWidth) {
    const { height } = this.page.viewportSize();
    const panel = await this.page.locator('.part.panel').boundingBox();
    const middle = panel.x + panel.width / 2;
    await this.drag(middle, panel.y - 2, middle, Math.round(height * (1 - share)));
    const side = await this.page.locator('.part.sidebar').boundingBox();
    const edge = side.x + side.width + 2;
    await this.drag(edge, height / 2, edge + sideBarWidth - side.width, height / 2);
  }

  async drag(fromX, fromY, toX, toY) {
    await this.page.mouse.move(fromX, fromY);
    await this.page.mouse.down();
    await this.page.mouse.move(toX, toY, { steps: 5 });
    await this.page.mouse.up();
  }

  /** Types a line into the Debug Console and sends it. */
  async type(line) {
    await this.focusConsole();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Escape');
    await this.focusConsole();
    await this.page.keyboard.press('Enter');
  }

  /** Opens a row of the Variables view, again when the view was just filled anew, until `child` shows. */
  async expandVariable(name, child) {
    const row = (text) => this.page.locator('.debug-variables .monaco-list-row', { hasText: text }).first();
    await this.until(`${child} under ${name}`, 15_000, async () => {
      if (await row(child).isVisible()) return true;
      await row(name).locator('.monaco-tl-twistie').click();
      return row(child)
        .waitFor({ timeout: 2000 })
        .then(
          () => true,
          () => false,
        );
    });
  }

  /** Turns the mouse wheel over an element, and lets the picture settle. */
  async scroll(selector, pixels) {
    await this.page.locator(selector).first().hover();
    await this.page.mouse.wheel(0, pixels);
    await this.page.waitForTimeout(500);
  }

  async focusConsole() {
    await this.page.locator('.repl .repl-input-wrapper .monaco-editor').click();
  }

  /** The lines of the Debug Console that are in view. */
  console() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('.repl-tree .monaco-list-row')]
        .map((row) => ({ top: row.offsetTop, text: row.textContent }))
        .sort((a, b) => a.top - b.top)
        .map(({ text }) => text.replace(/\u00a0/g, ' '))
        .join('\n'),
    );
  }

  /** Waits until the Debug Console shows `pattern`; returns the match. */
  consoleShows(pattern, timeout = 15_000) {
    return this.until(`"${pattern}" in the Debug Console`, timeout, async () =>
      pattern.exec(await this.console()),
    );
  }

  /** Waits for the status bar item of the session: `KD stopped`. */
  statusShows(pattern, timeout = 15_000) {
    return this.until(`"${pattern}" in the status bar`, timeout, async () => {
      const items = await this.page.locator('.statusbar-item', { hasText: /\bKD\b/ }).allTextContents();
      return pattern.exec(items.join(' ').replace(/\u00a0/g, ' '));
    });
  }

  /** Polls until `check` gives something; the picture changes at its own pace and has no event for it. */
  async until(what, timeout, check) {
    const end = Date.now() + timeout;
    for (;;) {
      const result = await check();
      if (result) return result;
      if (Date.now() > end) throw new Error(`${this.name}: no ${what} within ${timeout / 1000} s`);
      await this.page.waitForTimeout(100);
    }
  }

  /** Of the whole window, or of the rectangle `clip` when what shows there (a dialog) has faded in. */
  async screenshot(file, clip) {
    if (clip) await this.page.waitForTimeout(500);
    await this.page.screenshot({ path: file, clip });
  }
}
