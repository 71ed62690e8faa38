/** The demo kernel on the embedded machine, through `-k demo:`. */
import { expect, it } from 'vitest';
import { isCrashable, isRebootable } from '../../src/engine/target/target';
import { describeWhen } from '../support/tools';
import { hasDemoImage } from './demo';
import { drive, exercise, waitFor } from './exercise';

const limit = 60_000;

describeWhen(hasDemoImage(), 'the demo kernel (npm run demo:build)', 'the embedded machine', () => {
  it('does everything a target does', { timeout: limit }, async () => {
    await exercise(drive('demo:', { initialBreak: true }), 1);
  });

  it('reboots', { timeout: limit }, async () => {
    const driver = drive('demo:', { initialBreak: true });
    await driver.stopAfter(() => {});
    if (!isRebootable(driver.target)) throw new Error('cannot reboot');
    driver.modules.length = 0;
    await driver.target.reboot();
    await waitFor(driver, () => driver.modules.includes('load demo.sys'));
    expect(driver.modules.slice(0, 2)).toEqual(['unloadAll ', 'load demont.exe']);
    expect(driver.states.map(({ state }) => state)).toContain('lost');
    expect(await driver.stopAfter(() => driver.target.breakIn())).toMatchObject({ reason: 'breakIn' });
  });

  it('crashes on demand', { timeout: limit }, async () => {
    const driver = drive('demo:', { initialBreak: true });
    await driver.stopAfter(() => {});
    const { target } = driver;
    if (!isCrashable(target)) throw new Error('cannot crash');
    expect(await driver.stopAfter(() => target.crash())).toMatchObject({ exception: { code: 0x80000003 } });
  });
});
