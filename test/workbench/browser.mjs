// Opens workbench windows in a headless Chromium.
import { chromium } from 'playwright-core';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchBrowser(executablePath) {
  return chromium.launch({ executablePath, headless: true, args: flags });
}

/** The address of a window on `folder`; `payload` are further settings of the workbench. */
export function workbenchAddress(port, folder, payload = []) {
  const query = new URLSearchParams({ folder });
  if (payload.length > 0) query.set('payload', JSON.stringify(payload));
  return `http://127.0.0.1:${port}/?${query}`;
}

/** A window of its own (own storage) whose workbench is up. */
export async function openWindow(browser, address, size = { width: 1280, height: 900 }) {
  const context = await browser.newContext({ viewport: size });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(address);
  await page.waitForSelector('.monaco-workbench .statusbar', { timeout: 60_000 });
  return page;
}
