// Runs the Mocha suite inside the extension host of a workbench window and gives its counts.
import { workbenchAddress } from './browser.mjs';

const limit = 120_000;

/** Resolves with `{ passed, failed }`; the suite's output goes to the console. */
export async function runHostSuite(browser, port, { folder, extension, tests, shots }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const remote = (path) => `vscode-remote://127.0.0.1:${port}${path}`;
  let counts;
  try {
    const code = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no result within ${limit / 1000} s`)), limit);
      const log = (_type, args) => {
        const text = args.map(String).join(' ');
        const result = /^@@results (.*)$/m.exec(text);
        if (result) counts = JSON.parse(result[1]);
        else if (text.startsWith('@@ ')) console.log(text.slice(3));
      };
      void (async () => {
        await page.exposeFunction('codeAutomationLog', log);
        await page.exposeFunction('codeAutomationExit', (exit) => {
          clearTimeout(timer);
          resolve(exit);
        });
        await page.goto(
          workbenchAddress(port, folder, [
            ['extensionDevelopmentPath', remote(extension)],
            ['extensionTestsPath', remote(tests)],
            ['skipWelcome', 'true'],
          ]),
        );
      })().catch(reject);
    });
    if (code !== 0) await page.screenshot({ path: `${shots}/suite-failed.png` });
    if (counts) return counts;
    console.log(`The suite ended with ${code} and no result.`);
    return { passed: 0, failed: 1 };
  } catch (error) {
    console.log(`Suite in the extension host: ${error.message}`);
    await page.screenshot({ path: `${shots}/suite-failed.png` }).catch(() => undefined);
    return { passed: counts?.passed ?? 0, failed: Math.max(1, counts?.failed ?? 0) };
  } finally {
    await context.close();
  }
}
