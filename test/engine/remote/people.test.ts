/** Roles, trust and the session log over real connections, with the real commands. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { commandLanguage } from '../../../src/engine/command/language';
import { hostEngine, type EngineHostOptions } from '../../../src/engine/remote/hostEngine';
import { FakeEngine } from '../session/support/fakeEngine';
import { Watcher } from '../session/support/harness';
import { anyPort, at, closeAll, joinAs, later, portOf } from './support/hosted';

afterEach(closeAll);

async function start(servers: readonly string[], options: EngineHostOptions = {}) {
  const engine = new FakeEngine();
  const hosted = await hostEngine(engine, commandLanguage, 'fake:', {
    identity: { machine: 'LAB', user: 'host' },
    servers,
    ...options,
  });
  later(() => hosted.dispose());
  const host = new Watcher(hosted.client);
  engine.target.go('running');
  engine.target.halt();
  await host.sees('at 1000');
  return { hosted, host, ports: servers.map((_, id) => portOf(hosted, id)) };
}

async function lastError(who: Watcher, line: string): Promise<string> {
  expect(await who.run(line), line).toBe(false);
  return who.items.filter(({ kind }) => kind === 'error').at(-1)?.text ?? '';
}

describe('passwords and roles', () => {
  it('give control or let observe, and nothing to others', async () => {
    const { host, ports } = await start([`${anyPort},password=Secret12,observer=Looker34`]);
    const to = at(ports[0] ?? 0);
    const a = await joinAs('ann', `${to},password=Secret12`);
    const b = await joinAs('bob', `${to},password=Looker34`);
    expect(await a.run('bc *')).toBe(true);
    expect(await lastError(b, 'bc *')).toContain('bc is refused: you observe');
    expect(await b.run('.echo watching')).toBe(true);
    await host.sees('watching\n');
    for (const wrong of ['password=secret12', 'password=looker34', ''])
      await expect(joinAs('eve', wrong === '' ? to : `${to},${wrong}`)).rejects.toThrow('Error 0x80004005');
    expect(await a.run('.servers')).toBe(true);
    expect(host.text + b.text).not.toMatch(/Secret12|Looker34/);
  });

  it('belong together', async () => {
    const { host } = await start([]);
    expect(await lastError(host, `.server ${anyPort},observer=x`)).toContain(
      "'Observer' needs 'Password' too",
    );
    expect(await lastError(host, `.server ${anyPort},password=x,observer=x`)).toContain(
      'must be another one',
    );
    expect(await lastError(host, `.server ${anyPort},trust=some`)).toContain('full or none');
    expect(host.text).not.toContain('password=x');
  });
});

describe('trust=full', () => {
  it('is for the clients of that server only', async () => {
    const { ports } = await start([anyPort, `${anyPort},trust=full`, `${anyPort},trust=none`]);
    const [a, b, c] = await Promise.all(ports.map((port, i) => joinAs(`user${i}`, at(port))));
    expect(await b?.run('.shell echo fine')).toBe(true);
    for (const who of [a, c])
      expect(await lastError(who as Watcher, '.shell echo x')).toContain('trust=full');
  });

  it('cannot be taken by a client that has it not', async () => {
    const { host, ports } = await start([anyPort, `${anyPort},trust=full`]);
    const a = await joinAs('ann', at(ports[0] ?? 0));
    const b = await joinAs('bob', at(ports[1] ?? 0));
    for (const option of ['trust=full', 'Trust = FULL', 'IcfEnable', 'password=@/etc/hostname', 'password=*'])
      expect(await lastError(a, `.server ${anyPort},${option}`), option).toContain(
        'refused to remote clients',
      );
    expect(await a.run(`.server ${anyPort},password=Secret12`)).toBe(true);
    expect(await b.run(`.server ${anyPort},trust=full`)).toBe(true);
    expect(await host.run(`.server ${anyPort},trust=full`)).toBe(true);
  });
});

describe('the session log', () => {
  it('says who did what, when and from where, never a password', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vskd-audit-'));
    later(() => rmSync(folder, { recursive: true }));
    const audit = join(folder, 'session.log');
    writeFileSync(audit, '{"time":"before"}\n', { mode: 0o644 });
    const { hosted, host, ports } = await start([`${anyPort},password=Secret12,observer=Looker34`], {
      audit,
    });
    const to = at(ports[0] ?? 0);
    const a = await joinAs('ann', `${to},password=Secret12`);
    await joinAs('bob', `${to},password=Looker34`);
    await expect(joinAs('eve', `${to},password=Wrong56`)).rejects.toThrow('0x80004005');
    await a.run('.echo hi; .quit_lock /s hidden');
    await a.run('.quit_lock /q hidden');
    await a.run(`.server ${anyPort},password=Third789`);
    await a.client.request('breakIn', {});
    await a.run('.wall to all');
    await host.run('.role bob kick');
    await host.run('.endsrv 0');
    await a.client.leave();
    await hosted.dispose();
    const text = readFileSync(audit, 'utf8');
    expect(text).not.toMatch(/Secret12|Looker34|Wrong56|Third789|hidden/);
    const entries = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries[0]).toEqual({ time: 'before' });
    const seen = entries.slice(1).map(({ time, ...rest }) => {
      expect(new Date(String(time)).toISOString()).toBe(time);
      return rest;
    });
    const ann = { who: 'DEV\\ann', from: expect.stringMatching(/^tcp 127\.0\.0\.1:\d+$/) as string, id: 1 };
    for (const entry of [
      { event: 'start' },
      { event: 'serverStart', id: 0, server: expect.stringContaining('Password=*') as string },
      { event: 'join', id: 0, who: 'LAB\\host' },
      { event: 'join', ...ann },
      { event: 'join', who: 'DEV\\bob', role: 'observe' },
      { event: 'refused', from: expect.stringMatching(/^tcp 127/) as string },
      { event: 'command', ...ann, command: '.echo hi; .quit_lock /s *' },
      { event: 'request', ...ann, request: 'breakIn' },
      { event: 'command', ...ann, command: '.wall to all' },
      { event: 'role', who: 'DEV\\bob', role: 'kick', by: 'LAB\\host' },
      { event: 'leave', who: 'DEV\\bob' },
      { event: 'serverEnd', id: 0 },
      { event: 'leave', ...ann },
      { event: 'end' },
    ])
      expect(seen).toContainEqual(expect.objectContaining(entry));
    if (process.platform !== 'win32') expect(statSync(audit).mode & 0o777).toBe(0o600);
  });

  it('must be writable', async () => {
    await expect(start([], { audit: join(tmpdir(), 'no', 'such', 'folder') })).rejects.toThrow(
      'cannot be written',
    );
  });
});
