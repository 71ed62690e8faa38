import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { finalPipeName, pipePath } from '../../../src/engine/remote/transports/pipeNames';
import { temporaryFolder } from '../../support/temporary';
import { describeWhen } from '../../support/tools';
import { closeAll, host, joinAs, later } from './support/hosted';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
  const before = process.env.XDG_RUNTIME_DIR;
  process.env.XDG_RUNTIME_DIR = folder;
  later(() => {
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
  });
});
afterEach(closeAll);

const modeOf = (path: string) => statSync(path).mode & 0o777;

describeWhen(process.platform !== 'win32', 'Unix-domain sockets', 'npipe', () => {
  it('serves clients of this machine by any of its names, and only this user', async () => {
    const { hosted, host: h } = await host('npipe:pipe=Rabbit');
    expect(hosted.servers.list()).toBe('0 - Debugger Server - npipe:Pipe=Rabbit\n');
    expect(h.text).toContain('0: <debugger> -remote npipe:Pipe=Rabbit,Server=LAB\n');
    for (const name of ['localhost', hostname(), `\\\\${hostname().toUpperCase()}`, '127.0.0.1', '.']) {
      const a = await joinAs('ann', `npipe:server=${name},pipe=rabbit`);
      expect(await a.run('r')).toBe(true);
      expect(a.client.info.identity).toBe('DEV\\ann (npipe Rabbit)');
    }
    const own = join(folder, 'vscode-kd');
    const sockets = () => readdirSync(own).filter((file) => file.startsWith('pipe'));
    expect(modeOf(own)).toBe(0o700);
    expect(sockets().map((file) => modeOf(join(own, file)))).toEqual([0o600]);
    await h.run('.endsrv 0');
    expect(sockets()).toEqual([]);
  });

  it('puts the process id and the thread id into names', async () => {
    const { hosted } = await host('npipe:pipe=dbg_%x_%d');
    const name = `dbg_${process.pid.toString(16)}_0`;
    expect(hosted.servers.list()).toContain(`npipe:Pipe=${name}\n`);
    await joinAs('ann', `npipe:server=localhost,pipe=${name}`);
    expect(finalPipeName('a%%d%X')).toMatch(/^a%\d+\d+$/i);
    expect(() => finalPipeName('%d%d%d')).toThrow('more than two number codes');
    expect(finalPipeName('plain')).toBe('plain');
  });

  it('refuses a name in use and starts no second server', async () => {
    const { hosted, host: h } = await host('npipe:pipe=tiger');
    expect(await h.run('.server npipe:pipe=TIGER')).toBe(false);
    expect(h.text).toContain("Pipe name 'TIGER' is in use on this machine; choose another one");
    expect(hosted.servers.infos()).toHaveLength(1);
    expect(await h.run('.server npipe:pipe=a b')).toBe(false);
    expect(h.text).toContain('a pipe name without spaces and quotation marks');
  });

  it('replaces what a killed server left behind', async () => {
    const { host: h } = await host();
    const path = await pipePath('ghost');
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen({ path: `${path}.x` }, resolve));
    renameSync(`${path}.x`, path);
    await new Promise((resolve) => dead.close(resolve));
    await expect(joinAs('ann', 'npipe:server=.,pipe=ghost')).rejects.toThrow(
      "No debugging server has a pipe 'ghost' on .;",
    );
    expect(await h.run('.server npipe:pipe=ghost')).toBe(true);
    await joinAs('ann', 'npipe:server=.,pipe=ghost');
  });

  it('takes away what a killed server left behind, but nothing that is just coming to be', async () => {
    const path = await pipePath('ghost');
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen({ path: `${path}.x` }, resolve));
    renameSync(`${path}.x`, path);
    await new Promise((resolve) => dead.close(resolve));
    const nobody = "No debugging server has a pipe 'ghost' on .;";
    await expect(joinAs('ann', 'npipe:server=.,pipe=ghost')).rejects.toThrow(nobody);
    expect(existsSync(path)).toBe(true);
    utimesSync(path, 0, 0);
    await expect(joinAs('ann', 'npipe:server=.,pipe=ghost')).rejects.toThrow(nobody);
    expect(existsSync(path)).toBe(false);
  });

  it('takes names of any length and of characters that files do not have', async () => {
    for (const name of ['x'.repeat(300), '../up', 'a\\b/c:d*e', 'bär']) {
      const { host: h } = await host(`npipe:pipe=${name}`);
      await joinAs('ann', `npipe:server=localhost,pipe=${name}`);
      expect(await h.run('.endsrv 0')).toBe(true);
    }
    expect(readdirSync(folder)).toEqual(['vscode-kd']);
  });

  it('says that pipes do not reach other machines', async () => {
    await expect(joinAs('ann', 'npipe:server=other,pipe=x')).rejects.toThrow(
      "Pipes reach only this machine on this system, not 'other'; use tcp: or ssl:, or log in there with ssh -L.",
    );
    await expect(joinAs('ann', 'npipe:server=localhost,pipe=none')).rejects.toThrow("has a pipe 'none'");
  });

  it('asks for the password', async () => {
    await host('npipe:pipe=tiger,password=Secret12');
    await expect(joinAs('ann', 'npipe:server=.,pipe=tiger')).rejects.toThrow('Error 0x80004005');
    await joinAs('ann', 'npipe:server=.,pipe=tiger,password=Secret12');
  });

  it('trusts no folder that is not its own', async () => {
    const own = join(folder, 'vscode-kd');
    mkdirSync(own);
    chmodSync(own, 0o777);
    await pipePath('x');
    expect(modeOf(own)).toBe(0o700);
    process.env.XDG_RUNTIME_DIR = temporaryFolder();
    symlinkSync('/tmp', join(process.env.XDG_RUNTIME_DIR, 'vscode-kd'));
    await expect(pipePath('x')).rejects.toThrow('is not a folder of yours');
    process.env.XDG_RUNTIME_DIR = temporaryFolder();
    writeFileSync(join(process.env.XDG_RUNTIME_DIR, 'vscode-kd'), '');
    await expect(pipePath('x')).rejects.toThrow('is not a folder of yours');
  });
});
