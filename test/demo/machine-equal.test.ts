/**
 * One debugging session, byte by byte, with the demo kernel on the machine and on QEMU: what the kernel answers must
 * be the same. The session ends before the clock starts, from when on no two runs are alike.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PacketType } from '../../src/engine/kd/packet';
import { openDemoMachine } from '../../src/engine/wire/demo';
import { exceptionState, KdSession, loadSymbolsState, requestSize } from './kdSession';
import { hasQemu } from './machineTools';

const demoImage = join(__dirname, '..', '..', 'demo', 'out', 'demo.img');
const steps = 200;

const rip = (change: Buffer) => change.readBigUInt64LE(24);

async function script(session: KdSession): Promise<string[]> {
  let change = await session.next();
  expect(change.readUInt32LE(0)).toBe(loadSymbolsState);
  session.continueLoad();
  change = await session.next();
  expect(change.readUInt32LE(0)).toBe(exceptionState);

  await session.ask(0x3146); // version
  const context = (await session.ask(0x3132)).subarray(requestSize);
  const rsp = context.readBigUInt64LE(0x98);
  await session.read(rip(change) & ~0xfffn, 0x800);
  await session.read(rsp, 0x50);
  await session.read(0n, 16); // nothing there
  await session.read(0x100040n, 0x40, 0x313d); // physical
  context.writeBigUInt64LE(rip(change) + 1n, 0xf8); // past the INT3
  await session.ask(0x3133, context.subarray(0x30, 0x34), context);
  for (let i = 0; i < steps; i++) {
    session.continue(true);
    change = await session.next();
    if (i % 8 === 0) await session.ask(0x3132);
  }

  // The rest of the start: it prints, and loads its drivers.
  session.continue(false);
  for (;;) {
    const packet = await session.next();
    const state = packet.readUInt32LE(0);
    if (session.said.at(-1)!.startsWith(`${PacketType.debugIo} `)) continue;
    if (state !== loadSymbolsState) break;
    if (session.said.filter((line) => line.startsWith(`${PacketType.stateChange64} 3130`)).length >= 2) break;
    session.continueLoad();
  }
  return session.said;
}

async function onMachine(): Promise<string[]> {
  const machine = await openDemoMachine({ keepAlive: true });
  try {
    const session = new KdSession((bytes) => void machine.wire.write(bytes));
    machine.wire.data((bytes) => session.receive(bytes));
    return await script(session);
  } finally {
    machine.dispose();
  }
}

async function onQemu(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'machine-equal-'));
  const options = ['-accel', 'tcg', '-cpu', 'qemu64,-apic', '-m', '32', '-display', 'none', '-net', 'none'];
  const serial = ['-serial', 'unix:serial,server=on,wait=on'];
  const qemu = spawn('qemu-system-x86_64', [...options, ...serial, '-kernel', demoImage], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    // QEMU says on standard error that it waits for a connection.
    await new Promise((resolve) => qemu.stderr.once('data', resolve));
    const socket = connect(join(folder, 'serial'));
    const session = new KdSession((bytes) => socket.write(bytes));
    socket.on('data', (bytes) => session.receive(bytes));
    try {
      return await script(session);
    } finally {
      socket.destroy();
    }
  } finally {
    const ended = new Promise((resolve) => qemu.once('exit', resolve));
    qemu.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true });
  }
}

describe.skipIf(!hasQemu && !process.env.CI)('the demo kernel', () => {
  it('answers a session on QEMU and on the machine in the same words', async () => {
    const ours = await onMachine();
    const theirs = await onQemu();
    expect(ours).toEqual(theirs);
    expect(ours.length).toBeGreaterThan(steps);
  }, 120_000);
});
