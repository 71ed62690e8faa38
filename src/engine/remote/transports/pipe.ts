/** Carrier of `npipe:` and `spipe:`: Windows named pipes, elsewhere Unix-domain sockets that only the user can open. */
import { chmod } from 'node:fs/promises';
import { UserError } from '../../base/errors';
import { errorCode } from '../../wire/openErrors';
import { connectPipe, listenPipe, removeDeadPipe } from '../../wire/pipe';
import { remoteMessages as messages } from '../messages';
import { hostOf, type SessionString } from '../sessionString';
import { finalPipeName, pipePath } from './pipeNames';
import type { Carrier } from './transport';

/** The ports of Windows file sharing, over which named pipes reach other machines. */
const sharingPorts = [139, 445];

export const pipeCarrier: Carrier = {
  async listen({ transport, values }, onConnection) {
    const name = finalPipeName(nameIn(values));
    const path = await pipePath(name);
    const peer = { address: name, host: `pipe ${name}` };
    const listener = await listenPipe(path, (wire) => onConnection(wire, peer)).catch((error: unknown) => {
      throw codeOf(error) === 'EADDRINUSE'
        ? new UserError(messages.pipeInUse(name), { cause: error })
        : error;
    });
    // The folder keeps others out already; the mode says it once more.
    if (process.platform !== 'win32') await chmod(path, 0o600);
    const string: SessionString = { transport, values: new Map([...values, ['Pipe', name]]) };
    return { string, firewallPorts: sharingPorts, close: () => listener.close() };
  },
  async connect(string, signal) {
    const name = nameIn(string.values);
    const host = hostOf(string.values, 'Server') ?? '';
    const path = await pipePath(name, host);
    return connectPipe(path, { signal }).catch(async (error: unknown) => {
      const code = codeOf(error) ?? '';
      const absent = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(code);
      // Of a server that was killed; whoever finds it takes it away.
      if (code === 'ECONNREFUSED') await removeDeadPipe(path);
      throw absent ? new UserError(messages.noPipe(name, host), { cause: error }) : error;
    });
  },
  where: ({ values }) => `pipe '${nameIn(values)}' of ${hostOf(values, 'Server') ?? 'this machine'}`,
};

function nameIn(values: ReadonlyMap<string, string>): string {
  return values.get('Pipe') ?? '';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof UserError ? errorCode(error.cause) : undefined;
}
