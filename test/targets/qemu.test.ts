/** The demo kernel in QEMU, over each kind of wire. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { isRebootable } from '../../src/engine/target/target';
import { openPtyPair } from '../support/ptyPair';
import { temporaryFolder } from '../support/temporary';
import { describeWhen, hasTool } from '../support/tools';
import { hasDemoImage } from './demo';
import { drive, exercise, waitFor } from './exercise';
import { freePort, hasQemu, qemuProgram, startQemu, type QemuOptions } from './qemu';

const limit = 90_000;

async function start(options: QemuOptions) {
  const qemu = await startQemu(options);
  onTestFinished(() => qemu.kill());
  return qemu;
}

describeWhen(hasQemu() && hasDemoImage(), `${qemuProgram} and the demo kernel`, 'QEMU', () => {
  it('over a Unix socket, two processors', { timeout: limit }, async () => {
    const path = join(temporaryFolder(), 's');
    await start({ serial: { kind: 'unix', path }, smp: 2 });
    await exercise(drive(`com:pipe,port=${path}`, { initialBreak: true }), 2);
  });

  it('over TCP', { timeout: limit }, async () => {
    const port = await freePort();
    await start({ serial: { kind: 'tcp', port } });
    await exercise(drive(`com:ipport=${port},port=127.0.0.1`, { initialBreak: true }), 1);
  });

  it('reboots and says so', { timeout: limit }, async () => {
    const path = join(temporaryFolder(), 's');
    await start({ serial: { kind: 'unix', path } });
    const driver = drive(`com:pipe,port=${path}`, { initialBreak: true });
    await driver.stopAfter(() => {});
    if (!isRebootable(driver.target)) throw new Error('cannot reboot');
    driver.modules.length = 0;
    await driver.target.reboot();
    await waitFor(driver, () => driver.modules.includes('load demo.sys'));
    expect(driver.modules.slice(0, 2)).toEqual(['unloadAll ', 'load demont.exe']);
    expect(driver.states).toContainEqual({ state: 'lost', detail: 'The target reboots.' });
    expect(await driver.stopAfter(() => driver.target.breakIn())).toMatchObject({ reason: 'breakIn' });
  });

  it('is found again after the machine was killed and started anew', { timeout: limit }, async () => {
    const path = join(temporaryFolder(), 's');
    const driver = drive(`com:pipe,port=${path},reconnect`, { initialBreak: true });
    await waitFor(driver, () => driver.target.detail.startsWith('Waiting to reconnect...'));
    const first = await start({ serial: { kind: 'unix', path } });
    await driver.stopAfter(() => {});
    driver.modules.length = 0;
    await first.kill();
    await driver.reaches('connecting');
    await start({ serial: { kind: 'unix', path } });
    await waitFor(driver, () => driver.modules.includes('load demo.sys'));
    expect(driver.states.map(({ state }) => state)).toContain('lost');
    expect(await driver.stopAfter(() => driver.target.breakIn())).toMatchObject({ reason: 'breakIn' });
  });

  it('is found running, and found stopped by the next debugger', { timeout: limit }, async () => {
    const path = join(temporaryFolder(), 's');
    await start({ serial: { kind: 'unix', path }, unattended: true });
    const first = drive(`com:pipe,port=${path}`, { initialBreak: true });
    const stop = await first.stopAfter(() => {});
    first.target.insertBreakpoint(stop.pc + 1n);
    await first.target.close();
    const second = drive(`com:pipe,port=${path}`);
    await second.reaches('stopped');
    expect(second.target.stop?.pc).toBe(stop.pc);
    expect(second.target.version?.kernelBase).toBe(first.target.version?.kernelBase);
    await second.target.resume({ mode: 'go' });
    await second.stopAfter(() => second.target.breakIn());
  });
});

const serialTools = hasQemu() && hasDemoImage() && hasTool('socat');

describeWhen(serialTools, `${qemuProgram}, socat and the demo kernel`, 'QEMU on a serial line', () => {
  it('over a pair of pseudo-terminals', { timeout: limit }, async () => {
    const pair = await openPtyPair(temporaryFolder());
    onTestFinished(() => pair.close());
    const driver = drive(`com:port=${pair.a},baud=115200`, { initialBreak: true });
    await driver.reaches('connecting');
    await start({ serial: { kind: 'device', path: pair.b } });
    await exercise(driver, 1);
  });
});
