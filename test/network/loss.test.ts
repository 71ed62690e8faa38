/**
 * Connections that are lost without a word, over each transport: the other side sees it within 15 seconds, the session
 * says so, and who comes back has missed nothing. All losses happen at once, so that this takes no minute.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registeredServers } from '../../src/engine/remote/discovery/registry';
import { closeAll } from '../engine/remote/support/hosted';
import { describeWhen, hasTool } from '../support/tools';
import {
  losses,
  Scene,
  socketsOf,
  transports,
  type Loss,
  type Member,
  type Transport,
} from './support/scene';

/** Milliseconds in which a loss must be seen. */
const limit = 15_000;
/** Longer than that: who sleeps does it for so long. */
const sleep = 17_000;
/** Milliseconds after which a client that closed its connection is not listed any more. */
const listed = 10_000;

let scene: Scene;
let folder = '';
let lost = 0;
const stories = new Map<string, Promise<void>>();

const left = () => lost + limit - Date.now();
const seconds = (milliseconds: number) => Math.max(0.1, milliseconds / 1000);
const silent = /^The connection to .* is lost \(no sign of life for 12 s\); trying to get back for 60 s\.$/m;
const isBack = /^Back in the session of /m;

const hasClosed = /closed the connection|the other end has gone/;

/** A reverse connection is made once: who loses it does not come back. */
const comesBack = (transport: Transport) => transport !== 'tcp reverse';

function passed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, lost + milliseconds - Date.now())));
}

async function exitsAsLost(member: Member, why: RegExp, within: number): Promise<void> {
  const { code, stderr } = await member.process.exit(seconds(within));
  expect(stderr).toMatch(/^(vskd: waiting: .*\n)*vskd: The session was lost: .*\n$/);
  expect(stderr).toMatch(why);
  expect(code).toBe(1);
}

async function serverKilled(transport: Transport, member: Member): Promise<void> {
  if (!comesBack(transport)) return exitsAsLost(member, hasClosed, left());
  await member.process.sees(
    /^The connection to .* is lost \(.*\); trying to get back for 60 s\.$/m,
    seconds(left()),
  );
  if (transport !== 'com') return exitsAsLost(member, /could not be reached again: /, left());
  // A line does not tell that nobody is there any more; another server on it does not know the client.
  const next = scene.start(['-server', member.place.server ?? '', '-k', 'demo:']);
  await exitsAsLost(member, /does not know this client any more/, 30_000);
  next.type('q\n');
  expect(await next.exit()).toMatchObject({ code: 0 });
}

async function clientKilled(transport: Transport, member: Member): Promise<void> {
  const id = scene.idOf(member);
  const isThere = () => scene.listed(id);
  await scene.until(() => !isThere() || isThere()?.away === true, left());
  if (!comesBack(transport)) return expect(isThere()).toBeUndefined();
  expect(isThere()?.away).toBe(true);
  // Of a line nobody can say that it was closed.
  if (transport !== 'com') await scene.until(() => !isThere(), listed + limit);
}

async function cablePulled(transport: Transport, member: Member): Promise<void> {
  const id = scene.idOf(member);
  const gone = scene.until(() => !scene.listed(id) || scene.listed(id)?.away === true, left());
  if (!comesBack(transport)) {
    await exitsAsLost(member, /no sign of life for 12 s/, left());
    await gone;
    return expect(scene.listed(id)).toBeUndefined();
  }
  await member.process.sees(silent, seconds(left()));
  await gone;
  await scene.run(`.echo ${member.name} misses this`);
  await passed(sleep);
  member.place.cable?.mend();
  await backAgain(member, id);
}

async function clientAsleep(transport: Transport, member: Member): Promise<void> {
  const id = scene.idOf(member);
  await scene.until(() => !scene.listed(id) || scene.listed(id)?.away === true, left());
  await scene.run(`.echo ${member.name} misses this`);
  await passed(sleep);
  member.process.signal('SIGCONT');
  if (!comesBack(transport)) {
    expect(scene.listed(id)).toBeUndefined();
    return exitsAsLost(member, hasClosed, limit);
  }
  await backAgain(member, id);
}

async function serverAsleep(transport: Transport, member: Member): Promise<void> {
  if (!comesBack(transport)) return exitsAsLost(member, /no sign of life for 12 s/, left());
  await member.process.sees(silent, seconds(left()));
  await passed(sleep);
  scene.hosts.get('sleeps')?.signal('SIGCONT');
  await member.process.sees(isBack, 25);
  await member.speak('is awake', 15);
}

/** Nobody has left: it has the same number, is not away, and has what it missed. */
async function backAgain(member: Member, id: number): Promise<void> {
  // In either order: it is told of both as soon as they are there.
  const both = `(?=[^]*^Back in the session of )(?=[^]*^${member.name} misses this$)`;
  await member.process.sees(new RegExp(both, 'm'), 25);
  await member.speak('is back');
  await scene.until(() => scene.listed(id) !== undefined && !scene.listed(id)?.away, 5000);
}

const tell: Record<Loss, (transport: Transport, member: Member) => Promise<void>> = {
  'server killed': serverKilled,
  'client killed': clientKilled,
  'cable pulled': cablePulled,
  'client asleep': clientAsleep,
  'server asleep': serverAsleep,
};

function loseAll(): void {
  lost = Date.now();
  scene.hosts.get('killed')?.signal('SIGKILL');
  scene.hosts.get('sleeps')?.signal('SIGSTOP');
  for (const [name, { process, place }] of scene.members) {
    if (name.endsWith('client killed')) process.signal('SIGKILL');
    if (name.endsWith('client asleep')) process.signal('SIGSTOP');
    if (name.endsWith('cable pulled')) place.cable?.pull();
  }
}

const canRun = process.platform !== 'win32' && hasTool('socat');

describeWhen(canRun, 'socat and signals', 'a connection that is lost', () => {
  const before = process.env.XDG_RUNTIME_DIR;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kd-'));
    const runtime = join(folder, 'run');
    mkdirSync(runtime);
    process.env.XDG_RUNTIME_DIR = runtime;
    scene = new Scene(runtime, folder);
    await scene.open();
    loseAll();
    for (const loss of losses) {
      for (const transport of transports) {
        const name = `${transport} ${loss}`;
        const story = tell[loss](transport, scene.members.get(name)!);
        story.catch(() => {});
        stories.set(name, story);
      }
    }
  }, 120_000);

  afterAll(async () => {
    await closeAll();
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
    rmSync(folder, { recursive: true, force: true });
  });

  for (const loss of losses) {
    it.each(transports)(`${loss}: %s`, { timeout: 60_000 }, async (transport) => {
      await stories.get(`${transport} ${loss}`);
    });
  }

  it('leaves no process, socket, pipe and entry behind', { timeout: 60_000 }, async () => {
    await Promise.allSettled(stories.values());
    const stays = scene.hosts.get('stays')!;
    const sleeps = scene.hosts.get('sleeps')!;
    // Who was lost on a line is kept a minute, as nobody can say more.
    stays.type('.clients\n');
    const list = await stays.sees(/kd> \.clients\n(.*, last active .*\n)+/);
    expect(list.match(/, away$/gm)).toHaveLength(1);
    expect(list).toMatch(/\(com \S+ channel 0\), last active .*, away\n/);

    for (const { process } of scene.members.values()) {
      if (process.ended) continue;
      process.endInput();
      expect(await process.exit()).toMatchObject({ code: 0 });
    }
    await scene.leave();
    const sockets = () => socketsOf(stays);
    await expect.poll(sockets, { timeout: 5000 }).toBe(scene.idleSockets);
    for (const host of [stays, sleeps]) {
      host.type('q\n');
      expect(await host.exit()).toMatchObject({ code: 0 });
    }
    for (const each of [
      ...scene.hosts.values(),
      ...[...scene.members.values()].map(({ process }) => process),
    ])
      expect(each.ended).toBe(true);
    for (const port of scene.ports) await refuses(port);
    expect(await registeredServers()).toEqual([]);
    const own = join(folder, 'run', 'vscode-kd');
    expect(readdirSync(join(own, 'servers'))).toEqual([]);
    // The cables are ours.
    expect(readdirSync(own).filter((name) => !/^servers$|-cable$/.test(name))).toEqual([]);
  });
});

async function refuses(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  const error = await new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('connect', () => resolve(undefined));
  });
  socket.destroy();
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
}
