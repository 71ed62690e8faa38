import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { announceServer, listServers } from '../../../../src/engine/remote/discovery';
import { registeredServers, registerServer } from '../../../../src/engine/remote/discovery/registry';
import { closeAll, host } from '../support/hosted';
import { ownRuntimeFolder } from '../../../support/runtimeFolder';

const server = (spec: string, kind: 'debugger' | 'process' | 'kernel' = 'debugger') => ({
  kind,
  spec,
  clientString: `${spec},Server=LAB`,
  advertise: false,
});

it('lists the servers of this machine under all its names, oldest first', async () => {
  ownRuntimeFolder();
  expect(await listServers('localhost')).toBe('No visible servers on localhost.\n');
  const first = await registerServer(server('npipe:Pipe=MainPipe'));
  const second = await registerServer(server('npipe:Pipe=AnotherPipe', 'process'));
  const third = await registerServer(server('npipe:Pipe=KernelPipe', 'kernel'));
  const lines =
    'Debugger Server - npipe:Pipe=MainPipe\n' +
    'Remote Process Server - npipe:Pipe=AnotherPipe\n' +
    'Remote Kernel Debugger Server - npipe:Pipe=KernelPipe\n';
  for (const name of ['localhost', '127.0.0.42', '[::1]', hostname(), hostname().toUpperCase()]) {
    for (const typed of [name, `\\\\${name}`]) {
      const list = await listServers(typed);
      expect(list.split('\n')[0]).toBe(`Servers on ${typed}:`);
      expect(list.split('\n').slice(1).sort()).toEqual(lines.split('\n').sort());
    }
  }
  await second.dispose();
  expect(await listServers('localhost')).not.toContain('AnotherPipe');
  await first.dispose();
  await third.dispose();
  expect(await registeredServers()).toEqual([]);
});

it('keeps the files from others, and removes those of dead processes', async () => {
  const folder = ownRuntimeFolder();
  const registered = await registerServer(server('tcp:Port=5005,Password=*'));
  const own = join(process.platform === 'win32' ? `${folder}/vscode-kd-0` : `${folder}/vscode-kd`, 'servers');
  const [file = ''] = readdirSync(own);
  if (process.platform !== 'win32') {
    expect(statSync(own).mode & 0o777).toBe(0o700);
    expect(statSync(join(own, file)).mode & 0o777).toBe(0o600);
  }
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const entry = JSON.stringify(registered.entry);
  writeFileSync(join(own, `${dead}-0123456789abcdef.json`), entry);
  writeFileSync(join(own, `${dead}-0123456789abcdee.json.new`), entry);
  expect(await registeredServers()).toEqual([registered.entry]);
  expect(readdirSync(own)).toEqual([file]);
  await registered.dispose();
  await registered.dispose();
});

it('passes over what is no entry', async () => {
  const folder = ownRuntimeFolder();
  const { entry } = await registerServer(server('tcp:Port=1'));
  const own = join(process.platform === 'win32' ? `${folder}/vscode-kd-0` : `${folder}/vscode-kd`, 'servers');
  const bad = [
    '',
    '{',
    'null',
    '[]',
    '{"kind":"other","spec":"x","clientString":"y"}',
    '{"kind":"debugger"}',
  ];
  bad.push(JSON.stringify({ ...entry, spec: 'x'.repeat(10_000) }));
  bad.forEach((text, i) => writeFileSync(join(own, `${process.pid}-000000000000000${i}.json`), text));
  writeFileSync(join(own, 'notes.txt'), 'hello');
  mkdirSync(join(own, `${process.pid}-00000000000000aa.json`));
  if (process.platform !== 'win32') {
    symlinkSync('/dev/zero', join(own, `${process.pid}-00000000000000ab.json`));
  }
  writeFileSync(
    join(own, `${process.pid}-00000000000000ac.json`),
    JSON.stringify({ ...entry, spec: 'tcp:Port=2\u001b[2J\nDebugger Server - x' }),
  );
  const specs = (await registeredServers()).map(({ spec }) => spec);
  expect(specs.sort()).toEqual(['tcp:Port=1', 'tcp:Port=2.[2J Debugger Server - x']);
});

it('says when the registry cannot be written, and goes on', async () => {
  const folder = ownRuntimeFolder();
  const name = process.platform === 'win32' ? 'vscode-kd-0' : 'vscode-kd';
  writeFileSync(join(folder, name), 'in the way');
  const announced = await announceServer({ ...server('tcp:Port=1'), port: 1 });
  expect(announced.notices.join()).toMatch(/^Warning: -QR and other debuggers do not list this server: ./);
  await announced.dispose();
  expect(await registeredServers()).toEqual([]);
});

it('has the debugging servers of a session while they take clients, but for hidden ones', async () => {
  ownRuntimeFolder();
  const { host: h } = await host('tcp:port=0,bind=127.0.0.1,password=Secret12');
  await h.run('.server tcp:port=0,bind=127.0.0.1,hidden');
  const spec = (id: number) => new RegExp(`^${id} - (.*)$`, 'm').exec(h.text)?.[1];
  await h.run('.servers');
  expect(await listServers('localhost')).toBe(`Servers on localhost:\n${spec(0)}\n`);
  expect(spec(0)).toMatch(/^Debugger Server - tcp:Port=\d+,Password=\*$/);
  await h.run('.endsrv 0');
  expect(await registeredServers()).toEqual([]);
  await h.run('.server tcp:port=0,bind=127.0.0.1');
  expect(await registeredServers()).toHaveLength(1);
  await closeAll();
  expect(await registeredServers()).toEqual([]);
});

it('refuses what is no host name', async () => {
  await expect(listServers('a b')).rejects.toThrow("Bad host name 'a b' for '-QR'");
  await expect(listServers('')).rejects.toThrow('Bad host name');
});
