/** The program `vskd`: the process around run.ts (signals, broken pipes, exit code). */
import { Interrupted, run } from './run';

/** Exit codes are 128 + the number of the signal, as shells have it. */
const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const controller = new AbortController();

for (const [name, code] of Object.entries(signals)) {
  process.on(name, () => {
    // The second time is for those who do not want to wait for the clean-up.
    if (controller.signal.aborted) process.exit(code);
    controller.abort(new Interrupted(name, code));
  });
}

// `vskd | head`: nobody reads any more, so there is nothing left to do.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => controller.abort(new Interrupted('output closed', 0)));
}

// A bug: still one line and a clean leave.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.stderr.write(`vskd: Internal error: ${error instanceof Error ? error.message : String(error)}\n`);
    controller.abort(new Interrupted('internal error', 1));
  });
}

// Should everything that keeps the process alive end before `run` does, that is no success.
process.exitCode = 1;
void run(process.argv.slice(2), process.env, process, controller.signal).then((code) => {
  process.exitCode = code;
  // Handles of a link that did not close in time must not keep the process; the last output must be out, though.
  const exit = () => process.exit(code);
  process.stdout.write('', exit);
  setTimeout(exit, 1000).unref();
});
