/**
 * The Debug Adapter as a program: DAP on standard input and output, or with `--server=PORT` on a port of this machine
 * (for working on the adapter; each connection is a session of its own).
 */
import { Console } from 'node:console';
import { createServer } from 'node:net';
import { errorText } from '../engine/base/errors';
import { openSession } from './openSession';
import { AdapterSession } from './session';

/** Time a client gets to take the last messages, in milliseconds. */
const lastWords = 1000;

function main(args: readonly string[]): void {
  const [option, ...rest] = args;
  if (option === undefined) {
    serveStdio();
    return;
  }
  const port = Number(/^--server=(\d{1,5})$/.exec(option)?.[1] ?? NaN);
  if (rest.length > 0 || !(port <= 0xffff)) {
    process.stderr.write('Usage: adapter.js [--server=PORT]\n');
    process.exitCode = 1;
    return;
  }
  serveSocket(port);
}

function serveStdio(): void {
  const output = process.stdout;
  // Standard output carries the protocol: whatever else wants to print goes to the log.
  globalThis.console = new Console(process.stderr);
  const session = new AdapterSession(openSession);
  const log = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${text}\n`);
    session.logInternal(text);
  };
  // The session of several people must not end because of one mistake of ours.
  process.on('uncaughtException', log);
  process.on('unhandledRejection', log);
  const served = session.serve(process.stdin, output);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => void session.leave(false).then(() => session.finish()));
  }
  void served.then(() => {
    const exit = (): never => process.exit(0);
    output.write('', exit);
    setTimeout(exit, lastWords).unref();
  });
}

function serveSocket(port: number): void {
  const server = createServer((socket) => {
    const session = new AdapterSession(openSession);
    void session.serve(socket, socket).then(() => socket.end());
  });
  server.on('error', (error) => {
    process.stderr.write(`Port ${port}: ${errorText(error)}\n`);
    process.exitCode = 1;
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    const listening = typeof address === 'object' && address ? address.port : port;
    process.stderr.write(`Debug adapter server listening at: 127.0.0.1:${listening}\n`);
  });
}

main(process.argv.slice(2));
