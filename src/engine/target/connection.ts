/** From a `-k` string to a Target: picks the wire for the connection and starts a KdTarget on it. */
import { systemClock } from '../base/clock';
import { UserError } from '../base/errors';
import { connectPipe } from '../wire/pipe';
import { openSerial } from '../wire/serial';
import { connectTcp, formatAddress } from '../wire/tcp';
import { parseKernelConnection, type KernelConnection } from './kernelConnection';
import type { WireSource } from './kdConnection';
import { KdTarget } from './kdTarget';
import type { Target } from './target';

export { parseKernelConnection, type KernelConnection } from './kernelConnection';

export interface OpenTargetOptions {
  /** Break in as soon as the target is reached (`-b`). */
  readonly initialBreak?: boolean;
  /** Answers a prompt of the target's (DbgPrompt); without it the answer is empty. */
  readonly onPrompt?: (prompt: string) => Promise<string>;
  /** Closes the target when it aborts. */
  readonly signal?: AbortSignal;
  /** Where the wire of a `kdsrv:` connection comes from, which this room knows nothing of. */
  readonly lentLink?: WireSource;
}

/**
 * Starts to connect and returns at once: everything that happens, also a failure to open (state `closed` with the
 * reason as detail), is told by events, none before the next turn of the event loop. Throws a one-line UserError for
 * a string that cannot be parsed and for a transport that is not supported yet.
 */
export function openTarget(connection: string | KernelConnection, options: OpenTargetOptions = {}): Target {
  const parsed = typeof connection === 'string' ? parseKernelConnection(connection) : connection;
  const target = new KdTarget(options.lentLink ?? wireSource(parsed), { ...options, clock: systemClock });
  setImmediate(() => target.start());
  const { signal } = options;
  if (signal?.aborted) void target.close();
  signal?.addEventListener('abort', () => void target.close(), { once: true });
  return target;
}

/** Throws a one-line UserError for a connection that is not opened here. */
export function wireSource(connection: KernelConnection): WireSource {
  switch (connection.kind) {
    case 'serial': {
      const { port, baudRate } = connection;
      return {
        name: `${port} at ${baudRate} baud`,
        open: (signal) => openSerial({ path: port, baudRate }, { signal }),
        // 8 data bits, a start and a stop bit.
        bytesPerSecond: baudRate / 10,
      };
    }
    case 'pipe': {
      const { path, reconnect, unlimitedResets } = connection;
      return {
        name: `pipe '${path}'`,
        open: (signal) => connectPipe(path, { signal }),
        keepTrying: reconnect,
        unlimitedResets,
      };
    }
    case 'tcp':
      return {
        name: formatAddress(connection),
        open: (signal) => connectTcp(connection, { signal }),
      };
    case 'demo':
      return {
        name: 'the demo machine',
        open: async () => {
          // Loaded when asked for: it brings the machine's code with it.
          const { openDemoMachine } = await import('../wire/demo');
          return (await openDemoMachine({ keepAlive: true })).wire;
        },
      };
    case 'kdsrv':
      throw new UserError('A link lent by a KD connection server (kdsrv:) cannot be opened here.');
    case 'unsupported':
      throw new UserError(`${connection.name} is not supported yet; ${connection.advice}.`);
  }
}
