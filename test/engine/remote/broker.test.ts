/** The pipes over which processes share a serial port: what killed ones leave behind goes, what lives stays. */
import { existsSync, renameSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { offerPort } from '../../../src/engine/remote/channels/broker';
import { pipePath } from '../../../src/engine/remote/transports/pipeNames';
import { ownRuntimeFolder } from '../../support/runtimeFolder';
import { describeWhen } from '../../support/tools';

const nobody = () => Promise.reject(new Error('no port'));

async function offered(port: string): Promise<void> {
  const broker = await offerPort(port, nobody);
  onTestFinished(() => broker?.close());
}

async function leaveSocket(path: string): Promise<void> {
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen({ path: `${path}.x` }, resolve));
  renameSync(`${path}.x`, path);
  await new Promise((resolve) => dead.close(resolve));
  utimesSync(path, 0, 0);
}

describeWhen(process.platform !== 'win32', 'Unix-domain sockets', 'the pipe of a serial port', () => {
  it('is taken away by the next process that shares a port, when its own was killed', async () => {
    ownRuntimeFolder();
    await offered('/dev/ttyS1');
    const folder = dirname(await pipePath('any'));
    const dead = join(folder, 'pipe-com-0123456789abcdef01234567');
    const other = join(folder, 'pipe-mine');
    await leaveSocket(dead);
    await leaveSocket(other);
    await offered('/dev/ttyS2');
    expect([dead, other].map((path) => existsSync(path))).toEqual([false, true]);
    // The first one lives: its name is still taken.
    expect(await offerPort('/dev/ttyS1', nobody)).toBeUndefined();
  });
});
