import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../engine/base/errors';
import type { Body, Handler } from '../handler';
import { formatAddress } from '../references';
import { memoryArgument } from './common';

/** Largest write, in bytes. */
const mostBytes = 1024 * 1024;

/** Writes virtual memory. Without `allowPartial` a write that does not get through is an error. */
export const writeMemory: Handler<Body<DebugProtocol.WriteMemoryResponse>> = {
  capabilities: { supportsWriteMemoryRequest: true },
  showErrors: true,
  needsStop: true,
  async run({ live }, args, { signal }) {
    const data = args.string('data');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data) || data.length % 4 === 1) args.fail('data', 'must be base64');
    const bytes = Buffer.from(data, 'base64');
    if (bytes.length > mostBytes) args.fail('data', `is more than ${mostBytes} bytes`);
    const allowPartial = args.boolean('allowPartial') ?? false;
    const { address } = await memoryArgument(live, args, 'memoryReference', signal);
    if (bytes.length === 0) return { bytesWritten: 0 };
    const { written } = await live.session.request(
      'writeMemory',
      { address: formatAddress(address), data: bytes.toString('base64') },
      signal,
    );
    if (written < bytes.length && !allowPartial) {
      throw new UserError(
        `Only ${written} of ${bytes.length} bytes at ${formatAddress(address)} could be written.`,
      );
    }
    return { bytesWritten: written };
  },
};
