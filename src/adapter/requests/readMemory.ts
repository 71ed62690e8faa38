import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';
import { formatAddress } from '../references';
import { memoryArgument } from './common';

/** Most a client may ask for at once, and how much of it is asked of the session at a time, in bytes. */
const mostBytes = 16 * 1024 * 1024;
const chunkBytes = 256 * 1024;

/** Reads virtual memory up to the first byte that cannot be read. */
export const readMemory: Handler<Body<DebugProtocol.ReadMemoryResponse>> = {
  capabilities: { supportsReadMemoryRequest: true },
  needsStop: true,
  async run({ live }, args, { signal }) {
    const count = args.integer('count', { min: 0, max: mostBytes });
    const { reference, base, address } = await memoryArgument(live, args, 'memoryReference', signal);
    const parts: Buffer[] = [];
    let read = 0;
    while (read < count) {
      const at = address + BigInt(read);
      const wanted = Math.min(chunkBytes, count - read);
      const { data } = await live.session.request(
        'readMemory',
        { address: formatAddress(at), count: wanted },
        signal,
      );
      const part = Buffer.from(data, 'base64').subarray(0, wanted);
      parts.push(part);
      read += part.length;
      if (part.length < wanted) break;
    }
    live.memory.read(reference, base, address, count);
    return {
      address: formatAddress(address),
      data: Buffer.concat(parts).toString('base64'),
      ...(read < count ? { unreadableBytes: count - read } : {}),
    };
  },
};
