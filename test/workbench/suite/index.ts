/**
 * Entry of the suite that runs inside VS Code's extension host (`extensionTestsPath`), in the served workbench and
 * in a desktop VS Code alike. The last line it logs carries the counts for the runner.
 */
import Mocha from 'mocha';
import { extensionSuite } from './extension.suite';
import { sessionSuite } from './session.suite';

export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 30_000, reporter: Mocha.reporters.Base });
  // What Mocha does for each file it loads: puts describe, it and the hooks into the global scope.
  mocha.suite.emit('pre-require', globalThis as unknown as Mocha.MochaGlobals, '', mocha);
  extensionSuite();
  sessionSuite();
  const counts = { passed: 0, failed: 0 };
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    // One line for each test, marked for the runner: the window logs much else.
    runner.on('pass', (test) => {
      counts.passed++;
      console.log(`@@ ok   ${test.fullTitle()} (${test.duration ?? 0} ms)`);
    });
    runner.on('fail', (test, error: Error) => {
      counts.failed++;
      console.log(`@@ FAIL ${test.fullTitle()}\n${error.stack ?? error.message}`);
    });
  });
  console.log(`@@results ${JSON.stringify(counts)}`);
  if (counts.failed > 0 || counts.passed === 0) throw new Error(`${counts.failed} failed`);
}
