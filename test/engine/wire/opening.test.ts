/** Each way in which opening fails is one line that names the thing. */
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CancelledError, UserError } from '../../../src/engine/base/errors';
import { errorCode } from '../../../src/engine/wire/openErrors';
import { connectPipe, listenPipe } from '../../../src/engine/wire/pipe';
import { openSerial } from '../../../src/engine/wire/serial';
import { connectTcp, formatAddress, listenTcp } from '../../../src/engine/wire/tcp';
import { openPtyPair } from '../../support/ptyPair';
import { temporaryFolder } from '../../support/temporary';
import { describeWhen, describeWith } from '../../support/tools';

async function failure(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => new Error('opened'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  const text = (error as Error).message;
  expect(text).not.toMatch(/\n/);
  return text;
}

describe('tcp', () => {
  it('says that nothing listens', async () => {
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, () => {});
    await listener.close();
    const { port } = listener.address;
    expect(await failure(connectTcp({ host: '127.0.0.1', port }))).toContain(
      `Nothing listens on 127.0.0.1:${port};`,
    );
  });

  it('says that the host is unknown', async () => {
    const text = await failure(connectTcp({ host: 'no-such-host.invalid', port: 1 }));
    expect(text).toContain(`'no-such-host.invalid'`);
  });

  it('stops waiting when cancelled or late', async () => {
    // 192.0.2.0/24 is reserved for documentation: packets to it get no answer, or an error at once.
    const abort = new AbortController();
    const waiting = connectTcp({ host: '192.0.2.1', port: 9 }, { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(CancelledError);
    await expect(
      connectTcp({ host: '::1', port: 1 }, { signal: AbortSignal.abort() }),
    ).rejects.toBeInstanceOf(CancelledError);
    expect(await failure(connectTcp({ host: '192.0.2.1', port: 9 }, { timeLimit: 30 }))).toContain(
      '192.0.2.1',
    );
  });

  it('says that a port is in use, with the code as cause', async () => {
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, () => {});
    onTestFinished(() => listener.close());
    const error = await listenTcp(listener.address, () => {}).catch((reason: UserError) => reason);
    expect(error).toMatchObject({
      message: expect.stringContaining(`Port ${listener.address.port} is in use`),
    });
    expect(errorCode((error as UserError).cause)).toBe('EADDRINUSE');
  });

  it('writes addresses for people', () => {
    expect(formatAddress({ host: '::1', port: 5 })).toBe('[::1]:5');
    expect(formatAddress({ host: '::ffff:10.0.0.1', port: 5 })).toBe('10.0.0.1:5');
  });
});

describeWhen(process.platform !== 'win32', 'Unix-domain sockets', 'pipe', () => {
  it('says that there is no such pipe, or that nobody listens', async () => {
    const path = join(temporaryFolder(), 'p');
    expect(await failure(connectPipe(path))).toContain(`There is no pipe '${path}'`);
    writeFileSync(path, '');
    expect(await failure(connectPipe(path))).toMatch(/Nothing listens on pipe|is no pipe/);
    expect(await failure(connectPipe(join(path, 'x')))).toContain('There is no pipe');
  });

  it('refuses names that cannot be', async () => {
    expect(await failure(connectPipe('\\\\.\\pipe\\com_1'))).toContain('is a Windows pipe name');
    expect(await failure(connectPipe(`/tmp/${'x'.repeat(200)}`))).toContain('longer than');
  });

  it('replaces a socket that a dead process left, never one in use', async () => {
    const path = join(temporaryFolder(), 'p');
    const first = await listenPipe(path, () => {});
    onTestFinished(() => first.close());
    expect(await failure(listenPipe(path, () => {}))).toContain(`Pipe '${path}' is in use`);
    await first.close();

    // A listener that forgets its file, as a killed process does.
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen({ path }, resolve));
    const kept = join(temporaryFolder(), 'q');
    renameSync(path, kept);
    await new Promise((resolve) => dead.close(resolve));
    const again = await listenPipe(kept, () => {});
    await again.close();
  });
});

describeWith('socat', 'serial', () => {
  it('says that there is no such port, that it is none, or that it is busy', async () => {
    const folder = temporaryFolder();
    expect(await failure(openSerial({ path: '/dev/no-such-port', baudRate: 115200 }))).toContain(
      `There is no serial port '/dev/no-such-port'`,
    );
    expect(await failure(openSerial({ path: '/dev/null', baudRate: 115200 }))).toContain(
      `'/dev/null' is no serial port`,
    );
    const pair = await openPtyPair(folder);
    onTestFinished(() => pair.close());
    const wire = await openSerial({ path: pair.a, baudRate: 9600 });
    onTestFinished(() => wire.close());
    expect(await failure(openSerial({ path: pair.a, baudRate: 9600 }))).toContain(
      'is in use by another program',
    );
  });
});

describe('serial without its binary', () => {
  it('is one clear line', async () => {
    vi.doMock('serialport', () => {
      throw new Error('No native build was found');
    });
    onTestFinished(() => {
      vi.doUnmock('serialport');
    });
    vi.resetModules();
    const { openSerial: open } = await import('../../../src/engine/wire/serial');
    const error = await open({ path: 'COM1', baudRate: 9600 }).catch((reason: Error) => reason);
    expect(error).toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`no usable binary for`),
    });
  });
});
