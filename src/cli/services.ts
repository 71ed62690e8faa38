/** Runs what starts no debugger: the list of servers, the repeater, the KD connection server, symbol dumps. */
import { UserError } from '../engine/base/errors';
import { listServers } from '../engine/remote/discovery';
import { startKdServer } from '../engine/remote/kdsrv';
import { startRepeater } from '../engine/remote/repeater';
import type { Service } from './serviceOptions';
import { dumpSymbols } from './symdump';

export interface ServiceSurroundings {
  /** Writes whole lines. */
  print(text: string): void;
  /** Writes data as it is; resolves when there is room for more. */
  write(text: string): Promise<void>;
  askPassword(): Promise<string>;
  /** Ends a service; it rejects with the reason then. */
  readonly signal: AbortSignal;
}

/** Resolves when it is done. Throws UserError. */
export async function runService(service: Service, around: ServiceSurroundings): Promise<void> {
  const { print, signal, askPassword } = around;
  const log = (line: string) => print(`${line}\n`);
  switch (service.kind) {
    case 'list':
      print(await listServers(service.host, signal));
      return;
    case 'repeater': {
      const repeater = await startRepeater({ ...service, log });
      print(repeater.text);
      await untilAborted(signal, repeater, async () => {
        const reason = await repeater.ended;
        if (reason !== undefined) throw new UserError(reason);
      });
      return;
    }
    case 'symdump':
      await dumpSymbols(service.file, around.write, signal);
      return;
    case 'kdsrv': {
      const server = await startKdServer({ ...service, askPassword, log });
      print(server.text);
      await untilAborted(signal, server, async () => {
        const { message } = await (server.failed ?? new Promise<never>(() => {}));
        throw new UserError(message);
      });
      return;
    }
  }
}

async function untilAborted(
  signal: AbortSignal,
  running: { dispose(): Promise<void> },
  done: () => Promise<void>,
): Promise<void> {
  try {
    await Promise.race([
      done(),
      new Promise<never>((_resolve, reject) => {
        const abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      }),
    ]);
  } finally {
    await running.dispose();
  }
}
